"""Trips that were sent lately, as the log has them: whoever begins to act goes on counting."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, select

from adapters.store.tables import events
from adapters.views.device_queue import COMMANDS
from adapters.views.following import Following, heads
from ledger.aggregates.account.supply import TRIP
from ledger.events import Recorded
from ledger.events.command import CommandDispatched

TOPICS: Final = (CommandDispatched.TOPIC,)


class RecentTrip(NamedTuple):
    """The meter that a trip was sent to, and when."""

    meter_no: str
    at_us: int


def recent_trips(engine: Engine, since_us: int) -> Iterator[RecentTrip]:
    """Every trip sent since then, each try; what the view has not seen yet is taken for one."""
    reader = engine.execution_options(read_only=True)
    for shard, head in heads(engine).items():
        with reader.begin() as connection:
            position = _position_before(connection, shard, head, since_us)
        following = Following(engine, shard, TOPICS, position)
        while following.position < head:
            found, reached = following.next(head)
            sent = [each for each in found if isinstance(each, Recorded)]
            with reader.begin() as connection:
                others = _other_commands(connection, shard, sent)
            yield from (
                RecentTrip(event.meter_no, each.recorded_at_us)
                for each in sent
                if isinstance(event := each.event, CommandDispatched)
                and event.command_id not in others
            )
            following.went_to(reached)


def _position_before(connection: Connection, shard: int, head: int, since_us: int) -> int:
    """The last position of a shard that was recorded before a time: its clock never goes back."""
    low, high = 0, head
    while low < high:
        middle = (low + high + 1) // 2
        recorded_at = connection.scalar(
            select(events.c.recorded_at).where(events.c.shard == shard, events.c.position == middle)
        )
        if recorded_at is not None and recorded_at < since_us:
            low = middle
        else:
            high = middle - 1
    return low


def _other_commands(connection: Connection, shard: int, sent: Sequence[Recorded]) -> set[str]:
    ids = {each.event.command_id for each in sent if isinstance(each.event, CommandDispatched)}
    found = connection.scalars(
        select(COMMANDS.c.command_id).where(
            COMMANDS.c.shard == shard, COMMANDS.c.command_id.in_(ids), COMMANDS.c.kind != TRIP
        )
    )
    return set(found)
