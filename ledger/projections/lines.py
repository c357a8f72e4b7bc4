"""The lines to the meters: gateways, and which meter is reached behind which."""

from collections.abc import Sequence
from typing import ClassVar, Final

from ledger.events import Recorded
from ledger.events.gateway import GatewayRegistered
from ledger.events.meter import MeterConnected, MeterInstalled, MeterRemoved
from ledger.projections import Column, Merge, Row
from ledger.projections.newest import Change, Changes, newest


class Gateways:
    """One row per gateway, in the catalogue's shard."""

    name: ClassVar[str] = "gateways"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("gateway_id", "text", Merge.KEY),
        Column("url", "text"),
        Column("site", "text"),
        Column("registered_us", "int"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each gateway in the batch."""
        return newest(batch, _GATEWAY_CHANGES, ("gateway_id",))


class Meters:
    """One row per meter and shard it ever counted in; no account while it is removed.

    `gateway_id` is empty while it is not connected, `unit` is its number on the gateway's bus.
    """

    name: ClassVar[str] = "meters"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("meter_no", "text", Merge.KEY),
        Column("account_no", "text"),
        Column("point", "text"),
        Column("installed_us", "int"),
        Column("gateway_id", "text"),
        Column("unit", "int"),
        Column("model", "text"),
        Column("connected_us", "int"),
        Column("position", "int"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest of each meter in the batch."""
        return newest(batch, _METER_CHANGES, ("meter_no",))


def _registered(event: GatewayRegistered, recorded: Recorded) -> Change:
    return {
        "gateway_id": event.gateway_id,
        "url": event.url,
        "site": event.site,
        "registered_us": recorded.recorded_at_us,
        "position": recorded.position,
    }


def _installed(event: MeterInstalled, recorded: Recorded) -> Change:
    return {
        "meter_no": event.meter_no,
        "account_no": event.account_no,
        "point": event.point,
        "installed_us": recorded.valid_at_us,
        "position": recorded.position,
    }


def _removed(event: MeterRemoved, recorded: Recorded) -> Change:
    return {
        "meter_no": event.meter_no,
        "account_no": "",
        "point": "",
        "position": recorded.position,
    }


def _connected(event: MeterConnected, recorded: Recorded) -> Change:
    return {
        "meter_no": event.meter_no,
        "gateway_id": event.gateway_id,
        "unit": event.unit,
        "model": event.model,
        "connected_us": recorded.recorded_at_us,
        "position": recorded.position,
    }


_GATEWAY_CHANGES: Final[Changes] = {GatewayRegistered: _registered}
_METER_CHANGES: Final[Changes] = {
    MeterInstalled: _installed,
    MeterRemoved: _removed,
    MeterConnected: _connected,
}
