"""Accounts and their money as people read them."""

from collections.abc import Sequence

from rich.console import Group, RenderableType

from adapters.cli.amounts import money
from adapters.cli.output import Shown, facts, table
from adapters.cli.times import local_text
from ledger.commands import Json
from ledger.store import Answer

UNIT_TEXT = {"electricity": "kWh", "heat": "kWh"}
"""Units of service kinds that are not counted in cubic metres."""


def money_shown(answer: Answer, first: Json) -> Shown:
    """What a movement of money answers."""
    body = answer.body
    return Shown(
        body=body,
        human=facts({**first, **wallets(body), "repeat": "yes" if answer.replayed else ""}),
        hint=f"wattledger account show {body['account_no']}",
    )


def units_shown(body: Json, currency: str) -> Json:
    """What a payment bought, where a point holds units."""
    units = body.get("units")
    if units is None:
        return {}
    shown: Json = {"units": f"{units['sold']} {units['unit']}"}
    if "reason" in units:
        return {**shown, "why nothing": units["reason"]}
    taken = {line["id"]: money(line["amount_minor"], currency) for line in units["lines"]}
    for name in ("channel_fee", "arrears", "remainder"):
        if units[f"{name}_minor"]:
            taken[name.replace("_", " ")] = money(units[f"{name}_minor"], currency)
    return {**shown, **taken, "units held": f"{units['prepaid']} {units['unit']}"}


def wallets(body: Json) -> Json:
    """The money of an account, for people."""
    currency = body["currency"]
    return {
        "account": body["account_no"],
        "balance": money(body["balance_minor"], currency),
        "granted": money(body["granted_minor"], currency) if body["granted_minor"] else "",
        "available": money(body["available_minor"], currency),
        "alert level": body["alert_level"],
    }


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
    return Group(head, _points(points, body["timezone"])) if points else head


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


def _points(points: Sequence[Json], timezone: str) -> RenderableType:
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
            local_text(point["last_reading_at"], timezone),
        )
        for point in points
    ]
    return table(columns, rows, right="used")
