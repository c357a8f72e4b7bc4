"""Tariffs and readings of every shape the engine rates, for the laws of rating."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from ledger.pricing import CompiledTariff, compile_tariff
from ledger.values import micros

ZONES: Final = (
    "Asia/Shanghai",
    "Europe/London",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
)
HOUR_US: Final = 3_600_000_000
FIRST: Final = date(2019, 1, 1)


def numbers(low: int, high: int, digits: int) -> st.SearchStrategy[str]:
    """Decimals of `digits` places from `low` to `high` in units of the last place."""
    return st.integers(low, high).map(lambda whole: f"{whole / 10**digits:.{digits}f}")


PRICES: Final = st.one_of(numbers(0, 300, 2), numbers(0, 10**8, 8))


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    bounds = draw(st.lists(st.integers(1, 60_000), max_size=3, unique=True))
    return [{"upto": f"{bound / 1000:.3f}"} for bound in sorted(bounds)] + [{"upto": None}]


@st.composite
def prices(draw: st.DrawFn, count: int, registers: list[str]) -> Any:  # noqa: ANN401 - JSON
    row = st.lists(PRICES, min_size=count, max_size=count)
    by_register: st.SearchStrategy[Any] = st.fixed_dictionaries(dict.fromkeys(registers, row))
    return draw(st.one_of(row, by_register))


@st.composite
def versions(
    draw: st.DrawFn, registers: list[str], *, by_days: bool, from_day: date, to_day: date | None
) -> dict[str, Any]:
    base = draw(tiers())
    seasonal = [{"id": "summer", "months": [5, 6, 7, 8], "tiers": draw(tiers())}]
    seasons: list[dict[str, Any]] = draw(st.sampled_from([[], seasonal]))
    charges: list[dict[str, Any]] = []
    for name in draw(st.sampled_from([["energy"], ["energy", "levy"]])):
        charges.append(
            {"id": name, "kind": "consumption", "rates": draw(prices(len(base), registers))}
        )
        for season in seasons:
            season.setdefault("rates", {})[name] = draw(prices(len(season["tiers"]), registers))
    per = draw(st.sampled_from([None, None, "day", "month", "period"]))
    if per is not None:
        charges.append({"id": f"{per}_fee", "kind": "fixed", "per": per, "amount": draw(PRICES)})
    applies = st.just("split_by_days")
    if not by_days:
        applies = st.sampled_from(["split_by_days", "by_reading_end"])
    return {
        "effective_from": from_day.isoformat(),
        "effective_to": None if to_day is None else to_day.isoformat(),
        "applies": draw(applies),
        "rounding": {
            "quantum": draw(st.sampled_from(["0.01", "0.01", "0.05"])),
            "mode": draw(st.sampled_from(["half_up", "half_up", "half_even", "down", "up"])),
        },
        "seasons": seasons,
        "accumulation": {
            "window": draw(st.sampled_from(["month", "bimonth", "four_months", "year"])),
            "anchor_month": draw(st.sampled_from([1, 4])),
            "basis": "consumption",
            "proration": {"method": draw(st.sampled_from(["none", "months_in_service"]))},
            "on_version_change": draw(st.sampled_from(["carry", "reset"])),
            "period_attribution": draw(applies),
        },
        "tiers": base,
        "charges": charges,
    }


@st.composite
def documents(draw: st.DrawFn, *, by_days: bool = False) -> dict[str, Any]:
    """A publishable tariff; `by_days` leaves out attribution by the reading's end."""
    registers = draw(st.sampled_from([["total"], ["peak", "valley"], ["sharp", "peak", "flat"]]))
    days = st.integers(1, 900).map(lambda count: FIRST + timedelta(days=count))
    borders = sorted(draw(st.lists(days, max_size=2, unique=True)))
    spans = zip([FIRST, *borders], [*borders, None], strict=True)
    found = [
        draw(versions(registers, by_days=by_days, from_day=from_day, to_day=to_day))
        for from_day, to_day in spans
    ]
    for old, new in pairwise(found):
        same = ("window", "anchor_month")
        if any(old["accumulation"][name] != new["accumulation"][name] for name in same):
            new["accumulation"]["on_version_change"] = "reset"
    return {
        "tariff_id": "any",
        "service_kind": "electricity",
        "unit": "kWh",
        "currency": "CNY",
        "timezone": draw(st.sampled_from(ZONES)),
        "registers": registers,
        "tax": {"treatment": "inclusive", "rate": "0.13"},
        "source": ["drawn"],
        "versions": found,
    }


def tariffs(*, by_days: bool = False) -> st.SearchStrategy[CompiledTariff]:
    return documents(by_days=by_days).map(compile_tariff)


STARTS: Final = st.integers(0, 700 * 24).map(
    lambda hours: micros(datetime(2019, 1, 2, tzinfo=UTC)) + hours * HOUR_US
)
STEPS_US: Final = st.one_of(
    st.just(0),
    st.just(HOUR_US),
    st.integers(1, 40).map(lambda days: days * 24 * HOUR_US),
    st.integers(1, 200 * 24 * HOUR_US),
)
QUANTITIES: Final = st.one_of(st.just(0), st.integers(0, 2_000), st.integers(0, 90_000))


@st.composite
def readings(draw: st.DrawFn, registers: int) -> list[tuple[int, tuple[int, ...]]]:
    """How long each interval lasts, and what each register passed in it."""
    quantities = st.tuples(*[QUANTITIES] * registers)
    return draw(st.lists(st.tuples(STEPS_US, quantities), min_size=1, max_size=8))


def to_utc(timezone: str, wall_clock: str) -> int:
    """UTC microseconds of an ISO wall-clock time."""
    return micros(datetime.fromisoformat(wall_clock).replace(tzinfo=ZoneInfo(timezone)))
