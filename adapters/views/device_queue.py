"""The device queue as the dispatcher finds it when it begins, and the holds that are due."""

from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select

from adapters.store.tables import log_heads
from adapters.views.tables import feed_positions, table_of
from ledger.projections.catalogue import FRONT
from ledger.projections.commands import ENDED, Commands
from ledger.projections.holds import Holds
from ledger.projections.lines import Gateways, Meters
from ledger.projections.trip_switches import TripSwitches

COMMANDS: Final = table_of(Commands(), Commands.name)
HOLDS: Final = table_of(Holds(), Holds.name)
SWITCHES: Final = table_of(TripSwitches(), TripSwitches.name)
METERS: Final = table_of(Meters(), Meters.name)
GATEWAYS: Final = table_of(Gateways(), Gateways.name)


class QueuedCommand(NamedTuple):
    """A command as the view has it."""

    command_id: str
    kind: str
    meter_no: str
    status: str
    attempts: int
    again_us: int
    position: int


class DueHold(NamedTuple):
    """What kept a point from being cut, and whose time has passed."""

    account_no: str
    point: str


_QUEUED: Final = [COMMANDS.c[name] for name in QueuedCommand._fields]


def open_commands(connection: Connection) -> tuple[dict[int, int], list[QueuedCommand]]:
    """How far the view has come in each shard, and every command that has not ended by then.

    Rows may be newer than that: whoever follows the log from there compares positions.
    """
    reached = connection.execute(
        select(feed_positions.c.shard, feed_positions.c.position).where(
            feed_positions.c.feed == FRONT
        )
    )
    positions = {row.shard: row.position for row in reached}
    rows = connection.execute(select(*_QUEUED).where(COMMANDS.c.status.not_in(sorted(ENDED))))
    return positions, [QueuedCommand(*row) for row in rows]


def find_command(connection: Connection, command_id: str) -> QueuedCommand | None:
    """One command by its id."""
    shard = int(command_id.partition("-")[0])
    row = connection.execute(
        select(*_QUEUED).where(COMMANDS.c.shard == shard, COMMANDS.c.command_id == command_id)
    ).first()
    return None if row is None else QueuedCommand(*row)


def due_holds(connection: Connection, kind: str, now_us: int) -> list[DueHold]:
    """Holds of a kind that end by themselves now, in order of their accounts."""
    rows = connection.execute(
        select(HOLDS.c.account_no, HOLDS.c.point)
        .where(
            HOLDS.c.kind == kind,
            HOLDS.c.is_active == 1,
            HOLDS.c.until_us.between(1, now_us),
        )
        .order_by(HOLDS.c.shard, HOLDS.c.account_no)
    )
    return [DueHold(*row) for row in rows]


def due_switches(connection: Connection, now_us: int) -> list[str]:
    """Sites, or everywhere (empty), where nobody was to be cut off until now."""
    statement = select(SWITCHES.c.site).where(
        SWITCHES.c.is_suspended == 1, SWITCHES.c.until_us.between(1, now_us)
    )
    return list(connection.scalars(statement))


def line_of(connection: Connection, meter_no: str) -> Any:  # noqa: ANN401 - a database row
    """Gateway URL, unit and model of a connected meter; None where it is not reached."""
    return connection.execute(
        select(GATEWAYS.c.url, METERS.c.unit, METERS.c.model)
        .join(GATEWAYS, GATEWAYS.c.gateway_id == METERS.c.gateway_id)
        .where(
            METERS.c.shard.in_(select(log_heads.c.shard)),  # The key begins with it.
            METERS.c.meter_no == meter_no,
            METERS.c.account_no != "",
        )
    ).first()
