"""States of meters become readings of the ledger, in batches, with the registers it charges."""

import logging
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy.exc import OperationalError

from ledger.commands import record_readings
from ledger.commands.late_readings import Reading
from ledger.commands.meter_registers import RegisterNames, register_names
from ledger.devices import MeterAddress, MeterState
from ledger.ports import LogUnavailableError
from ledger.store import Context, Ledger

BATCH: Final = 5_000
HELD_MAX: Final = 50_000
"""Readings kept while the ledger cannot record; of more the oldest go, later ones cover them."""
ANOTHER_TARIFF: Final = frozenset({"register_missing", "register_unknown", "meter_unknown"})
"""Reasons of quarantine that say that a meter is charged otherwise than was known here."""

State = tuple[MeterAddress, MeterState]
log = logging.getLogger(__name__)


class Tally(NamedTuple):
    """What became of readings."""

    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    unassigned: int = 0
    """States of meters that no account has; there is nothing to charge."""
    broken: int = 0
    """Readings at which the ledger broke; a later one of the meter covers them."""

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(*(one + more for one, more in zip(self, other, strict=True)))


class Recording:
    """The poller's hand at the ledger's door; used from one thread."""

    def __init__(self, ledger: Ledger, context: Context) -> None:
        self._ledger = ledger
        self._context = context
        self._names: RegisterNames = {}
        self._held: deque[Reading] = deque(maxlen=HELD_MAX)
        self._broken: set[str] = set()
        self.tally = Tally()

    @property
    def held(self) -> int:
        """Readings that still wait to be recorded."""
        return len(self._held)

    def forget(self) -> None:
        """Ask the ledger again which registers it charges: tariffs and meters may have changed."""
        self._names.clear()

    def take(self, states: Iterable[State]) -> Tally:
        """Record states; while the ledger is not available they are held and tried again."""
        before = self.tally
        self._held.extend(
            Reading(address.meter_no, state.at_us, state.registers) for address, state in states
        )
        try:
            while self._held:
                self._record(list(islice(self._held, BATCH)))
        except LogUnavailableError as error:
            log.warning("Readings wait for the ledger (%d held): %s", self.held, error)
        return Tally(*(now - then for now, then in zip(self.tally, before, strict=True)))

    def _record(self, shown: list[Reading]) -> None:
        """Record what was held first; one at which the ledger breaks keeps no other waiting."""
        try:
            done = self._recorded(shown)
            self._broken.difference_update(reading.meter_no for reading in shown)
        except (LogUnavailableError, OperationalError):
            raise
        except Exception:
            if len(shown) > 1:
                half = len(shown) // 2
                self._record(shown[:half])
                self._record(shown[half:])
                return
            done, meter_no = Tally(broken=1), shown[0].meter_no
            if meter_no not in self._broken:  # It is tried again at each sweep, and told once.
                self._broken.add(meter_no)
                log.exception("The reading of %s could not be recorded.", meter_no)
        self.tally = self.tally.plus(done)
        for _ in shown:
            self._held.popleft()

    def _recorded(self, shown: list[Reading]) -> Tally:
        unknown = {reading.meter_no for reading in shown} - self._names.keys()
        if unknown:
            found = register_names(unknown, self._ledger, self._context)
            self._names.update({meter_no: found.get(meter_no, ()) for meter_no in unknown})
        charged = [self._charged(reading) for reading in shown if self._names[reading.meter_no]]
        done = Tally(unassigned=len(shown) - len(charged))
        if charged:
            body = record_readings.handle(charged, self._ledger, self._context).body
            for item in body["quarantined"]:
                if item["code"] in ANOTHER_TARIFF:
                    self._names.pop(charged[item["index"]].meter_no, None)
            refused = len(body["quarantined"])
            done = done._replace(
                accepted=body["accepted"], duplicate=body["duplicate"], quarantined=refused
            )
        return done

    def _charged(self, reading: Reading) -> Reading:
        """The reading with the registers of its tariff, as far as the meter has them."""
        shown, names = reading.registers, self._names[reading.meter_no]
        return reading._replace(registers={name: shown[name] for name in names if name in shown})
