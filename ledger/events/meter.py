"""Facts of one meter (电表 / 水表): where it counted, and readings that could not be charged."""

from typing import ClassVar, Final

from ledger.events import Event


class MeterInstalled(Event, frozen=True):
    """The meter counts for a service point from these registers on."""

    TOPIC: ClassVar[str] = "meter.installed.v1"
    meter_no: str
    account_no: str
    point: str
    registers: dict[str, int]


class MeterRemoved(Event, frozen=True):
    """The meter no longer counts for the point."""

    TOPIC: ClassVar[str] = "meter.removed.v1"
    meter_no: str
    account_no: str
    point: str
    registers: dict[str, int]


class ReadingQuarantined(Event, frozen=True):
    """A reading could not be charged and is kept with the reason; its time is `valid_at`."""

    TOPIC: ClassVar[str] = "meter.reading_quarantined.v1"
    meter_no: str
    account_no: str
    registers: dict[str, int]
    code: str
    reason: str


class QuarantineSettled(Event, frozen=True):
    """A reading in quarantine waits no longer (异常抄表处理).

    `item` is the position of its event; `outcome` is `charged`, `duplicate`, `corrected` (with the
    registers that were `taken` instead) or `dismissed`.
    """

    TOPIC: ClassVar[str] = "meter.quarantine_settled.v1"
    meter_no: str
    account_no: str
    item: int
    registers: dict[str, int]
    outcome: str
    taken: dict[str, int]
    reason: str


class MeterConnected(Event, frozen=True):
    """The meter is reached through a gateway, as this unit of its bus, by this model's map."""

    TOPIC: ClassVar[str] = "meter.connected.v1"
    meter_no: str
    account_no: str
    point: str
    gateway_id: str
    unit: int
    model: str


EVENTS: Final = (
    MeterInstalled,
    MeterRemoved,
    ReadingQuarantined,
    QuarantineSettled,
    MeterConnected,
)
