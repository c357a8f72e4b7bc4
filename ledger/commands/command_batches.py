"""Batches of device commands (批量控制): the same order to many meters, each its own decision.

The batch is recorded first, with the accounts by name; then its orders are decided on a few at a
time, and how far it is stands in the same commit as their commands. So a crash in between leaves a
batch that goes on, a repeat doubles nothing, and payments are served meanwhile.
"""

from functools import partial
from typing import Annotated, Final

from pydantic import Field

from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.command_batch import APPROVAL_LASTS_US, CommandBatch, needs_approval
from ledger.aggregates.meter import Meter
from ledger.commands import AccountNo, Command, Identifier, Json, Moment, Reason, Text
from ledger.commands.request_command import Wish, ask, shard_of_id
from ledger.devices import OrderKind
from ledger.events import command_batch as facts
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import micros, shard_of, stream_id

ORDERS_MAX: Final = 5_000
AT_ONCE: Final = 100
"""Orders that are decided on in one commit."""
EVENTS_EACH: Final = 4
"""About so many events an order makes."""
EVERYWHERE: Final = Reach()
DUE: Final = Context("scheduler", "approval due")
Orders = tuple[tuple[str, str], ...]
"""Accounts and service points; an empty point is the only one of its account."""


class BatchAccount(Command):
    """An account of a batch; the point may be left out where there is only one."""

    account_no: AccountNo
    service_point: Annotated[Text, Field(min_length=1, max_length=64)] | None = None


Accounts = Annotated[tuple[BatchAccount, ...], Field(min_length=1, max_length=ORDERS_MAX)]


class RequestBatch(Command):
    """A person wants many meters to do the same; the accounts are those that were confirmed."""

    kind: OrderKind
    reason: Reason
    accounts: Accounts
    expires_at: Moment | None = None

    def orders(self) -> Orders:
        """The accounts as the batch holds them."""
        return tuple((each.account_no, each.service_point or "") for each in self.accounts)


class ApproveBatch(Command):
    """The batch that shall run."""

    batch_id: Identifier


class RejectBatch(Command):
    """The batch that shall not run."""

    batch_id: Identifier
    reason: Reason


def handle(
    command: RequestBatch, ledger: Ledger, context: Context, reach: Reach = EVERYWHERE
) -> Answer:
    """Record the batch and carry it out; where a second person must agree, let it wait."""
    opened = ledger.decide(
        partial(_open, command, ledger.trips_alone_max, context.actor, reach),
        context,
        shards=(CATALOGUE_SHARD,),
    )
    return _carried_on(opened, ledger, context)


def approve(
    command: ApproveBatch, ledger: Ledger, context: Context, reach: Reach = EVERYWHERE
) -> Answer:
    """Let a batch run that somebody else asked for; every account is decided on as it is now."""

    def decide(session: Session) -> Json:
        batch = _found(session, command.batch_id, reach)
        approved = batch.approve(context.actor, session.now_us)
        if approved is not None:
            session.record(batch, approved, session.now_us)
        return {"batch_id": batch.batch_id}

    shard = shard_of_id(command.batch_id, ledger.terms.shards)
    opened = ledger.decide(decide, context, shards=(shard,))
    return _carried_on(opened, ledger, context)


def reject(
    command: RejectBatch, ledger: Ledger, context: Context, reach: Reach = EVERYWHERE
) -> Answer:
    """Let a batch not run; whoever asked for it may take it back so."""

    def decide(session: Session) -> Json:
        batch = _found(session, command.batch_id, reach)
        rejected = batch.reject(context.actor, command.reason, session.now_us)
        if rejected is not None:
            session.record(batch, rejected, session.now_us)
        return {"batch_id": batch.batch_id, "status": batch.status, "changed": rejected is not None}

    shard = shard_of_id(command.batch_id, ledger.terms.shards)
    return ledger.decide(decide, context, shards=(shard,))


def expire_due(batch_id: str, ledger: Ledger) -> Answer:
    """End a batch that nobody approved in time; one that was decided on goes its way."""

    def decide(session: Session) -> Json:
        batch = session.aggregate(CommandBatch, batch_id, CATALOGUE_SHARD)
        expired = batch.expire(session.now_us)
        if expired is not None:
            session.record(batch, expired, session.now_us)
        return {"batch_id": batch_id, "changed": expired is not None}

    return ledger.decide(decide, DUE, shards=(CATALOGUE_SHARD,))


def carry_on(batch_id: str, ledger: Ledger, context: Context) -> Json:
    """Decide on what is left of a running batch; whoever else does so too takes turns with us."""
    on = Context(context.actor, f"batch:{batch_id}")
    ahead: Orders = ()
    while True:
        step = ledger.decide(
            partial(_step, batch_id, ahead),
            on,
            accounts=sorted({account_no for account_no, _ in ahead}),
            shards=(CATALOGUE_SHARD,),
            weight=EVENTS_EACH * len(ahead) + 1,
        ).body
        ahead = step["ahead"]
        if not ahead:
            answer: Json = step["answer"]
            return answer


