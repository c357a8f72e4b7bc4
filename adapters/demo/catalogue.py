"""Prices and lines of the town: tiers for homes, time of use for business."""

from typing import Final

from ledger.aggregates.policy import Line, PolicyDocument, TripLine
from ledger.commands import Json, publish_policy, publish_tariff
from ledger.store import Context, Ledger

HOMES: Final = "home-tiers"
BUSINESS: Final = "business-tou"
POLICY: Final = "standard"
REMIND_MINOR: Final = 20_00
WARN_MINOR: Final = 10_00


def publish(ledger: Ledger, context: Context) -> None:
    """Put both tariffs and the policy in force."""
    for tariff in (_homes(), _business()):
        publish_tariff.handle(tariff, ledger, context)
    publish_policy.handle(_policy(), ledger, context)


def _homes() -> Json:
    return _tariff(
        HOMES,
        "Homes, three tiers a month (居民阶梯电价)",
        registers=["total"],
        rates=["0.52", "0.57", "0.82"],
        bounds=["240", "400"],
    )


def _business() -> Json:
    prices = {"sharp": "1.18", "peak": "0.98", "flat": "0.62", "valley": "0.31"}
    return _tariff(
        BUSINESS,
        "Shops and offices, time of use (一般工商业分时电价)",
        registers=list(prices),
        rates={register: [price] for register, price in prices.items()},
        bounds=[],
    )


def _tariff(
    tariff_id: str,
    name: str,
    *,
    registers: list[str],
    rates: list[str] | dict[str, list[str]],
    bounds: list[str],
) -> Json:
    return {
        "tariff_id": tariff_id,
        "name": name,
        "service_kind": "electricity",
        "unit": "kWh",
        "currency": "CNY",
        "timezone": "Asia/Shanghai",
        "registers": registers,
        "tax": {"treatment": "inclusive", "rate": "0.13"},
        "source": ["made up for the demonstration, in the usual shape and size"],
        "versions": [
            {
                "effective_from": "2020-01-01",
                "effective_to": None,
                "rounding": {"quantum": "0.01", "mode": "half_up"},
                "accumulation": {
                    "window": "month",
                    "basis": "consumption",
                    "proration": {"method": "none"},
                },
                "tiers": [{"upto": bound} for bound in (*bounds, None)],
                "charges": [{"id": "energy", "kind": "consumption", "rates": rates}],
            }
        ],
    }


def _policy() -> PolicyDocument:
    return PolicyDocument(
        policy_id=POLICY,
        name="Remind at 20, warn at 10, trip at 0 (提醒、预警、停电)",
        remind=Line(available_minor=REMIND_MINOR),
        warn=Line(available_minor=WARN_MINOR),
        trip=TripLine(available_minor=0),
    )
