"""Accounts as they read everywhere: the body of `GET /accounts/{id}` from the accounts view."""

from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, or_, select

from adapters.views.tables import table_of
from ledger.aggregates.account.control import INDEX
from ledger.aggregates.account.sharing import kind_of
from ledger.aggregates.account.state import days_left
from ledger.commands.answers import prepaid_body
from ledger.commands.quantities import decimal_text
from ledger.pricing import CompiledTariff, Position
from ledger.projections.accounts import GONE, Accounts, Usage
from ledger.values import rfc3339, shard_of

Json = dict[str, Any]
TariffOf = Callable[[str], CompiledTariff]
ACCOUNTS = table_of(Accounts(), Accounts.name)


def read_account(
    connection: Connection, account_no: str, shards: int, tariff_of: TariffOf
) -> Json | None:
    """One account; None where there is none."""
    at = and_(ACCOUNTS.c.shard == shard_of(account_no, shards), ACCOUNTS.c.account_no == account_no)
    row = connection.execute(select(ACCOUNTS).where(at)).first()
    return None if row is None else account_body(row, tariff_of)


def list_accounts(
    connection: Connection, after: tuple[int, str] | None, limit: int, tariff_of: TariffOf
) -> list[Json]:
    """Accounts in order of shard and number, behind a cursor."""
    statement = select(ACCOUNTS).order_by(ACCOUNTS.c.shard, ACCOUNTS.c.account_no).limit(limit)
    if after is not None:
        shard, number = after
        behind = and_(ACCOUNTS.c.shard == shard, ACCOUNTS.c.account_no > number)
        statement = statement.where(or_(ACCOUNTS.c.shard > shard, behind))
    return [account_body(row, tariff_of) for row in connection.execute(statement)]


def account_body(row: Any, tariff_of: TariffOf) -> Json:  # noqa: ANN401 - a database row
    """An account as it reads everywhere, from its row."""
    points = by_point(json_of(row.points))
    usage, supply = json_of(row.usage), json_of(row.supply)
    available = row.balance_minor + row.granted_minor
    levels = [supply[name]["level"] for name in points]
    tiers = _tiers(usage)
    return {
        "account_no": row.account_no,
        "status": row.status,
        "balance_minor": row.balance_minor,
        "granted_minor": row.granted_minor,
        "available_minor": available,
        "currency": row.currency,
        "days_left": days_left(available, row.week_minor),
        "alert_level": max(levels, key=INDEX.__getitem__, default="none"),
        "site": row.site,
        "group": row.user_group,
        "timezone": row.timezone,
        "service_points": [
            _point(name, particulars, Usage(*usage[name]), supply[name], tiers, tariff_of)
            for name, particulars in points.items()
        ],
        "version": row.version,
        "shard": row.shard,
        "position": row.position,
    }


def json_of(value: Any) -> Json:  # noqa: ANN401 - text on SQLite, an object on PostgreSQL
    """A JSON column of a row."""
    found: Json = msgspec.json.decode(value) if isinstance(value, str) else value
    return found


def by_point(flat: Json) -> dict[str, Json]:
    """Points with their particulars, in the order in which they were added."""
    points: dict[str, Json] = {}
    for key, value in flat.items():
        name, _, particular = key.rpartition(".")
        points.setdefault(name, {})[particular] = value
    return dict(sorted(points.items(), key=lambda item: int(item[1]["added"])))


Tiers = dict[tuple[str, str], Usage]
"""Where the tiers of a service kind and tariff stand: as the newest fact left them."""


def _tiers(usage: Json) -> Tiers:
    tiers: Tiers = {}
    for name, told in usage.items():
        newest = Usage(*told)
        key = kind_of(name.removesuffix(GONE)), newest.tariff_id
        if key not in tiers or tiers[key].fact < newest.fact:
            tiers[key] = newest
    return tiers


def _position(tiers: Usage) -> Position:
    return Position(
        version=tiers.version,
        window_from=tiers.window_from,
        window_to=tiers.window_to,
        in_service_from=tiers.in_service_from,
        used=tiers.used,
        den=tiers.den,
        season=tiers.season,
        accrued=(),
        posted=(),
        fixed_through=0,
        limits=tuple(tiers.limits),
        limits_den=tiers.limits_den,
        used_by=tuple(tiers.used_by),
    )


def _point(
    name: str,
    particulars: Json,
    usage: Usage,
    supply: Json,
    tiers: Tiers,
    tariff_of: TariffOf,
) -> Json:
    tariff = tariff_of(usage.tariff_id)
    position = _position(tiers[kind_of(name), usage.tariff_id])
    number, next_bound = tariff.tier(position)
    return {
        "service_point": name,
        "service_kind": particulars["service_kind"],
        "meter_no": particulars["meter_no"],
        "tariff_id": usage.tariff_id,
        "policy_id": particulars["policy_id"],
        "tier": {
            "window_from": date.fromordinal(position.window_from).isoformat(),
            "window_to": date.fromordinal(position.window_to).isoformat(),
            "used": decimal_text(position.used // position.den),
            "tier": number,
            "next_bound": None if next_bound is None else decimal_text(next_bound),
        },
        "supply": {
            "intended": supply["intended"],
            "actual": particulars.get("actual", "unknown"),
        },
        "guaranteed": "guaranteed_until_us" in particulars,
        "disputed": "disputed" in particulars,
        "last_reading_at": rfc3339(usage.at_us),
        "registers": {name: decimal_text(value) for name, value in usage.registers.items()},
        **prepaid_body(
            particulars.get("units", 0),
            particulars.get("units_minor", 0),
            holds_units="units" in particulars,
        ),
    }
