"""Holds: the points that are not cut for now, and the cases of supply."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from ledger.events import Recorded, account
from ledger.events import supply as facts
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest

NO_CUT: Final = "no_cut_window"


class Holds:
    """One row per point and kind; `is_active` 0 when over.

    Kinds are `guarantee`, `dispute`, `mismatch`, and `no_cut_window` where a trip was put off.
    `until_us` is 0 where it lasts until somebody ends it.
    """

    name: ClassVar[str] = "holds"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("account_no", "text", Merge.KEY),
        Column("point", "text", Merge.KEY),
        Column("kind", "text", Merge.KEY),
        Column("is_active", "int"),
        Column("since_us", "int"),
        Column("until_us", "int"),
        Column("reason", "text"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each hold in the batch."""
        return newest(batch, _CHANGES, ("account_no", "point", "kind"))


def _begun(kind: str) -> Callable[[Any, Recorded], Change]:
    def change(event: Any, recorded: Recorded) -> Change:  # noqa: ANN401 - facts of one shape
        return {
            **_of(event, recorded, kind, is_active=True),
            "since_us": recorded.recorded_at_us,
            "until_us": getattr(event, "until_us", 0),
            "reason": _reason(event),
        }

    return change


def _ended(kind: str) -> Callable[[Any, Recorded], Change]:
    return lambda event, recorded: _of(event, recorded, kind, is_active=False)


def _postponed(event: account.SupplyTripPostponed, recorded: Recorded) -> Change:
    return {
        **_of(event, recorded, NO_CUT, is_active=True),
        "since_us": event.since_us,
        "until_us": event.due_us,
        "reason": ", ".join(event.held_by),
    }


def _decided(event: Any, recorded: Recorded) -> Change:  # noqa: ANN401 - facts of one shape
    """A trip that was put off was decided, or its level is over."""
    was_due = event.trace.level_before == "trip"
    return _of(event, recorded, NO_CUT, is_active=False) if was_due else {}


def _of(event: Any, recorded: Recorded, kind: str, *, is_active: bool) -> Change:  # noqa: ANN401 - as above
    return {
        "account_no": event.account_no,
        "point": event.point,
        "kind": kind,
        "is_active": int(is_active),
        "position": recorded.position,
    }


def _reason(event: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(event, facts.SupplyMismatchFound):
        return f"wanted {event.wanted}, actual {event.actual}"
    reason: str = event.reason
    return reason


_CHANGES: Final[Changes] = {
    facts.GuaranteeStarted: _begun("guarantee"),
    facts.GuaranteeEnded: _ended("guarantee"),
    facts.DisputeHeld: _begun("dispute"),
    facts.DisputeReleased: _ended("dispute"),
    facts.SupplyMismatchFound: _begun("mismatch"),
    facts.SupplyMismatchSettled: _ended("mismatch"),
    account.SupplyTripPostponed: _postponed,
    account.SupplyTripOrdered: _decided,
    account.WarningCancelled: _decided,
    account.ServicePointRemoved: _ended(NO_CUT),
}
