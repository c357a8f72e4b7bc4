"""One device command (控制命令): an order to a meter, and how far it has come.

Trips expire, restores escalate: what is not verified by a fresh look at the meter ends in a work
order, never in silence. No answer to an order is *unknown*: the meter is read before it is told
again.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account.supply import SUPPLY_KINDS, TRIP
from ledger.events import Event
from ledger.events import command as facts
from ledger.values import MICROS_PER_SECOND

MINUTE_US: Final = 60 * MICROS_PER_SECOND
TRIP_LASTS_US: Final = 30 * MINUTE_US
"""A trip that was not sent by then is not wanted any more, unless its author said otherwise."""
ESCALATES_US: Final = 20 * MINUTE_US
"""So long any other order is tried again; then a person has to look."""
FIRST_PAUSE_US: Final = 2 * MICROS_PER_SECOND
LONGEST_PAUSE_US: Final = 2 * MINUTE_US
OBEYED_MAX: Final = 3
"""So often a meter may say that it obeys, and not do it."""
REFUSALS_MAX: Final = 3

OPEN: Final = frozenset(
    {
        "requested",
        "held",
        "queued",
        "dispatched",
        "acknowledged",
        "unknown",
        "refused",
        "awaiting_customer",
    }
)
WAITING: Final = frozenset({"requested", "held", "queued"})
"""It may still be held back."""
SENT: Final = frozenset({"dispatched", "acknowledged", "unknown", "awaiting_customer"})
"""The meter may have done it already: it is read before it is told again."""


class DeviceCommand(Aggregate):
    """A command within its account's shard; natural id is the command's id."""

    KIND: ClassVar[str] = "command"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    command_id: str = ""
    account_no: str = ""
    point: str = ""
    meter_no: str = ""
    kind: str = ""
    by_hand: bool = False
    status: str = "absent"
    code: str = ""
    """Why it is held, waits or ended."""
    attempts: int = 0
    looks: int = 0
    """Looks at the meter since it was sent last that showed nothing."""
    obeyed: int = 0
    refusals: int = 0
    asked_expiry_us: int = 0
    expires_at_us: int = 0
    queued_at_us: int = 0
    """When it was first free to be sent (again, after a retry); patience counts from here."""
    sent_at_us: int = 0
    again_at_us: int = 0
    follows: str = ""
    work_order_no: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """What each of its facts begins with: its id and its account."""
        return self.command_id, self.account_no

    @property
    def is_open(self) -> bool:
        """Whether something may still come of it."""
        return self.status in OPEN

    @property
    def moves_supply(self) -> bool:
        """Whether it opens or closes a relay or a valve."""
        return self.kind in SUPPLY_KINDS

    @property
    def was_sent(self) -> bool:
        """Whether the meter may ever have heard of it."""
        return self.attempts > 0

    @property
    def leaves_doubt(self) -> bool:
        """Whether nobody knows what it, or an order before it, did to the meter."""
        return self.status != "verified" and (self.was_sent or bool(self.follows))

    def require_known(self) -> None:
        """Refuse an id under which nothing was asked."""
        if self.status == "absent":
            raise Refused("command_unknown", "There is no command of this id.")

    def pause_us(self) -> int:
        """How long to wait before the next try or look: doubled each time, within bounds."""
        tries = max(self.attempts + self.looks - 1, 0)
        return min(FIRST_PAUSE_US << min(tries, 10), LONGEST_PAUSE_US)

    def is_out_of_time(self, now_us: int) -> bool:
        """Whether an order with an end is past it."""
        expires_at_us = self.expires_at_us or self.asked_expiry_us
        return bool(expires_at_us) and now_us >= expires_at_us

    def is_out_of_patience(self, now_us: int) -> bool:
        """Whether it was tried for long enough without an end, or nobody knows for how long."""
        return abs(now_us - self.queued_at_us) >= ESCALATES_US and not self.expires_at_us

    def queue(self, code: str, now_us: int, again_at_us: int = 0) -> facts.CommandQueued:
        """Let it wait for its turn; a trip gets its end when it is first free to be sent."""
        expires_at_us = self.expires_at_us or self.asked_expiry_us
        if self.kind == TRIP and not expires_at_us:
            expires_at_us = now_us + TRIP_LASTS_US
        return facts.CommandQueued(*self.identity, code, again_at_us, expires_at_us)

    def hold(self, code: str, until_us: int = 0) -> facts.CommandHeld | None:
        """Keep it back; held for the same reason as long already is silence."""
        if (self.status, self.code, self.again_at_us) == ("held", code, until_us):
            return None
        return facts.CommandHeld(*self.identity, code, until_us)

    def dispatch(self, meter_no: str, gateway_id: str, unit: int) -> facts.CommandDispatched:
        """Send it once more."""
        return facts.CommandDispatched(
            *self.identity, self.attempts + 1, meter_no, gateway_id, unit
        )

    def cancel(self, code: str, reason: str) -> facts.CommandCancelled:
        """Want it no more; one that a meter may have heard of is followed, not cancelled."""
        self.require_known()
        if not self.is_open:
            raise Refused("command_ended", f"The command is {self.status} already.")
        if self.status in SENT:
            raise Refused(
                "command_sent",
                "The meter may have obeyed already; order the opposite instead.",
            )
        return facts.CommandCancelled(*self.identity, code, reason)

    def retry(self, now_us: int) -> facts.CommandQueued:
        """Try again what ended without success, or at once what waits."""
        self.require_known()
        if self.status not in {"failed", "expired", "cancelled", "queued", "unknown", "refused"}:
            raise Refused(
                "command_not_retryable", f"The command is {self.status}; there is nothing to retry."
            )
        expires_at_us = now_us + TRIP_LASTS_US if self.kind == TRIP else 0
        return facts.CommandQueued(*self.identity, "retried", 0, expires_at_us)


def _requested(command: DeviceCommand, event: facts.CommandRequested, _at: int) -> None:
    command.command_id = event.command_id
    command.account_no = event.account_no
    command.point = event.point
    command.meter_no = event.meter_no
    command.kind = event.kind
    command.by_hand = event.by_hand
    command.asked_expiry_us = event.expires_at_us
    command.follows = event.follows
    command.work_order_no = event.work_order_no
    command.status = "requested"


def _held(command: DeviceCommand, event: facts.CommandHeld, _at: int) -> None:
    command.status = "held"
    command.code = event.code
    command.again_at_us = event.until_us
    command.expires_at_us = 0  # Its time does not run while it may not be sent.


def _queued(command: DeviceCommand, event: facts.CommandQueued, at: int) -> None:
    is_fresh = command.status in {"requested", "held"} or event.code == "retried"
    if is_fresh:
        command.queued_at_us = at
        command.obeyed = command.refusals = 0
    command.status = "queued"
    command.code = event.code
    command.again_at_us = event.again_at_us
    command.expires_at_us = event.expires_at_us


def _dispatched(command: DeviceCommand, event: facts.CommandDispatched, at: int) -> None:
    command.status = "dispatched"
    command.code = ""
    command.attempts = event.attempt
    command.sent_at_us = at
    command.looks = 0
    command.meter_no = event.meter_no


def _acknowledged(command: DeviceCommand, _event: facts.CommandAcknowledged, _at: int) -> None:
    command.status = "acknowledged"
    command.obeyed += 1


def _unknown(command: DeviceCommand, event: facts.CommandUnknown, _at: int) -> None:
    command.status = "unknown"
    command.looks += 1
    command.code = event.code
    command.again_at_us = event.again_at_us


def _refused(command: DeviceCommand, event: facts.CommandRefused, _at: int) -> None:
    command.status = "refused"
    command.code = "refused"
    command.refusals += 1
    command.again_at_us = event.again_at_us


def _awaiting(command: DeviceCommand, event: facts.CustomerAwaited, _at: int) -> None:
    command.status = "awaiting_customer"
    command.again_at_us = event.again_at_us


def _verified(command: DeviceCommand, event: facts.CommandVerified, _at: int) -> None:
    command.status = "verified"
    command.code = event.by


def _expired(command: DeviceCommand, _event: facts.CommandExpired, _at: int) -> None:
    command.status = command.code = "expired"


def _superseded(command: DeviceCommand, event: facts.CommandSuperseded, _at: int) -> None:
    command.status = "superseded"
    command.code = event.by_command_id


def _cancelled(command: DeviceCommand, event: facts.CommandCancelled, _at: int) -> None:
    command.status = "cancelled"
    command.code = event.code


def _failed(command: DeviceCommand, event: facts.CommandFailed, _at: int) -> None:
    command.status = "failed"
    command.code = event.code
    command.work_order_no = event.work_order_no


DeviceCommand.EVOLVERS.update(
    {
        facts.CommandRequested: _requested,
        facts.CommandHeld: _held,
        facts.CommandQueued: _queued,
        facts.CommandDispatched: _dispatched,
        facts.CommandAcknowledged: _acknowledged,
        facts.CommandUnknown: _unknown,
        facts.CommandRefused: _refused,
        facts.CustomerAwaited: _awaiting,
        facts.CommandVerified: _verified,
        facts.CommandExpired: _expired,
        facts.CommandSuperseded: _superseded,
        facts.CommandCancelled: _cancelled,
        facts.CommandFailed: _failed,
    }
)
