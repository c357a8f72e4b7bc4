"""Readings of meters that were taken from one account and installed at another, in any shard."""

from ledger.aggregates.meter import Meter
from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from tests.harness.desk import ACTOR, Desk, at_us, point
from tests.harness.readings import charges, codes, counts


def move(desk: Desk, meter_no: str, old: str, new: str) -> None:
    """A meter is taken from one account and installed at another."""
    desk.remove(old, "2026-01-05", {"total": "20"})
    desk.install(new, point(meter_no, installed_at="2026-01-10", initial={"total": "20"}))


def test_a_meter_that_moves_to_another_shard_takes_its_readings_along(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    shards.open("A4")
    shards.read("M1", "2026-01-02", 10_000)
    move(shards, "M1", "A1", "A4")
    assert counts(shards.read("M1", "2026-01-11", 21_000)) == (1, 0, [])
    assert [fact.amount_minor for fact in charges(shards, "A4")] == [50]
    assert counts(shards.read("M1", "2026-01-02", 10_000)) == (0, 1, [])
    assert counts(shards.read("M1", "2026-01-03", 11_000)) == (1, 0, [])
    assert counts(shards.read("M1", "2026-01-03", 11_000)) == (0, 1, [])
    assert codes(shards.read("M1", "2026-01-07", 20_000)) == ["before_installation"]
    assert shards.fold(Meter, "M1", shard=1).account_no == ""
    assert shards.fold(Meter, "M1", shard=2).account_no == "A4"


def test_meters_that_move_while_another_process_remembers_them_are_found(shards: Desk) -> None:
    for number in ("A5", "A1", "A4"):
        shards.open(number, *([point("M1"), point("M2")] if number == "A1" else []))
    colleague = shards.colleague()
    colleague.read("M1", "2026-01-02", 10_000)
    colleague.read("M2", "2026-01-02", 10_000)
    for meter_no, name, new in (("M1", "electricity", "A5"), ("M2", "electricity-2", "A4")):
        shards.remove("A1", "2026-01-05", {"total": "20"}, name)
        later = point(meter_no, installed_at="2026-01-10", initial={"total": "20"})
        shards.install(new, later)
    batch = [Reading(no, at_us("2026-01-11"), {"total": 21_000}) for no in ("M1", "M2")]
    assert counts(colleague.read_all(*batch)) == (2, 0, [])
    assert [len(charges(shards, number)) for number in ("A5", "A4")] == [1, 1]
    colleague.close()


def test_batches_on_their_way_keep_their_order_when_a_meter_has_moved(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    shards.open("A4")
    colleague = shards.colleague()
    colleague.read("M1", "2026-01-02", 10_000)
    move(shards, "M1", "A1", "A4")
    batches = [
        [Reading("M1", at_us(f"2026-01-{day}"), {"total": day * 2_000})] for day in range(11, 19)
    ]
    waiting = [record_readings.submit(batch, colleague.ledger, ACTOR) for batch in batches]
    assert [counts(answer.result().body) for answer in waiting] == [(1, 0, [])] * len(batches)
    moved = [type(fact).__name__ for fact in shards.facts("A4")]
    assert moved.count("AccountCharged") == len(batches)
    assert "ChargeCorrected" not in moved
    assert colleague.read("M1", "2026-01-03", 12_000)["accepted"] == 1  # Late, at the old account.
    colleague.close()


def test_a_meter_that_moves_within_its_shard_is_found_by_another_process(shards: Desk) -> None:
    assert shards.ledger.shard_of("A1") == shards.ledger.shard_of("A8")
    shards.open("A1", point("M1"))
    shards.open("A8")
    colleague = shards.colleague()
    colleague.read("M1", "2026-01-02", 10_000)
    move(shards, "M1", "A1", "A8")
    batch = [Reading("M1", at_us(f"2026-01-{day}"), {"total": day * 2_000}) for day in (11, 12)]
    assert counts(colleague.read_all(*batch)) == (2, 0, [])
    assert [fact.amount_minor for fact in charges(shards, "A8")] == [1_00, 1_00]
    colleague.close()


def test_a_reading_kept_aside_in_one_shard_is_not_kept_in_another_as_well(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    shards.read("M1", "2026-01-02", 10_000)
    shards.remove("A1", "2026-01-05", {"total": "20"})
    assert codes(shards.read("M1", "2026-01-06", 21_000)) == ["meter_unknown"]
    heads = shards.heads()
    shards.restart()
    assert counts(shards.read("M1", "2026-01-06", 21_000)) == (0, 0, ["meter_unknown"])
    assert shards.heads() == heads
