"""Whose turn it is: one order at a time for a meter, few for a gateway, restores first."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.devices.waiting import AT_ONCE, Waiting, WaitingList


def a_command(
    number: int = 1,
    meter: str = "M1",
    kind: str = "close",
    **more: Any,  # noqa: ANN401 - as the command names them
) -> Waiting:
    command = Waiting(f"0-c{number}", kind, meter, "G1", "queued", 0, 0, number)
    return replace(command, **more)


def due(waiting: WaitingList, now_us: int = 100) -> list[str]:
    return [command.command_id for command in waiting.take_due(now_us)]


def test_a_meter_gets_one_order_at_a_time() -> None:
    waiting = WaitingList()
    first, second = a_command(1), a_command(2)
    waiting.put(first)
    waiting.put(second)
    assert due(waiting) == ["0-c1"]
    assert due(waiting) == []
    waiting.done(first)
    waiting.put(replace(first, status="verified", position=3))
    assert due(waiting) == ["0-c2"]


def test_whoever_waits_for_supply_goes_before_whoever_is_cut() -> None:
    waiting = WaitingList()
    for number in range(1, 9):
        kind = "trip" if number <= 6 else "close"
        waiting.put(a_command(number, f"M{number}", kind))
    assert due(waiting)[:2] == ["0-c7", "0-c8"]


def test_a_dead_gateway_keeps_few_hands_waiting() -> None:
    waiting = WaitingList()
    for number in range(1, 20):
        waiting.put(a_command(number, f"M{number}"))
    waiting.put(a_command(99, "M99", gateway="G2"))
    taken = due(waiting)
    assert len(taken) == AT_ONCE + 1
    assert "0-c99" in taken


def test_what_is_not_due_waits_until_its_meter_answers() -> None:
    waiting = WaitingList()
    waiting.put(a_command(1, again_at_us=500))
    assert due(waiting, 100) == []
    assert waiting.wait_us(100) == 400
    assert waiting.hasten("M1", 100)
    assert due(waiting, 100) == ["0-c1"]


def test_an_older_word_brings_nothing_back() -> None:
    waiting = WaitingList()
    waiting.put(a_command(1, position=5))
    waiting.put(a_command(1, status="verified", position=9))
    waiting.put(a_command(1, status="acknowledged", position=7))
    assert len(waiting) == 0


@given(st.permutations(range(1, 7)))
def test_words_about_a_command_may_come_in_any_order(order: list[int]) -> None:
    statuses = ["requested", "queued", "dispatched", "acknowledged", "queued", "superseded"]
    waiting = WaitingList()
    for number in order:
        waiting.put(a_command(1, status=statuses[number - 1], position=number))
    assert len(waiting) == 0
