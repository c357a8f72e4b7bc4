"""Who was cut off before the visitor came: the order was sent, and the relay stands open."""

from collections.abc import Sequence
from typing import Final

from adapters.demo.town import Inhabitant, Town
from ledger.commands import advance_command, steer_supply
from ledger.commands.steer_supply import Steering
from ledger.devices import MeterState, Ok, Relay
from ledger.events import Recorded
from ledger.events.account import SupplyTripOrdered
from ledger.policies.supply import steering_of
from ledger.store import Context, Ledger

POLICY: Final = Context("policy:supply")


class Cuts:
    """Remembers what the history decided, and carries it out at its end."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._decided: dict[str, Steering] = {}
        ledger.watch(self._note)

    def carry_out(self, town: Town) -> None:
        """Open the relays, with every order verified by what its meter shows."""
        for account_no, steering in self._decided.items():
            self._carry(steering, town.by_account[account_no], town.clock.now_us())

    def _note(self, facts: Sequence[Recorded]) -> None:
        for recorded in facts:
            if isinstance(recorded.event, SupplyTripOrdered):
                steering = steering_of(recorded)
                if steering is not None:
                    self._decided[steering.account_no] = steering

    def _carry(self, steering: Steering, owner: Inhabitant, now_us: int) -> None:
        ordered = steer_supply.handle(steering, self._ledger, POLICY).body
        if ordered.get("kind") != "trip":
            return  # Paid again before the end: nothing is to be cut.
        command_id = str(ordered["command_id"])
        leave = advance_command.begin_dispatch(command_id, self._ledger, may_trip=True)
        if not isinstance(leave, advance_command.Dispatch):
            return  # Something keeps the supply on, and the log says what.
        owner.meter.force(is_on=True, is_open=True)
        advance_command.record_sent(command_id, leave.attempt, Ok(), self._ledger)
        relay: Relay = "closed" if owner.meter.is_closed else "open"
        state = MeterState(now_us, owner.meter.registers_wh(now_us), relay, "forced_open")
        advance_command.record_seen(command_id, leave.attempt, Ok(state), self._ledger)
