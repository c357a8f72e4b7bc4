"""Tariffs and control policies as an author would write them, with one particular changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.aggregates.policy import Line, PolicyDocument, TripLine

Json = dict[str, Any]
Rates = Sequence[str] | Mapping[str, Sequence[str]]


def energy(rates: Rates, **particulars: str) -> Json:
    """A charge of consumption: a price for each tier, or for each tier of each register."""
    return {"id": "energy", "kind": "consumption", "rates": rates, **particulars}


def daily_fee(amount: str, **particulars: str) -> Json:
    """A fixed charge of every local day."""
    return {"id": "standing", "kind": "fixed", "per": "day", "amount": amount, **particulars}


def monthly_fee(amount: str, **particulars: str) -> Json:
    """A fixed charge of every calendar month."""
    return {"id": "rent", "kind": "fixed", "per": "month", "amount": amount, **particulars}


def version(
    *charges: Json,
    bounds: Sequence[str] = (),
    window: str = "month",
    effective_from: str = "2020-01-01",
    effective_to: str | None = None,
) -> Json:
    """Prices from a day on, tiers up to these bounds and beyond."""
    return {
        "effective_from": effective_from,
        "effective_to": effective_to,
        "rounding": {"quantum": "0.01", "mode": "half_up"},
        "accumulation": {
            "window": window,
            "basis": "consumption",
            "proration": {"method": "none"},
        },
        "tiers": [{"upto": bound} for bound in (*bounds, None)],
        "charges": list(charges),
    }


def tariff(
    tariff_id: str = "flat",
    *versions: Json,
    registers: Sequence[str] = ("total",),
    service_kind: str = "electricity",
    currency: str = "CNY",
    vat: str = "0.13",
) -> Json:
    """A tariff; 0.50 a unit unless versions say more."""
    return {
        "tariff_id": tariff_id,
        "service_kind": service_kind,
        "unit": {"electricity": "kWh", "heat": "kWh"}.get(service_kind, "m3"),
        "currency": currency,
        "timezone": "Asia/Shanghai",
        "registers": list(registers),
        "tax": {"treatment": "inclusive", "rate": vat},
        "source": ["an example"],
        "versions": list(versions) or [version(energy(["0.5"]))],
    }


FLAT = tariff()
"""0.50 a kWh."""
WATER = tariff("water", version(energy(["3"])), service_kind="water", vat="0.09")
"""3.00 a cubic metre."""
TIERED = tariff("tiered", version(energy(["0.5", "0.6", "0.9"]), bounds=["100", "300"]))
"""Up to 100 and to 300 kWh a month, and beyond."""
TOU = tariff(
    "tou",
    version(energy({"peak": ["0.6", "0.7"], "valley": ["0.3", "0.4"]}), bounds=["100"]),
    registers=("peak", "valley"),
)
"""Peak and valley, dearer beyond 100 kWh of both a month."""


def sold(tariff_id: str = "sold", **vending: Any) -> Json:  # noqa: ANN401 - as the document names them
    """Units for money: 50 kWh a month at 0.98, up to 350 at 1.27, beyond at 2.19, after 98.00."""
    priced = version(
        {"id": "basic", "kind": "fixed", "per": "first_purchase_of_month", "amount": "98.00"},
        energy(["0.98", "1.27", "2.19"]),
        bounds=["50", "350"],
    )
    priced["accumulation"]["basis"] = "purchase"
    terms = {"unit_quantum": "0.1", "unit_mode": "half_up", "arrears_share": "0.25", **vending}
    return {**tariff(tariff_id, priced), "vending": terms}


def policy(
    policy_id: str = "standard",
    *,
    remind: int | None = 20_00,
    warn: int | None = 10_00,
    trip: int | None = 0,
    remind_days: int | None = None,
    warn_days: int | None = None,
    **particulars: Any,  # noqa: ANN401 - as the document names them
) -> PolicyDocument:
    """Remind at 20.00, warn at 10.00, trip at nothing, unless told otherwise."""
    return PolicyDocument(
        policy_id=policy_id,
        remind=_line(remind, remind_days),
        warn=_line(warn, warn_days),
        trip=None if trip is None else TripLine(available_minor=trip),
        **particulars,
    )


def _line(available_minor: int | None, days_left: int | None) -> Line | None:
    if available_minor is None and days_left is None:
        return None
    return Line(available_minor=available_minor, days_left=days_left)
