"""Files to import, and what an import made of them."""

import csv
from typing import Any

from tests.harness.terminal import Terminal

ACCOUNTS = "account_no,service_kind,tariff_id,meter_no,installed_at,initial_total\n"
READINGS = "meter_no,at,total\n"
RECHARGES = "account_no,channel,channel_txn_id,amount,paid_at\n"
COUNTS = ("accepted", "duplicate", "refused", "quarantined")


def counts(body: dict[str, Any]) -> tuple[int, ...]:
    return tuple(body[name] for name in COUNTS)


def account_rows(count: int) -> str:
    return ACCOUNTS + "".join(
        f"A{n},electricity,flat,M{n},2026-01-01T00:00:00,0\n" for n in range(count)
    )


def reading_rows(meters: int, days: int) -> str:
    return READINGS + "".join(
        f"M{meter},2026-{1 + day // 28:02d}-{1 + day % 28:02d}T12:00:00,{day + 1}.5\n"
        for day in range(days)
        for meter in range(meters)
    )


def refused(terminal: Terminal, name: str) -> list[tuple[int, str]]:
    rows = csv.DictReader(terminal.read(f"{name}.refused.csv").splitlines())
    return [(int(row["line"]), row["code"]) for row in rows]


def balances(terminal: Terminal) -> dict[str, tuple[int, Any]]:
    items = terminal.json("account", "list", "--limit", "10000")["items"]
    return {
        item["account_no"]: (
            item["balance_minor"],
            [(p["meter_no"], p["registers"], p["tier"]["used"]) for p in item["service_points"]],
        )
        for item in items
    }
