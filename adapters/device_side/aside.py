"""What the device side sets aside: a stream at which it broke, so that all others go on."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Engine, and_, delete, select
from sqlalchemy.exc import OperationalError

from adapters.store.eras import in_order
from adapters.store.tables import events
from adapters.views.feed import StillPoisonedError, lock_position, park, parked_streams
from adapters.views.stretch import COLUMNS, recorded_or_unreadable
from adapters.views.tables import feed_parked
from ledger.aggregates import Refused
from ledger.commands import steer_supply
from ledger.events import Recorded
from ledger.policies.supply import TOPICS, steering_of
from ledger.ports import LogUnavailableError
from ledger.projections.batch import Poison, Unreadable
from ledger.store import Context, Ledger

STEERING: Final = "supply_policy"
HEARING: Final = "command_hearing"
"""The names under which streams are set aside, beside those of the feeds."""
POLICY: Final = Context("policy:supply")

log = logging.getLogger(__name__)


class UnreadableError(Exception):
    """An event that this release cannot decode."""


class SetAside:
    """Keeps the streams at which a follower broke, each once with its first reason."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def what_breaks(self, follower: str, item: Recorded | Unreadable) -> Iterator[None]:
        """Set the event's stream aside where the block breaks; a log out of reach is no reason.

        What comes later in the stream is tried all the same: a point may be sound beside another.
        """
        try:
            yield
        except (LogUnavailableError, OperationalError):
            raise
        except Refused as refusal:
            log.warning("A point could not be steered: %s", refusal)
        except Exception as error:
            poison = Poison(item.stream_id, item.position, _told(error))
            if self._keep(item.shard, follower, poison):
                log.exception("The stream %s is set aside by %s.", item.stream_id, follower)

    def _keep(self, shard: int, follower: str, poison: Poison) -> bool:
        with self._engine.begin() as connection:
            lock_position(connection, shard, follower)
            if poison.stream_id in parked_streams(connection, shard, follower):
                return False
            park(connection, shard, follower, [poison])
        return True


def readable(item: Recorded | Unreadable) -> Recorded:
    """The event, or the reason why it cannot be read as an error."""
    if isinstance(item, Unreadable):
        raise UnreadableError(item.reason)
    return item


def unpark_followers(engine: Engine, ledger: Ledger, stream: str) -> int:
    """Steer again by what a stream told since it was set aside; how many events that were.

    A repeat is silence, so what went well meanwhile is not done twice. The first event that still
    breaks is raised, and the stream stays aside. What was not heard of a command needs no repeat:
    its next word is heard, and whoever begins to act takes all open commands from the view.
    """
    of_followers = and_(
        feed_parked.c.stream_id == stream, feed_parked.c.feed.in_((STEERING, HEARING))
    )
    with engine.execution_options(read_only=True).begin() as connection:
        parked = connection.execute(select(feed_parked).where(of_followers)).all()
    count = 0
    for row in parked:
        if row.feed == STEERING:
            count += _steer_again(engine, ledger, row.shard, stream, row.position)
        with engine.begin() as connection:
            here = and_(feed_parked.c.shard == row.shard, feed_parked.c.feed == row.feed)
            connection.execute(delete(feed_parked).where(of_followers, here))
    return count


def _steer_again(engine: Engine, ledger: Ledger, shard: int, stream: str, since: int) -> int:
    with engine.execution_options(read_only=True).begin() as connection:
        told = select(*COLUMNS).where(
            events.c.position >= since, events.c.topic.in_(sorted(TOPICS))
        )
        rows = list(in_order(connection, shard, stream, told))
    for row in rows:
        try:
            steering = steering_of(readable(recorded_or_unreadable(row)))
            if steering is not None:
                steer_supply.handle(steering, ledger, POLICY)
        except (LogUnavailableError, Refused):
            raise
        except Exception as error:
            raise StillPoisonedError(_told(error)) from error
    return len(rows)


def _told(error: Exception) -> str:
    is_told = isinstance(error, UnreadableError)
    return str(error) if is_told else f"{type(error).__name__}: {error}"
