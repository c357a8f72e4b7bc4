"""Reconcile the supply (状态核对): what a sweep saw on a meter against what is wanted there."""

from concurrent.futures import Future

from ledger.aggregates.account.supply import SHOWN
from ledger.commands import Json
from ledger.commands.request_command import newest_command
from ledger.commands.show_supply import show, shows, verify
from ledger.commands.watch_clock import watch_clock
from ledger.devices import MeterState
from ledger.store import Answer, Context, Ledger, Session

CONTEXT = Context("sweep")


def handle(meter_no: str, state: MeterState, ledger: Ledger) -> Answer | None:
    """Reconcile and wait for it; None where there is nothing to reconcile."""
    asked = submit(meter_no, state, ledger)
    return None if asked is None else asked.result()


def submit(meter_no: str, state: MeterState, ledger: Ledger) -> "Future[Answer] | None":
    """Confirm the supply, or open a case; a meter of no account, or unclear, is passed over.

    A command whose effect was unknown, or that waited for the customer, may be verified by it. A
    meter found open although supply is wanted gets its order to close again. What was seen before
    the newest order was sent says nothing of the supply, unless the clock has gone back since.
    """
    home = ledger.meter_homes([meter_no]).get(meter_no)
    if home is None or state.relay not in SHOWN:
        return None
    shard, stream = home

    def decide(session: Session) -> Json:
        account = session.account(session.accounts_at([home])[stream].account_no)
        point = account.point_of_meter(meter_no)
        if point is None:
            return {}  # It moved meanwhile; the next sweep finds it.
        newest = newest_command(session, point, shard)
        is_older = newest is not None and state.at_us <= newest.sent_at_us
        if (
            newest is not None
            and newest.status in {"unknown", "awaiting_customer", "failed"}
            and newest.meter_no == meter_no
            and not is_older
            and shows(newest.kind, state)
        ):
            verify(session, newest, state, "sweep")
        elif newest is None or not is_older or newest.sent_at_us > session.now_us:
            show(session, account, point, state.relay, state.at_us)
        watch_clock(session, account, point, state)
        return {"actual": point.supply_actual, "mismatch": point.mismatch}

    return ledger.submit(decide, CONTEXT, shards=(shard,))
