"""One meter (电表 / 水表): where it counts, and the readings that could not be charged."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Self

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.meter import (
    MeterConnected,
    MeterInstalled,
    MeterRemoved,
    QuarantineSettled,
    ReadingQuarantined,
)

QUARANTINED_MAX: Final = 10_000
"""So many readings in quarantine are told apart; a meter that sends more repeats the oldest."""


TAKEN: Final = frozenset({"charged", "duplicate"})
SETTLED: Final = TAKEN | {"corrected", "dismissed"}
"""How a reading in quarantine ends; told again, it is not recorded again."""


class Service(msgspec.Struct, frozen=True, gc=False):
    """From when until when a meter counted for an account; `until_us` is None while it does."""

    account_no: str
    from_us: int
    until_us: int | None = None

    def covers(self, at_us: int) -> bool:
        """Whether the meter counted for the account at that time."""
        return self.from_us <= at_us and (self.until_us is None or at_us <= self.until_us)

    def outlasts(self, at_us: int) -> bool:
        """Whether something that the meter counted for this account lies behind that time."""
        return at_us <= self.from_us or self.until_us is None or at_us < self.until_us


class Meter(Aggregate):
    """A meter within one account's shard; natural id is its number."""

    KIND: ClassVar[str] = "meter"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    meter_no: str = ""
    account_no: str = ""
    point: str = ""
    installed_at_us: int = 0
    services: tuple[Service, ...] = ()
    quarantined: dict[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    """Time of a reading in quarantine and its registers -> code and reason it was refused with."""
    gateway_id: str = ""
    """Where it is reached, empty while it is not connected; then its unit there and its model."""
    unit: int = 0
    model: str = ""

    def clone(self) -> Self:
        """Independent copy, quarantine included."""
        return msgspec.structs.replace(self, quarantined=dict(self.quarantined))

    def install(
        self, meter_no: str, account_no: str, point: str, registers: dict[str, int], at_us: int
    ) -> MeterInstalled:
        """Let the meter count for a service point from a time on.

        What it counted before it was removed has been charged: it cannot begin again within that
        time, and an order to install it that comes again must not bring it back.
        """
        if self.account_no:
            raise Refused(
                "meter_in_use", f"The meter {meter_no} is installed at account {self.account_no}."
            )
        self.require_over(meter_no, at_us)
        return MeterInstalled(meter_no, account_no, point, registers)

    def require_over(self, meter_no: str, at_us: int) -> None:
        """Refuse a time at which, or before which, something was counted here."""
        if self.services and self.services[-1].outlasts(at_us):
            raise Refused(
                "meter_installed_before",
                f"The meter {meter_no} counted elsewhere at that time or later and has been "
                "removed; give the time at which it begins to count again.",
            )

    def connect(self, gateway_id: str, unit: int, model: str) -> MeterConnected | None:
        """Reach the meter through a gateway; the same line again is silence."""
        if not self.account_no:
            raise Refused("meter_not_installed", "Install the meter at a service point first.")
        if (self.gateway_id, self.unit, self.model) == (gateway_id, unit, model):
            return None
        return MeterConnected(self.meter_no, self.account_no, self.point, gateway_id, unit, model)

    def remove(self, registers: dict[str, int]) -> MeterRemoved:
        """Take the meter from its service point."""
        if not self.account_no:
            raise Refused("meter_not_installed", f"The meter {self.meter_no} is not installed.")
        return MeterRemoved(self.meter_no, self.account_no, self.point, registers)

    def kept_aside(self, at_us: int, registers: dict[str, int]) -> tuple[str, str] | None:
        """Code and reason of this very reading, where it is in quarantine already."""
        return self.quarantined.get(reading_key(at_us, registers))

    def waits(self, at_us: int, registers: dict[str, int]) -> bool:
        """Whether this very reading is in quarantine and was not settled yet."""
        kept = self.kept_aside(at_us, registers)
        return kept is not None and kept[0] not in SETTLED

    def quarantine(self, at_us: int, event: ReadingQuarantined) -> ReadingQuarantined | None:
        """Keep a reading that cannot be charged; the same one again is silence."""
        return event if self.kept_aside(at_us, event.registers) is None else None


def reading_key(at_us: int, registers: dict[str, int]) -> str:
    """Text that tells one reading of a meter from another."""
    values = ",".join(f"{name}={registers[name]}" for name in sorted(registers))
    return f"{at_us} {values}"


def _installed(meter: Meter, event: MeterInstalled, at: int) -> None:
    meter.installed_at_us = at
    meter.meter_no = event.meter_no
    meter.account_no = event.account_no
    meter.point = event.point
    meter.services = (*meter.services, Service(event.account_no, at))


def _removed(meter: Meter, event: MeterRemoved, at: int) -> None:
    meter.account_no = meter.point = ""
    meter.services = tuple(
        Service(service.account_no, service.from_us, at)
        if service.account_no == event.account_no and service.until_us is None
        else service
        for service in meter.services
    )


def _quarantined(meter: Meter, event: ReadingQuarantined, at: int) -> None:
    meter.meter_no = event.meter_no
    if len(meter.quarantined) >= QUARANTINED_MAX:
        del meter.quarantined[next(iter(meter.quarantined))]
    meter.quarantined[reading_key(at, event.registers)] = (event.code, event.reason)


def _settled(meter: Meter, event: QuarantineSettled, at: int) -> None:
    meter.quarantined[reading_key(at, event.registers)] = (event.outcome, event.reason)


def _connected(meter: Meter, event: MeterConnected, _at: int) -> None:
    meter.gateway_id = event.gateway_id
    meter.unit = event.unit
    meter.model = event.model


Meter.EVOLVERS.update(
    {
        MeterInstalled: _installed,
        MeterRemoved: _removed,
        ReadingQuarantined: _quarantined,
        QuarantineSettled: _settled,
        MeterConnected: _connected,
    }
)
