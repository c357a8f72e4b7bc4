"""Supply decisions (供电): what is wanted, who forbids a cut, and what the meter shows."""

from collections.abc import Iterator
from typing import Final, Literal

from ledger.aggregates import Refused
from ledger.aggregates.account.state import Account, Point
from ledger.events import supply as facts

Supply = Literal["on", "off"]
TRIP: Final = "trip"
CLOSING: Final = ("close", "close_permit")
SUPPLY_KINDS: Final = (TRIP, *CLOSING)
"""Orders that change the supply of a point; the newest of them is the one that counts."""
SHOWN: Final[dict[str, Supply]] = {"closed": "on", "open": "off"}
"""Supply by what the relay shows; an unknown relay shows none."""


def is_guaranteed(point: Point, now_us: int) -> bool:
    """Whether a guarantee holds at a time."""
    return point.has_guarantee and (
        point.guaranteed_until_us == 0 or now_us < point.guaranteed_until_us
    )


def wanted_supply(point: Point, now_us: int) -> Supply:
    """What the relay shall show: as decided by level, unless a person or a guarantee says more."""
    if point.off_by_hand:
        return "off"
    if point.supply_intended == "on" or is_guaranteed(point, now_us):
        return "on"
    return "off"


def what_forbids_a_trip(account: Account, point: Point, now_us: int) -> str | None:
    """Code of what protects a point from being cut; None where nothing does."""
    if (account.attributes or {}).get("protected") is True:
        return "protected"
    if is_guaranteed(point, now_us):
        return "guaranteed"
    return "disputed" if point.is_disputed else None


def confirm(
    account: Account, point: Point, relay: str, at_us: int, now_us: int, command_id: str = ""
) -> facts.SupplyConfirmed | None:
    """What the meter shows; as known before, older than that, or unclear is silence.

    Where it was seen later than now the clock has gone back, and says nothing of what is older.
    """
    actual = SHOWN.get(relay)
    is_older = at_us < point.supply_seen_us <= now_us
    if actual is None or actual == point.supply_actual or is_older:
        return None
    return facts.SupplyConfirmed(account.account_no, point.name, point.meter_no, actual, command_id)


def reconcile(
    account: Account, point: Point, now_us: int, *, is_under_way: bool
) -> facts.SupplyMismatchFound | facts.SupplyMismatchSettled | None:
    """Open a case where actual is not as wanted and nothing is under way; close it where it is."""
    wanted = wanted_supply(point, now_us)
    actual = point.supply_actual
    if actual == wanted or is_tolerated(account, point, now_us):
        if not point.mismatch:
            return None
        return facts.SupplyMismatchSettled(account.account_no, point.name, point.meter_no, actual)
    if actual == "unknown" or point.mismatch == wanted or is_under_way:
        return None
    return facts.SupplyMismatchFound(account.account_no, point.name, point.meter_no, wanted, actual)


def is_tolerated(account: Account, point: Point, now_us: int) -> bool:
    """Whether supply may stay on although it is wanted off: somebody may not be cut."""
    return point.supply_actual == "on" and what_forbids_a_trip(account, point, now_us) is not None


def guarantee(
    account: Account, point: Point, until_us: int, now_us: int, reason: str
) -> facts.GuaranteeStarted | None:
    """Protect a point from being cut; the same guarantee again is silence."""
    account.require_open()
    if until_us and until_us <= now_us:
        raise Refused("guarantee_in_the_past", "The guarantee would have ended already.")
    if point.has_guarantee and point.guaranteed_until_us == until_us:
        return None
    return facts.GuaranteeStarted(account.account_no, point.name, until_us, reason)


def end_guarantee(account: Account, point: Point, reason: str) -> facts.GuaranteeEnded | None:
    """Let the point be cut again; where no guarantee holds, silence."""
    if not point.has_guarantee:
        return None
    return facts.GuaranteeEnded(account.account_no, point.name, reason)


def hold_dispute(account: Account, point: Point, reason: str) -> facts.DisputeHeld | None:
    """Do not cut the point while what is owed is in dispute."""
    account.require_open()
    return None if point.is_disputed else facts.DisputeHeld(account.account_no, point.name, reason)


def release_dispute(account: Account, point: Point, reason: str) -> facts.DisputeReleased | None:
    """End the dispute; where there is none, silence."""
    if not point.is_disputed:
        return None
    return facts.DisputeReleased(account.account_no, point.name, reason)


# ---------------------------------------------------------------- what facts do to a point


def _each(account: Account, event: facts.SupplyFact) -> Iterator[Point]:
    return (point for point in account.points if point.name == event.point)


def _commanded(account: Account, event: facts.SupplyCommanded, _at: int) -> None:
    for point in _each(account, event):
        point.command_id = event.command_id
        if event.by_hand:
            point.off_by_hand = event.kind == TRIP and point.supply_intended == "on"


def _confirmed(account: Account, event: facts.SupplyConfirmed, at: int) -> None:
    for point in _each(account, event):
        point.supply_actual = event.actual
        point.supply_seen_us = at


def _mismatch_found(account: Account, event: facts.SupplyMismatchFound, _at: int) -> None:
    for point in _each(account, event):
        point.mismatch = event.wanted


def _mismatch_settled(account: Account, event: facts.SupplyMismatchSettled, _at: int) -> None:
    for point in _each(account, event):
        point.mismatch = ""


def _guaranteed(account: Account, event: facts.GuaranteeStarted, _at: int) -> None:
    for point in _each(account, event):
        point.has_guarantee = True
        point.guaranteed_until_us = event.until_us


def _not_guaranteed(account: Account, event: facts.GuaranteeEnded, _at: int) -> None:
    for point in _each(account, event):
        point.has_guarantee = False
        point.guaranteed_until_us = 0


def _disputed(account: Account, event: facts.DisputeHeld, _at: int) -> None:
    for point in _each(account, event):
        point.is_disputed = True


def _not_disputed(account: Account, event: facts.DisputeReleased, _at: int) -> None:
    for point in _each(account, event):
        point.is_disputed = False


Account.EVOLVERS.update(
    {
        facts.SupplyCommanded: _commanded,
        facts.SupplyConfirmed: _confirmed,
        facts.SupplyMismatchFound: _mismatch_found,
        facts.SupplyMismatchSettled: _mismatch_settled,
        facts.GuaranteeStarted: _guaranteed,
        facts.GuaranteeEnded: _not_guaranteed,
        facts.DisputeHeld: _disputed,
        facts.DisputeReleased: _not_disputed,
    }
)
