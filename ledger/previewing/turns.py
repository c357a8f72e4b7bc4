"""The facts of an account in turn, and when its levels are decided among them (试算次序)."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.events import account as facts
from ledger.events import supply

CHARGED: Final = facts.AccountCharged.TOPIC
DECIDED_AFTER: Final = frozenset(
    event.TOPIC
    for event in (
        facts.AccountCharged,
        facts.ChargeCorrected,
        facts.FixedFeeCharged,
        facts.UnitsSold,
        facts.UnitsReturned,
        facts.ServicePointRemoved,
        facts.MeterReplaced,
        facts.TariffAssigned,
        facts.PolicyAssigned,
        facts.GroupAssigned,
        facts.AccountCredited,
        facts.CreditReversed,
        facts.AccountAdjusted,
    )
)
"""Topics after which an account decides its levels."""
PROTECTED_BY: Final = frozenset(
    event.TOPIC
    for event in (
        supply.GuaranteeStarted,
        supply.GuaranteeEnded,
        supply.DisputeHeld,
        supply.DisputeReleased,
        facts.AttributesChanged,
    )
)
"""Topics after which a point may be cut, or not any more; no level changes."""
TOLD: Final = (
    DECIDED_AFTER | PROTECTED_BY | {facts.AccountOpened.TOPIC, facts.ServicePointAdded.TOPIC}
)
"""Topics that a preview reads."""


class Told(NamedTuple):
    """A fact of an account as the log holds it."""

    topic: str
    at_us: int
    command_id: str | None
    payload: str | bytes


class Span(NamedTuple):
    """What is compared: what was charged or decided later than one time, up to another."""

    after_us: int = 0
    until_us: int = 2**62
    now_us: int = 2**62
    """What was put off beyond it is not decided yet."""

    def covers(self, at_us: int) -> bool:
        """Whether something of that time is compared."""
        return self.after_us < at_us <= self.until_us


class Turns:
    """An account on its way through its facts."""

    def __init__(self, span: Span) -> None:
        self.span = span

    def go(self, history: Iterable[Told]) -> None:
        """Every fact in turn; of one command the levels are decided once, but after each charge."""
        due: Told | None = None
        for told in history:
            if due is not None and (told.topic == CHARGED or not _is_of_one(due, told)):
                self.decide(due.at_us)
                due = None
            if due is None:
                self._let_pass(told.at_us)
            self.fold(told)
            if told.topic in DECIDED_AFTER:
                due = told
            elif told.topic in PROTECTED_BY:
                self.protect(told.at_us)
        if due is not None:
            self.decide(due.at_us)
        self._let_pass(min(self.span.until_us, self.span.now_us))

    def _let_pass(self, until_us: int) -> None:
        """Decide what falls due by then; a standing is put off to a later time, or no longer."""
        while (due_us := self.next_due_us()) and due_us <= until_us:
            self.decide(due_us)

    def fold(self, told: Told) -> None:
        """Bring a fact into the account."""
        raise NotImplementedError

    def decide(self, at_us: int) -> None:
        """Decide about every point, after its money changed or because it was put off until now."""
        raise NotImplementedError

    def protect(self, at_us: int) -> None:
        """Look again whether points may be cut."""
        raise NotImplementedError

    def next_due_us(self) -> int:
        """When the next trip falls due that was put off; 0 where none was."""
        raise NotImplementedError


def _is_of_one(due: Told, told: Told) -> bool:
    """Whether two facts were decided together."""
    return bool(due.command_id) and due.command_id == told.command_id
