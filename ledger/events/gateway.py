"""Facts of one gateway (网关): the line on which meters are reached."""

from typing import ClassVar, Final

from ledger.events import Event


class GatewayRegistered(Event, frozen=True):
    """Meters behind this gateway are reached at `url`; a later one tells where it moved."""

    TOPIC: ClassVar[str] = "gateway.registered.v1"
    gateway_id: str
    url: str
    site: str


EVENTS: Final = (GatewayRegistered,)
