"""Preview a batch of device commands: whom it would reach, whom not and why, and what it does."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.aggregates.command_batch import needs_approval
from ledger.commands import Command, Json, Text
from ledger.commands.command_batches import (
    AT_ONCE,
    EVERYWHERE,
    ORDERS_MAX,
    Accounts,
    Orders,
    have_at_hand,
    require_within,
)
from ledger.commands.request_command import Wish, considered, what_holds
from ledger.devices import OrderKind
from ledger.store import Context, Ledger, Session

SAMPLES: Final = 3
ASKED: Final = "a preview"
"""The reason of orders that nobody gives."""
Name = Annotated[Text, Field(max_length=64)]


class BatchFilter(Command):
    """Which accounts, as a monitor filters them; of each the points of one kind of service."""

    q: Name = ""
    site: Name = ""
    group: Name = ""
    alert_level: Literal["", "none", "remind", "warn", "trip"] = ""
    supply: Literal["", "on", "off"] = ""
    """What the ledger intends."""
    service_kind: Name = "electricity"


class PreviewBatch(Command):
    """What would be ordered of the accounts of a list, or of a filter."""

    kind: OrderKind
    accounts: Accounts | None = None
    filter: BatchFilter | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.accounts is None) == (self.filter is None):
            raise ValueError("either accounts or a filter are needed, and not both")
        return self

    def orders(self) -> Orders:
        """The accounts that are named."""
        return tuple((each.account_no, each.service_point or "") for each in self.accounts or ())


NumbersOf = Callable[[Json], Sequence[str]]
"""Numbers of the accounts that a monitor finds by its filters, as many as `limit` says."""


def handle(
    wanted: PreviewBatch,
    numbers_of: NumbersOf,
    ledger: Ledger,
    context: Context,
    reach: Reach = EVERYWHERE,
) -> Json:
    """What a batch would do, of the accounts of a list or of a filter; nothing is written."""
    orders = wanted.orders()
    if wanted.filter is not None:
        named = wanted.filter.model_dump(exclude={"service_kind"})
        numbers = require_few(tuple(numbers_of({**named, "limit": ORDERS_MAX + 1})))
        orders = points_of_kind(numbers, wanted.filter, ledger, context)
    return preview(wanted.kind, orders, ledger, context, reach)


def preview(
    kind: OrderKind, orders: Orders, ledger: Ledger, context: Context, reach: Reach = EVERYWHERE
) -> Json:
    """What each account would be told if it were ordered now; nothing is written."""
    sites = tuple(sorted(reach.sites or ()))
    lawful: list[Json] = []
    excluded: list[Json] = []
    for start in range(0, len(orders), AT_ONCE):
        some = orders[start : start + AT_ONCE]
        look = partial(_look, kind, some, start, sites)
        numbers = sorted({account_no for account_no, _ in some})
        body = ledger.decide(look, context, accounts=numbers).body
        lawful += body["lawful"]
        excluded += body["excluded"]
    return {
        "kind": kind,
        "count": len(lawful),
        "accounts": [_named(each) for each in lawful],
        "samples": lawful[:SAMPLES],
        "excluded": excluded,
        "effect": _effect(lawful),
        "needs_approval": needs_approval(kind, len(lawful), ledger.trips_alone_max),
    }


def points_of_kind(
    numbers: tuple[str, ...], wanted: BatchFilter, ledger: Ledger, context: Context
) -> Orders:
    """The service points of accounts that a filter means, each by its name."""

    def named(some: tuple[str, ...], session: Session) -> Json:
        found = (session.account(number) for number in some)
        orders = [
            (account.account_no, point.name)
            for account in found
            for point in account.points
            if point.service_kind == wanted.service_kind
            and wanted.supply in {"", point.supply_intended}
        ]
        return {"orders": orders}

    orders: list[tuple[str, str]] = []
    for start in range(0, len(numbers), AT_ONCE):
        some = numbers[start : start + AT_ONCE]
        orders += ledger.decide(partial(named, some), context, accounts=some).body["orders"]
    return require_few(tuple(orders))


def require_few(orders: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse what is more than one batch may hold."""
    if len(orders) > ORDERS_MAX:
        raise Refused("batch_too_large", f"A batch has at most {ORDERS_MAX:,} accounts.")
    return orders


def _look(
    kind: OrderKind, orders: Orders, start: int, sites: tuple[str, ...], session: Session
) -> Json:
    have_at_hand(session, orders)
    lawful: list[Json] = []
    excluded: list[Json] = []
    for index, (account_no, point) in enumerate(orders, start):
        try:
            require_within(session, account_no, sites)
            lawful.append(_told(session, Wish(account_no, point or None, kind, ASKED)))
        except Refused as refusal:
            why = {"code": refusal.code, "reason": refusal.message}
            at = {"index": index, "account_no": account_no, "service_point": point or None}
            excluded.append({**at, **why})
    return {"lawful": lawful, "excluded": excluded}


def _told(session: Session, wish: Wish) -> Json:
    account, point, under_way = considered(session, wish)
    held = None if under_way else what_holds(session, account, point, wish.kind)
    return {
        "account_no": account.account_no,
        "service_point": point.name,
        "meter_no": point.meter_no,
        "supply": point.supply_actual,
        "available_minor": account.available_at(point),
        "currency": account.currency,
        "under_way": None if under_way is None else under_way.command_id,
        "held": None if held is None else held.code,
    }


def _named(told: Json) -> Json:
    return {name: told[name] for name in ("account_no", "service_point")}


def _effect(lawful: list[Json]) -> Json:
    """What the supply of those accounts is now, and how many orders would not go out at once."""
    seen: Counter[str] = Counter(each["supply"] for each in lawful)
    held = Counter(each["held"] for each in lawful if each["held"])
    return {
        "supply": {name: seen[name] for name in ("on", "off", "unknown")},
        "under_way": sum(each["under_way"] is not None for each in lawful),
        "held": dict(sorted(held.items())),
    }
