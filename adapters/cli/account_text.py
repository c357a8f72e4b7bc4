"""An account and a list of accounts as people read them."""

from collections.abc import Sequence

from rich.console import Group, RenderableType

from adapters.cli.amounts import money
from adapters.cli.output import facts, table
from adapters.cli.recharge import wallets
from ledger.commands import Json

UNIT_TEXT = {"electricity": "kWh", "heat": "kWh"}
"""Units of service kinds that are not counted in cubic metres."""


def account_text(body: Json) -> RenderableType:
    """An account with its service points."""
    head = facts(
        {
            "name": body.get("name"),
            "phone": body.get("phone"),
            "address": body.get("address"),
            **wallets(body),
            "status": body.get("status"),
            "days left": body.get("days_left"),
            "site": body.get("site"),
            "group": body.get("group"),
        }
    )
    points = body.get("service_points", ())
    return Group(head, _points(points)) if points else head


def account_list(items: Sequence[Json]) -> RenderableType:
    """Accounts, one a line."""
    columns = ("account", "balance", "available", "days left", "alert", "meters", "site", "group")
    rows = [
        (
            item["account_no"],
            money(item["balance_minor"], item["currency"]),
            money(item["available_minor"], item["currency"]),
            item.get("days_left"),
            item.get("alert_level"),
            " ".join(point["meter_no"] for point in item.get("service_points", ())),
            item.get("site"),
            item.get("group"),
        )
        for item in items
    ]
    return table(columns, rows, right="balance available")


def _points(points: Sequence[Json]) -> RenderableType:
    columns = ("point", "meter", "tariff", "policy", "tier", "used", "supply", "last reading")
    rows = [
        (
            point.get("service_point", point["service_kind"]),
            point["meter_no"],
            point["tariff_id"],
            point.get("policy_id"),
            point["tier"]["tier"],
            f"{point['tier']['used']} {UNIT_TEXT.get(point['service_kind'], 'm³')}",
            point["supply"]["intended"],
            point.get("last_reading_at"),
        )
        for point in points
    ]
    return table(columns, rows, right="used")
