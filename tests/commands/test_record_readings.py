"""Readings: charged once, or kept aside once with the reason; never dropped."""

import pytest

from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.events.meter import ReadingQuarantined
from tests.harness.desk import ACTOR, Desk, at_us, point, water
from tests.harness.readings import charges, codes, counts, kept_aside


@pytest.fixture(autouse=True)
def opened(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        desk: Desk = request.getfixturevalue("desk")
        desk.open("A1", point("M1"))


def test_a_reading_is_charged(desk: Desk) -> None:
    assert counts(desk.read("M1", "2026-01-02", 10_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -5_00


def test_a_reading_told_twice_is_silence(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    heads = desk.heads()
    assert counts(desk.read("M1", "2026-01-02", 10_000)) == (0, 1, [])
    desk.read("M1", "2026-01-03", 20_000)
    assert counts(desk.read("M1", "2026-01-02", 10_000)) == (0, 1, [])
    assert counts(desk.read("M1", "2026-01-01", 0)) == (0, 1, [])
    assert desk.heads()[0] == heads[0] + 1


def test_a_reading_told_twice_in_one_batch_is_silence(desk: Desk) -> None:
    reading = Reading("M1", at_us("2026-01-02"), {"total": 10_000})
    assert counts(desk.read_all(reading, reading)) == (1, 1, [])


def test_other_values_at_the_same_time_contradict(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    assert codes(desk.read("M1", "2026-01-02", 10_001)) == ["contradiction"]
    desk.read("M1", "2026-01-03", 20_000)
    assert codes(desk.read("M1", "2026-01-02", 9_999)) == ["contradiction"]
    assert codes(desk.read("M1", "2026-01-01", 5)) == ["contradiction"]
    assert len(kept_aside(desk)) == 3


def test_values_that_contradict_in_one_batch_are_told(desk: Desk) -> None:
    first = Reading("M1", at_us("2026-01-02"), {"total": 10_000})
    other = first._replace(registers={"total": 10_001})
    assert counts(desk.read_all(first, other, first)) == (1, 1, ["contradiction"])


def test_a_new_time_behind_a_charged_one_is_rated_again(desk: Desk) -> None:
    desk.read("M1", "2026-01-03", 20_000)
    assert counts(desk.read("M1", "2026-01-02", 10_000)) == (1, 0, [])
    assert desk.account("A1").balance_minor == -10_00


def test_a_time_before_the_installation_is_told_apart_from_late(desk: Desk) -> None:
    assert codes(desk.read("M1", "2025-12-31", 0)) == ["before_installation"]


def test_a_time_in_the_future_is_kept_aside(desk: Desk) -> None:
    desk.clock.go("2026-01-02")
    assert counts(desk.read("M1", "2026-01-02T00:05", 1)) == (1, 0, [])
    assert codes(desk.read("M1", "2026-01-02T00:05:01", 2)) == ["future"]


@pytest.mark.parametrize(
    ("meter_no", "registers", "code"),
    [
        ("M9", {"total": 5}, "meter_unknown"),
        ("M1", {}, "register_missing"),
        ("M1", {"peak": 5}, "register_missing"),
        ("M1", {"total": 5, "peak": 5}, "register_unknown"),
        ("M1", {"total": 10**9}, "out_of_range"),
        ("M1", {"total": 24_000_001 + 10**6}, "implausible"),
    ],
)
def test_what_cannot_be_charged_is_kept_aside_once(
    desk: Desk, meter_no: str, registers: dict[str, int], code: str
) -> None:
    first = desk.read(meter_no, "2026-01-02", **registers)
    assert counts(first) == (0, 0, [code])
    heads = desk.heads()
    assert desk.read(meter_no, "2026-01-02", **registers) == first | {"positions": {}}
    desk.restart()
    assert desk.read(meter_no, "2026-01-02", **registers) == first | {"positions": {}}
    assert (desk.heads(), kept_aside(desk)) == (heads, [(meter_no, code)])
    (aside,) = [item for item in desk.recorded() if isinstance(item.event, ReadingQuarantined)]
    assert aside.valid_at_us == at_us("2026-01-02")
    assert isinstance(aside.event, ReadingQuarantined)
    assert aside.event.registers == registers


@pytest.mark.parametrize("strange", ["\x00", "\x1f", "\ud800", "\n"])
def test_characters_that_no_database_holds_are_written_out(desk: Desk, strange: str) -> None:
    written = f"\\u{ord(strange):04x}"
    unknown = Reading(f"M{strange}1", at_us("2026-01-02"), {"total": 5, f"x{strange}": 5})
    register = Reading("M1", at_us("2026-01-02"), {"total": 5, f"x{strange}": 5})
    for _ in range(2):
        answer = desk.read_all(unknown, register, Reading("M1", at_us("2026-01-03"), {"total": 5}))
        assert codes(answer) == ["meter_unknown", "register_unknown"]
        desk.restart()
    assert sorted(kept_aside(desk)) == [
        ("M1", "register_unknown"),
        (f"M{written}1", "meter_unknown"),
    ]
    assert len(charges(desk)) == 1
    desk.views.catch_up()
    assert desk.views.parked() == []
    assert desk.views.verify() == []


def test_a_reading_that_went_backward_stays_silent_behind_a_later_one(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    assert codes(desk.read("M1", "2026-01-03", 9_000)) == ["backward"]
    assert counts(desk.read("M1", "2026-01-04", 11_000)) == (1, 0, [])
    assert counts(desk.read("M1", "2026-01-03", 9_000)) == (0, 0, ["backward"])
    assert kept_aside(desk) == [("M1", "backward")]


def test_a_reading_kept_aside_is_told_at_each_of_its_places(desk: Desk) -> None:
    desk.read("M1", "2026-01-03", 20_000)
    late = Reading("M1", at_us("2026-01-02"), {"total": 30_000})
    strange = Reading("M9", at_us("2026-01-02"), {"total": 1})
    told = ["backward", "meter_unknown", "backward", "meter_unknown"]
    for _ in range(2):
        answer = desk.read_all(late, strange, late, strange)
        assert counts(answer) == (0, 0, told)
        assert [item["index"] for item in answer["quarantined"]] == [0, 1, 2, 3]
        assert all(item["reason"].endswith(".") for item in answer["quarantined"])
    assert len(kept_aside(desk)) == 2


def test_a_bad_reading_does_not_stop_the_next_one(desk: Desk) -> None:
    answer = desk.read_all(
        Reading("M1", at_us("2026-01-02"), {"total": 10_000}),
        Reading("M9", at_us("2026-01-02"), {"total": 1}),
        Reading("M1", at_us("2026-01-01T12:00"), {"total": 5_000}),
        Reading("M1", at_us("2026-01-03"), {"total": 20_000}),
    )
    assert counts(answer) == (3, 0, ["meter_unknown"])
    assert [item["index"] for item in answer["quarantined"]] == [1]
    assert desk.account("A1").balance_minor == -10_00


def test_a_meter_that_was_unknown_is_charged_once_it_is_installed(desk: Desk) -> None:
    assert codes(desk.read("M2", "2026-01-02", 10_000)) == ["meter_unknown"]
    desk.install("A1", point("M2"))
    assert counts(desk.read("M2", "2026-01-02", 10_000)) == (1, 0, [])


def test_several_points_are_paid_from_one_balance(desk: Desk) -> None:
    desk.install("A1", point("M2"))
    desk.install("A1", water("W1"))
    answer = desk.read_all(
        Reading("M1", at_us("2026-01-02"), {"total": 10_000}),
        Reading("M2", at_us("2026-01-02"), {"total": 20_000}),
        Reading("W1", at_us("2026-01-02"), {"total": 2_000}),
    )
    assert counts(answer) == (3, 0, [])
    assert [(fact.point, fact.balance_after_minor) for fact in charges(desk)] == [
        ("electricity", -5_00),
        ("electricity-2", -15_00),
        ("water", -21_00),
    ]


def test_registers_of_the_day_are_charged_by_their_tariff(desk: Desk) -> None:
    desk.install("A1", point("M2", "tou", initial={"peak": "0.1", "valley": "0.2"}))
    assert codes(desk.read("M2", "2026-01-02", peak=10_100)) == ["register_missing"]
    assert counts(desk.read("M2", "2026-01-02", peak=10_100, valley=5_200)) == (1, 0, [])
    assert counts(desk.read("M2", "2026-01-02", 15_300, peak=10_100, valley=5_200)) == (0, 1, [])
    assert desk.account("A1").balance_minor == -(6_00 + 1_50)


def test_a_batch_may_speak_of_every_shard(shards: Desk) -> None:
    numbers = ["A5", "A1", "A4", "A0"]
    for number in numbers:
        shards.open(number, point(f"M-{number}"))
    before = shards.heads()
    batch = [Reading(f"M-{no}", at_us("2026-01-02"), {"total": 10_000}) for no in numbers]
    answer = shards.read_all(*batch, Reading("M9", at_us("2026-01-02"), {"total": 1}), *batch)
    assert counts(answer) == (4, 4, ["meter_unknown"])
    charge_and_trip, aside = 2, 1
    grown = {shard: shards.heads()[shard] - before[shard] for shard in range(4)}
    assert grown == {0: charge_and_trip + aside, 1: 2, 2: 2, 3: 2}
    assert answer["positions"] == {str(shard): head for shard, head in shards.heads().items()}


def test_readings_of_a_replaced_meter_told_again_are_silence(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    desk.replace("A1", "2026-01-05", {"total": "20"}, "M2", {"total": "0"})
    for _ in range(2):
        assert counts(desk.read("M1", "2026-01-02", 10_000)) == (0, 1, [])
        assert counts(desk.read("M1", "2026-01-05", 20_000)) == (0, 1, [])
        assert counts(desk.read("M2", "2026-01-05", 0)) == (0, 1, [])
        desk.restart()
    assert kept_aside(desk) == []


def test_a_retired_meter_is_late_within_its_time_and_unknown_after_it(desk: Desk) -> None:
    desk.read("M1", "2026-01-02", 10_000)
    desk.replace("A1", "2026-01-05", {"total": "20"}, "M2", {"total": "0"})
    assert counts(desk.read("M1", "2026-01-03", 15_000)) == (1, 0, [])
    assert codes(desk.read("M1", "2026-01-02", 9_000)) == ["contradiction"]
    assert codes(desk.read("M1", "2026-01-06", 21_000)) == ["meter_unknown"]
    assert codes(desk.read("M2", "2026-01-04", 0)) == ["before_installation"]
    heads = desk.heads()
    desk.restart()
    assert counts(desk.read("M1", "2026-01-06", 21_000)) == (0, 0, ["meter_unknown"])
    assert counts(desk.read("M1", "2026-01-03", 15_000)) == (0, 1, [])
    assert desk.heads() == heads


def test_a_reading_is_charged_once_by_whoever_comes_first(desk: Desk) -> None:
    colleague = desk.colleague()
    batch = [
        Reading("M1", at_us(f"2026-01-{day:02}"), {"total": day * 100}) for day in range(2, 30)
    ]
    waiting = [
        record_readings.submit(batch[start:], teller.ledger, ACTOR)
        for start in range(0, 25, 5)
        for teller in (desk, colleague)
    ]
    answers = [answer.result().body for answer in waiting]
    assert sum(answer["accepted"] for answer in answers) == len(batch)
    assert desk.account("A1").points[0].registers == (2_900,)
    assert desk.account("A1").balance_minor == -1_45
    assert all(codes(answer) == [] for answer in answers)
    colleague.close()