def _carried_on(opened: Answer, ledger: Ledger, context: Context) -> Answer:
    body = carry_on(opened.body["batch_id"], ledger, context)
    positions = {**opened.body["positions"], **body["positions"]}
    return Answer({**body, "positions": positions}, opened.replayed)


def batch_answer(batch: CommandBatch) -> Json:
    """A batch with every decision so far; a repeat tells the same."""
    orders = batch.orders
    return {
        "batch_id": batch.batch_id,
        "kind": batch.kind,
        "status": batch.status,
        "count": len(orders),
        "accepted": [
            {"account_no": orders[number][0], "command_id": command_id}
            for number, command_id in batch.accepted
        ],
        "refused": [
            {"index": number, "account_no": orders[number][0], "code": code, "reason": reason}
            for number, code, reason in batch.refused
        ],
        "positions": {str(shard): position for shard, position in batch.reached},
    }


def have_at_hand(session: Session, orders: Orders) -> None:
    """Read the meters of some accounts and their newest commands together, not one by one."""
    numbers = {account_no for account_no, _ in orders}
    homes = [
        (shard_of(number, session.shards), stream_id(Account.KIND, number)) for number in numbers
    ]
    accounts = session.accounts_at(homes).values()
    points = [(point, account.shard) for account in accounts for point in account.points]
    meters = [(Meter, point.meter_no, shard) for point, shard in points]
    newest = [
        (DeviceCommand, point.command_id, shard) for point, shard in points if point.command_id
    ]
    session.prepare([*meters, *newest])


def _open(
    command: RequestBatch, alone_max: int, actor: str, reach: Reach, session: Session
) -> Json:
    now_us = session.now_us
    expires_at_us = 0 if command.expires_at is None else micros(command.expires_at)
    if command.expires_at is not None and expires_at_us <= now_us:
        raise Refused("expires_in_the_past", "The commands would have expired already.")
    must_wait = needs_approval(command.kind, len(command.accounts), alone_max)
    batch_id = f"{CATALOGUE_SHARD}-b{session.next_position(CATALOGUE_SHARD)}"
    batch = session.aggregate(CommandBatch, batch_id, CATALOGUE_SHARD)
    requested = facts.CommandBatchRequested(
        batch_id=batch_id,
        kind=command.kind,
        reason=command.reason,
        orders=command.orders(),
        expires_at_us=expires_at_us,
        sites=tuple(sorted(reach.sites or ())),
        requested_by=actor,
        approve_until_us=now_us + APPROVAL_LASTS_US if must_wait else 0,
    )
    session.record(batch, requested, now_us)
    return {"batch_id": batch_id}


def _found(session: Session, batch_id: str, reach: Reach) -> CommandBatch:
    """A batch in reach: whose author sees no site that is hidden from the one who decides."""
    batch = session.aggregate(CommandBatch, batch_id, CATALOGUE_SHARD)
    batch.require_known()
    if reach.sites is not None and not (batch.sites and reach.sites.issuperset(batch.sites)):
        raise Refused("batch_unknown", "There is no batch of this id.")
    return batch


def _step(batch_id: str, ahead: Orders, session: Session) -> Json:
    """Decide on the orders ahead, unless somebody else was faster, and tell what comes next."""
    batch = session.aggregate(CommandBatch, batch_id, CATALOGUE_SHARD)
    if ahead and batch.ahead(AT_ONCE) == ahead:
        _advance(session, batch, ahead)
    following = batch.ahead(AT_ONCE)
    return {"ahead": following, "answer": None if following else batch_answer(batch)}


def _advance(session: Session, batch: CommandBatch, ahead: Orders) -> None:
    before = dict(session.positions)
    have_at_hand(session, ahead)
    accepted: list[tuple[int, str]] = []
    refused: list[tuple[int, str, str]] = []
    for number, (account_no, point) in enumerate(ahead, batch.through):
        wish = Wish(account_no, point or None, batch.kind, batch.reason, batch.expires_at_us)
        try:
            require_within(session, account_no, batch.sites)
            accepted.append((number, ask(session, wish).command_id))
        except Refused as refusal:
            refused.append((number, refusal.code, refusal.message))
    reached = {**session.positions, CATALOGUE_SHARD: session.next_position(CATALOGUE_SHARD)}
    advanced = facts.CommandBatchAdvanced(
        batch_id=batch.batch_id,
        through=(through := batch.through + len(ahead)),
        left=len(batch.orders) - through,
        accepted=tuple(accepted),
        refused=tuple(refused),
        reached=tuple(sorted(at for at in reached.items() if at[1] != before[at[0]])),
    )
    session.record(batch, advanced, session.now_us)


def require_within(session: Session, account_no: str, sites: tuple[str, ...]) -> None:
    """An account at a site that the author of a batch may not see is as if it did not exist."""
    if sites and session.account(account_no).site not in sites:
        raise Refused("account_unknown", f"There is no account {account_no}.")
