"""Meters side by side: any order of arrival of their readings comes to the same tiers (R14)."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.commands.late_readings import Reading
from ledger.events.account import AccountCharged, ChargeCorrected
from ledger.values import instant
from tests.harness.desk import Desk, Json, point
from tests.harness.documents import daily_fee, energy, monthly_fee, tariff, version
from tests.harness.reckoning import check_energy, check_journal, check_statements, check_tax
from tests.properties.test_any_order import HOUR_US, NEW_YEAR, TARIFFS, _correct
from tests.views.test_explained import check as check_derivations
from tests.views.test_previews import preview

FAMILY = version(energy(["0.5", "0.6", "0.9"]), bounds=["50", "120"])
FAMILY["modifiers"] = [
    {
        "id": "many",
        "effect": "shift_tiers",
        "per_month": "10",
        "when": {"attribute": "household_size", "gte": 5},
    }
]
RENTED = [
    tariff(
        f"rented_by_{window}",
        version(
            energy(["0.5", "0.6"]),
            daily_fee("0.21"),
            monthly_fee("3"),
            bounds=["90"],
            window=window,
        ),
    )
    for window in ("month", "bimonth", "year")
]
BILLED = tariff("billed", version(energy(["0.5", "0.6"]), bounds=["40"], window="billing_period"))
ALL = [*TARIFFS, tariff("family", FAMILY), *RENTED, BILLED]
METERS = ("M1", "M2", "M3")


@dataclass(frozen=True)
class Street:
    """Meters of one account, what each showed, and the order in which that arrived."""

    tariff_id: str
    meters: dict[str, int]
    """Hour of the year at which each began to count."""
    readings: list[Reading]
    order: list[int]
    batches: list[int]
    mistaken: int

    @property
    def registers(self) -> tuple[str, ...]:
        return ("peak", "valley") if self.tariff_id == "sides" else ("total",)


@st.composite
def streets(draw: st.DrawFn) -> Street:
    tariff_id = draw(st.sampled_from([each["tariff_id"] for each in ALL]))
    names = ("peak", "valley") if tariff_id == "sides" else ("total",)
    meters = {no: draw(st.integers(0, 24 * 40)) for no in METERS[: draw(st.integers(2, 3))]}
    marks = st.one_of(st.integers(1, 24 * 90), st.integers(1, 12).map(lambda week: week * 168))
    readings = []
    for meter_no, begun in meters.items():
        shown = dict.fromkeys(names, 0)
        for hour in sorted(draw(st.sets(marks, min_size=1, max_size=5))):
            if hour > begun:
                shown = {
                    name: value + draw(st.integers(0, 40_000)) for name, value in shown.items()
                }
                readings.append(Reading(meter_no, NEW_YEAR + hour * HOUR_US, shown))
    return Street(
        tariff_id,
        meters,
        readings,
        draw(st.permutations(range(len(readings)))),
        draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)),
        draw(st.integers(0, max(len(readings) - 1, 0))),
    )


def opened(street: Street) -> Desk:
    desk = Desk.at("sqlite://")
    desk.publish(*ALL)
    points = [
        point(meter_no, street.tariff_id, initial=dict.fromkeys(street.registers, 0))
        | {"installed_at": instant(NEW_YEAR + begun * HOUR_US)}
        for meter_no, begun in street.meters.items()
    ]
    desk.open("A1", *points, attributes={"household_size": 6})
    return desk


def in_order(street: Street) -> Desk:
    desk = opened(street)
    readings = sorted(street.readings, key=lambda reading: (reading.at_us, reading.meter_no))
    assert desk.read_all(*readings)["quarantined"] == []
    return desk


def as_it_came(street: Street) -> Desk:
    """In batches out of order; one reading showed nothing at first, and is corrected."""
    desk = opened(street)
    readings = [street.readings[index] for index in street.order]
    sent = 0
    for number in range(len(readings)):
        size = street.batches[number % len(street.batches)]
        part = [_blank(street, reading) for reading in readings[sent : sent + size]]
        assert desk.read_all(*part)["quarantined"] == []
        sent += size
    if readings:
        _correct(desk, street.readings[street.mistaken])
    return desk


def _blank(street: Street, reading: Reading) -> Reading:
    """The mistaken reading shows what the one before it did."""
    if reading != street.readings[street.mistaken]:
        return reading
    before = [each for each in street.readings[: street.mistaken] if each.meter_no == reading[0]]
    shown = before[-1].registers if before else dict.fromkeys(street.registers, 0)
    return reading._replace(registers=shown)


def outcome(desk: Desk) -> Json:
    state = desk.account("A1")
    return {
        "balance": state.balance_minor,
        "points": [(each.registers, each.last_at_us) for each in state.points],
        "used": {(each.position.window_from, each.position.used, each.position.den)
                 for each in state.points},
        "accrued": {each.position.accrued for each in state.points},
    }  # fmt: skip


@settings(max_examples=12)
@given(streets())
def test_any_order_of_arrival_over_several_meters_gives_the_same_total(street: Street) -> None:
    straight, crooked = in_order(street), as_it_came(street)
    assert outcome(crooked) == outcome(straight)
    assert len(outcome(crooked)["used"]) == 1
    crooked.views.catch_up()
    log = crooked.recorded()
    posted = (AccountCharged, ChargeCorrected)
    amounts = [item.event.amount_minor for item in log if isinstance(item.event, posted)]
    assert -sum(amounts) == crooked.account("A1").balance_minor
    for holds in (check_statements, check_energy, check_journal):
        holds(crooked, log)
    check_tax(log)
    assert crooked.views.verify() == []
    same = preview(crooked, next(each for each in ALL if each["tariff_id"] == street.tariff_id))
    assert same["before_minor"] == same["after_minor"] == -crooked.account("A1").balance_minor
    check_derivations(crooked)
    straight.close()
    crooked.close()
