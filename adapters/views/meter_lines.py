"""Where each connected meter is reached."""

from typing import Final

from sqlalchemy import Connection, select

from adapters.views.tables import table_of
from ledger.devices import MeterAddress
from ledger.projections.lines import Gateways, Meters

METERS: Final = table_of(Meters(), Meters.name)
GATEWAYS: Final = table_of(Gateways(), Gateways.name)


def meter_addresses(connection: Connection) -> list[MeterAddress]:
    """Installed meters that are connected to a gateway, bus by bus."""
    statement = (
        select(METERS.c.meter_no, GATEWAYS.c.url, METERS.c.unit, METERS.c.model)
        .join(GATEWAYS, GATEWAYS.c.gateway_id == METERS.c.gateway_id)
        .where(METERS.c.account_no != "")
        .order_by(GATEWAYS.c.url, METERS.c.unit, METERS.c.meter_no)
    )
    return [MeterAddress(*row) for row in connection.execute(statement)]
