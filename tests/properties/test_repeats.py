"""Told twice is told once; and what is remembered is what the log holds."""

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.aggregates.payment import Payment
from ledger.aggregates.policy import ControlPolicy
from ledger.aggregates.tariff import Tariff
from ledger.commands import recharge
from ledger.commands.late_readings import Reading
from ledger.commands.recharge import Recharge
from ledger.events.account import AccountCharged
from ledger.values import shard_of
from tests.harness.desk import ACTOR, Desk, at_us, point
from tests.harness.documents import policy
from tests.harness.town import Step, Town
from tests.strategies import town_histories

HOUR_US = 3_600_000_000
METERS = ("M1", "M2", "M3")


@st.composite
def told_often(draw: st.DrawFn) -> tuple[list[Reading], list[Reading]]:
    """Readings in the order of their time, and the same with repeats put in anywhere behind."""
    shown = dict.fromkeys(METERS, 0)
    once = []
    for hour, (meter_no, more) in enumerate(
        draw(st.lists(st.tuples(st.sampled_from(METERS), st.integers(0, 900)), min_size=1)), 1
    ):
        shown[meter_no] += more
        at = at_us("2026-01-01") + hour * HOUR_US
        once.append(Reading(meter_no, at, {"total": shown[meter_no]}))
    often: list[Reading] = []
    for number, reading in enumerate(once):
        often.append(reading)
        often += draw(st.lists(st.sampled_from(once[: number + 1]), max_size=3))
    return once, often


def charges(desk: Desk) -> list[AccountCharged]:
    return [item.event for item in desk.recorded() if isinstance(item.event, AccountCharged)]


def told(readings: Sequence[Reading], sizes: Sequence[int], *, replaced: bool) -> Desk:
    """A desk that was told the readings, so many at once."""
    desk = Desk.at("sqlite://", shards=2)
    for number, meter_no in enumerate(METERS):
        desk.open(f"A{number}", point(meter_no))
    left, turn = list(readings), 0
    while left:
        size = sizes[turn % len(sizes)]
        answer = desk.read_all(*left[:size])
        assert answer["quarantined"] == []
        left, turn = left[size:], turn + 1
        if turn == 2:
            desk.restart()
    if replaced:
        desk.replace("A0", "2026-06-01", {"total": "900"}, "M9", {"total": "0"})
        assert desk.read_all(*readings)["quarantined"] == []
    return desk


