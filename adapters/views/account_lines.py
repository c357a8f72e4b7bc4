"""Accounts as lines of a list: what a monitor shows of each, and nothing that is reckoned."""

from typing import Any

from adapters.views.accounts import Json, by_point, json_of
from ledger.aggregates.account.control import INDEX
from ledger.aggregates.account.state import days_left


def account_line(row: Any) -> Json:  # noqa: ANN401 - a database row
    """An account without its tiers and registers; times are in UTC microseconds."""
    points = by_point(json_of(row.points))
    usage, supply = json_of(row.usage), json_of(row.supply)
    available = row.balance_minor + row.granted_minor
    levels = [supply[name]["level"] for name in points]
    return {
        "account_no": row.account_no,
        "site": row.site,
        "group": row.user_group,
        "currency": row.currency,
        "available_minor": available,
        "days_left": days_left(available, row.week_minor),
        "alert_level": max(levels, key=INDEX.__getitem__, default="none"),
        "meter_nos": [particulars["meter_no"] for particulars in points.values()],
        "supplies": [
            {
                "intended": supply[name]["intended"],
                "actual": particulars.get("actual", "unknown"),
            }
            for name, particulars in points.items()
        ],
        "last_reading_us": max((usage[name][0] for name in points), default=None),
    }
