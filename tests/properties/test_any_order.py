"""The same readings in any order of arrival come to the same total (R5, R14), on real stores."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.commands import accrue_fixed, correct_reading
from ledger.commands.late_readings import Reading
from ledger.values import instant
from tests.harness.desk import ACTOR, Desk, Json, at_us, point
from tests.harness.documents import daily_fee, energy, tariff, version
from tests.harness.reckoning import check_energy, check_journal, check_statements, check_tax

HOUR_US = 3_600_000_000
NEW_YEAR = at_us("2026-01-01")
OLD = version(energy(["0.5", "0.6", "0.9"]), daily_fee("0.21"), bounds=["50", "120"],
              effective_to="2026-02-11")  # fmt: skip
NEW = version(energy(["0.55", "0.7", "1.1"]), daily_fee("0.17"), bounds=["50", "120"],
              effective_from="2026-02-11")  # fmt: skip
TARIFFS = [
    tariff("monthly", OLD, NEW),
    tariff("plain", version(energy(["0.4883", "0.5383"]), bounds=["100"], window="year")),
    tariff(
        "sides",
        version(energy({"peak": ["0.617", "0.677"], "valley": ["0.307", "0.337"]}), bounds=["90"]),
        registers=("peak", "valley"),
    ),
]


@dataclass(frozen=True)
class Life:
    """A meter's readings in order of time, the order in which they arrive, and what goes wrong."""

    tariff_id: str
    readings: list[Reading]
    order: list[int]
    batches: list[int]
    accrue_after: int
    mistaken: int | None


@st.composite
def lives(draw: st.DrawFn) -> Life:
    tariff_id = draw(st.sampled_from([each["tariff_id"] for each in TARIFFS]))
    names = ("peak", "valley") if tariff_id == "sides" else ("total",)
    hours = sorted(draw(st.sets(st.integers(1, 24 * 90), min_size=2, max_size=9)))
    shown, readings = dict.fromkeys(names, 0), []
    for hour in hours:
        shown = {name: value + draw(st.integers(0, 40_000)) for name, value in shown.items()}
        readings.append(Reading("M1", NEW_YEAR + hour * HOUR_US, shown))
    return Life(
        tariff_id,
        readings,
        draw(st.permutations(range(len(readings)))),
        draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)),
        draw(st.integers(0, len(readings))),
        draw(st.none() | st.integers(0, len(readings) - 1)),
    )


def opened(life: Life, tariffs: Sequence[Json] = TARIFFS) -> Desk:
    desk = Desk.at("sqlite://")
    desk.publish(*tariffs)
    names = ("peak", "valley") if life.tariff_id == "sides" else ("total",)
    desk.open("A1", point("M1", life.tariff_id, initial=dict.fromkeys(names, 0)))
    return desk


def in_order(life: Life, tariffs: Sequence[Json] = TARIFFS) -> Desk:
    desk = opened(life, tariffs)
    desk.read_all(*life.readings)
    accrue_fixed.handle(["A1"], desk.ledger, ACTOR)
    return desk


def as_it_came(life: Life) -> Desk:
    """Out of order, in batches, one value mistyped at first, silent days charged in between."""
    desk = opened(life)
    readings = [life.readings[index] for index in life.order]
    sent = 0
    for number in range(len(readings)):
        size = life.batches[number % len(life.batches)]
        part = [_mistyped(life, reading) for reading in readings[sent : sent + size]]
        if sent <= life.accrue_after < sent + size:
            accrue_fixed.handle(["A1"], desk.ledger, ACTOR)
        assert desk.read_all(*part)["quarantined"] == []
        sent += size
    if life.mistaken is not None:
        _correct(desk, life.readings[life.mistaken])
    accrue_fixed.handle(["A1"], desk.ledger, ACTOR)
    return desk


def _mistyped(life: Life, reading: Reading) -> Reading:
    """The mistaken reading shows what the one before it did."""
    if life.mistaken is None or reading != life.readings[life.mistaken]:
        return reading
    before = life.readings[life.mistaken - 1].registers if life.mistaken else {}
    return reading._replace(registers={name: before.get(name, 0) for name in reading.registers})


def _correct(desk: Desk, reading: Reading) -> None:
    command = correct_reading.CorrectReading.model_validate(
        {
            "meter_no": reading.meter_no,
            "at": instant(reading.at_us),
            "registers": {name: f"{value / 1000:.3f}" for name, value in reading.registers.items()},
            "reason": "mistyped",
        }
    )
    correct_reading.handle(command, desk.ledger, ACTOR)


def outcome(desk: Desk) -> Json:
    state = desk.account("A1")
    (only,) = state.points
    return {
        "balance": state.balance_minor,
        "registers": only.registers,
        "last_at": only.last_at_us,
        "position": only.position,
    }


@settings(max_examples=15)
@given(lives())
def test_any_order_of_arrival_gives_the_same_total(life: Life) -> None:
    straight, crooked = in_order(life), as_it_came(life)
    assert outcome(crooked) == outcome(straight)
    crooked.views.catch_up()
    log = crooked.recorded()
    for check in (check_statements, check_energy, check_journal):
        check(crooked, log)
    check_tax(log)
    assert crooked.views.verify() == []
    straight.close()
    crooked.close()