@settings(max_examples=30)
@given(told_often(), st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_the_order_in_which_repeats_arrive_does_not_matter(
    readings: tuple[list[Reading], list[Reading]],
    sizes: list[int],
    replaced: bool,  # noqa: FBT001 - drawn
) -> None:
    once, often = (told(some, sizes, replaced=replaced) for some in readings)
    left, right = (sorted(charges(desk), key=repr) for desk in (once, often))
    assert [_by_itself(charge) for charge in left] == [_by_itself(charge) for charge in right]
    for number in range(len(METERS)):
        assert once.account(f"A{number}") == often.account(f"A{number}")
    for desk in (once, often):
        desk.close()


def _by_itself(charge: AccountCharged) -> tuple[object, ...]:
    return charge.meter_no, charge.from_us, charge.registers, charge.amount_minor


def a_town(steps: Sequence[Step], shards: int = 3) -> Town:
    desk = Desk.at("sqlite://", shards)
    desk.publish(policy("strict", trip=5_00), policy("wet", cuts=("electricity", "water")))
    town = Town(desk)
    town.play(steps)
    return town


@settings(max_examples=15)
@given(town_histories(), st.booleans())
def test_a_whole_history_told_again_changes_nothing(
    steps: list[Step],
    restarted: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever has a key of its own, or a time of its own, is silence or a refusal."""
    town = a_town(steps)
    heads = town.desk.heads()
    if restarted:
        town.desk.restart()
    keyed = [step for step in steps if step[0] in {"open", "pay", "again"}]
    town.play(keyed)
    sent = town.sent()
    if sent:
        answer = town.desk.read_all(*sent)
        assert answer["accepted"] == 0
        assert answer["duplicate"] + len(answer["quarantined"]) == len(sent)  # Told, not kept.
    assert town.desk.heads() == heads
    town.desk.close()


def remembered(desk: Desk, kind: type[Aggregate], natural_id: str, shard: int) -> Aggregate:
    """A state as the ledger holds it in memory, or makes it from a snapshot."""
    found: list[Aggregate] = []

    def look(session: Any) -> dict[str, Any]:  # noqa: ANN401 - a session of the ledger
        found.append(session.aggregate(kind, natural_id, shard).clone())
        return {}

    desk.ledger.decide(look, ACTOR, shards=(shard,))
    return found[0]


@settings(max_examples=15)
@given(town_histories(), st.booleans())
def test_what_is_remembered_is_what_the_events_fold_to(
    steps: list[Step],
    restarted: bool,  # noqa: FBT001 - drawn
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ledger.store.session.SNAPSHOT_EVERY", 3)
        town = a_town(steps)
        desk = town.desk
        if restarted:
            desk.restart()
        named: list[tuple[type[Aggregate], str, int]] = [
            *((Account, number, shard_of(number, 3)) for number in ("A1", "A4", "A5")),
            *((Meter, meter_no, shard) for meter_no in town.meters() for shard in range(3)),
            *((Payment, f"cash/T{n}", shard) for n in range(12) for shard in range(3)),
            (Tariff, "flat", 0),
            (ControlPolicy, "standard", 0),
        ]
        for kind, natural_id, shard in named:
            expected = desk.fold(kind, natural_id, shard)
            assert remembered(desk, kind, natural_id, shard) == expected
        desk.close()


@settings(max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=25))
def test_in_all_shards_a_payment_is_booked_once(told: list[tuple[int, int]]) -> None:
    desk = Desk.at("sqlite://", shards=4)
    for number in range(4):
        desk.open(f"A{number}")
    waiting = [
        recharge.submit(
            Recharge(
                account_no=f"A{number}",
                amount_minor=1_00,
                currency="CNY",
                channel="wechat",
                channel_txn_id=f"T{txn}",
            ),
            desk.ledger,
            ACTOR,
        )
        for txn, number in told
    ]
    wait(waiting)
    first: dict[int, int] = {}
    for (txn, number), answer in zip(told, waiting, strict=True):
        is_first = first.setdefault(txn, number) == number
        assert (answer.exception() is None) == is_first
    balances = sum(desk.account(f"A{number}").balance_minor for number in range(4))
    assert balances == 1_00 * len(first)
    desk.close()


Door = Callable[[Desk], object]
REFUSED: list[Door] = [
    lambda desk: desk.recharge("A0", 0),
    lambda desk: desk.recharge("A0", 1, currency="EUR"),
    lambda desk: desk.adjust("A0", -1, "granted"),
    lambda desk: desk.close_account("A0"),
    lambda desk: desk.replace("A0", "2025-01-01", {"total": "0"}, "M7", {"total": "0"}),
    lambda desk: desk.replace("A0", "2026-06-01", {"total": "1"}, "M7", {"peak": "0"}),
    lambda desk: desk.remove("A0", "2026-06-01", {}),
    lambda desk: desk.install("A0", point("M1")),
    lambda desk: desk.install("A0", point("M8", "unheard-of")),
    lambda desk: desk.open("A7", point("M7"), point("M8", "unheard-of")),
]


@settings(max_examples=10)
@given(st.lists(st.sampled_from(range(len(REFUSED))), min_size=1, max_size=6))
def test_a_refusal_leaves_neither_a_trace_nor_a_claim(which: list[int]) -> None:
    desk = Desk.at("sqlite://", shards=2)
    desk.open("A0", point("M0"))
    desk.open("A1", point("M1"))
    desk.recharge("A0", 10_00)
    heads, before = desk.heads(), remembered(desk, Account, "A0", shard_of("A0", 2))
    for number in which:
        with pytest.raises(Refused):
            REFUSED[number](desk)
    assert desk.heads() == heads
    assert remembered(desk, Account, "A0", shard_of("A0", 2)) == before
    desk.open("A7", point("M7"), point("M8"))
    desk.close()
