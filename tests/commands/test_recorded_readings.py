"""What a meter showed at a time is found exactly, without reading the account's whole past."""

import random
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Connection

from adapters.store.copying_writer import CopyingWriter
from ledger.aggregates.account import Account
from ledger.commands import correct_reading
from ledger.commands.correct_reading import CancelReading
from ledger.commands.late_readings import Reading
from ledger.commands.recorded_readings import Place, Recorded, find, tell
from ledger.ports import Span
from ledger.values import instant, stream_id
from tests.harness.desk import ACTOR, Desk, at_us, point
from tests.harness.documents import FLAT

HOUR_US = 3_600_000_000
START_US = at_us("2026-01-01")
STREAM = stream_id(Account.KIND, "A1")
METERS = ("M1", "M2", "M3")


class CountingWriter(CopyingWriter):
    """Counts what is asked of the log."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, 1, {})
        self.rounds = self.rows = 0

    def facts_between(
        self, shard: int, spans: Sequence[Span]
    ) -> list[tuple[int, int, int, str, bytes]]:
        found = super().facts_between(shard, spans)
        self.rounds += 1
        self.rows += len(found)
        return found


def scan(desk: Desk) -> Recorded:
    """The same as `find`, by reading everything."""
    recorded: Recorded = {}
    for item in desk.recorded():
        if item.stream_id == STREAM:
            tell(recorded, item.event, item.valid_at_us)
    return recorded


def find_all(desk: Desk, places: Sequence[Place]) -> tuple[Recorded, CountingWriter]:
    with desk.engine.connect() as connection:
        writer = CountingWriter(connection)
        return find(writer, places), writer


def irregular(meter_no: str, count: int) -> list[Reading]:
    """Readings of every hour, with silences of days and of months between them."""
    chance = random.Random(meter_no)
    hours = 0
    readings = []
    for _ in range(count):
        hours += chance.choice([1, 1, 1, 1, 1, 24, 24 * 5])
        readings.append(Reading(meter_no, START_US + hours * HOUR_US, {"total": hours}))
    return readings


def row_by_row(readings: list[Reading]) -> list[Reading]:
    return sorted(readings, key=lambda reading: reading.at_us)


def meter_by_meter(readings: list[Reading]) -> list[Reading]:
    return readings


def in_two_parts(readings: list[Reading]) -> list[Reading]:
    middle_us = START_US + 400 * HOUR_US
    return sorted(readings, key=lambda reading: reading.at_us > middle_us)


@pytest.mark.parametrize("order", [row_by_row, meter_by_meter, in_two_parts])
def test_what_is_found_is_what_a_scan_finds(
    desk: Desk, order: Callable[[list[Reading]], list[Reading]]
) -> None:
    for number in range(2, len(METERS) + 1):  # Of one tariff, they would be rated together.
        desk.publish({**FLAT, "tariff_id": f"flat-{number}"})
    tariffs = ["flat", *(f"flat-{number}" for number in range(2, len(METERS) + 1))]
    desk.open("A1", *map(point, METERS, tariffs))
    for day in (5, 60, 3):
        desk.recharge("A1", 1_00, paid_at=instant(START_US + day * 24 * HOUR_US))
    readings = [reading for meter_no in METERS for reading in irregular(meter_no, 60)]
    desk.read_all(*order(readings))
    desk.replace(
        "A1", "2026-06-20", {"total": "20"}, "M4", {"total": "0"}, service_point="electricity"
    )
    desk.read_all(Reading("M4", at_us("2026-06-21"), {"total": 500}))
    desk.remove("A1", "2026-06-22", {"total": "1"}, "electricity")
    desk.install("A1", point("M4", installed_at="2026-06-22", initial={"total": "2"}))
    expected = scan(desk)
    assert len(expected) == 3 + 3 * 60 + 4
    assert expected["M4", at_us("2026-06-22")] == [{"total": 1_000}, {"total": 2_000}]
    times = {at + more for _, at in expected for more in (-1, 0, 1)}
    meters = {meter_no for meter_no, _ in expected} | {"M9"}
    places = [Place(0, STREAM, meter_no, at) for meter_no in sorted(meters) for at in sorted(times)]
    assert find_all(desk, places)[0] == expected
    for place in places[:: len(places) // 97]:
        key = (place.meter_no, place.at_us)
        alone = {key: expected[key]} if key in expected else {}
        assert find_all(desk, [place])[0] == alone


def test_one_reading_of_a_long_past_is_found_by_reading_little_of_it(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.open("A2", point("M2"))
    hourly = [
        Reading(meter_no, START_US + hour * HOUR_US, {"total": hour})
        for hour in range(1, 2_001)
        for meter_no in ("M1", "M2")
    ]
    desk.read_all(*hourly)
    streams = {meter: stream_id(Account.KIND, f"A{meter[1:]}") for meter in ("M1", "M2")}
    for hour in (1, 2, 700, 701, 1_333, 1_999, 2_000):
        places = [
            Place(0, streams[meter_no], meter_no, START_US + hour * HOUR_US) for meter_no in streams
        ]
        found, writer = find_all(desk, places)
        assert found == {(meter_no, places[0].at_us): [{"total": hour}] for meter_no in streams}
        assert (writer.rounds <= 3, writer.rows <= 2 * 40) == (True, True), writer.__dict__
    absent = Place(0, streams["M1"], "M1", START_US + 700 * HOUR_US + 1)
    found, writer = find_all(desk, [absent, absent._replace(stream=stream_id("account", "none"))])
    assert (found, writer.rows <= 40) == ({}, True)


def test_a_cancelled_reading_is_found_behind_an_earlier_one_that_came_after_it(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    days = [Reading("M1", START_US + day * 24 * HOUR_US, {"total": day}) for day in range(1, 81)]
    desk.read_all(*days[:60])
    wrong = CancelReading(meter_no="M1", at=instant(days[59].at_us), reason="another meter's")
    correct_reading.handle(wrong, desk.ledger, ACTOR)
    before = [days[59].at_us - hours * HOUR_US for hours in range(20, 0, -1)]
    desk.read_all(*(Reading("M1", at, {"total": 59}) for at in before))
    heads = desk.heads()
    assert desk.read_all(days[59])["duplicate"] == 1
    desk.restart()
    assert desk.read_all(days[59])["duplicate"] == 1
    assert desk.heads() == heads
    assert desk.read_all(*days[60:])["accepted"] == 20
    heads = desk.heads()
    assert desk.read_all(*days)["duplicate"] == 80
    assert desk.heads() == heads
