"""A charge of the log explained: the fact, the account before it, the tariff of its time."""

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, select

from adapters.store.eras import events_of
from adapters.store.past import facts_between
from adapters.store.rows import to_row
from adapters.store.tables import events
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.intervals import Known
from ledger.aggregates.account.read_back import newest_first
from ledger.aggregates.tariff import Tariff
from ledger.events import Recorded
from ledger.events.catalogue import TariffPublished
from ledger.events.registry import decode
from ledger.explaining import Json, explained
from ledger.ports import Row
from ledger.pricing import CompiledTariff
from ledger.store.history import History, Moment
from ledger.store.session import CATALOGUE_SHARD, compiled
from ledger.values import shard_of, stream_id


def explain_charge(
    engine: Engine, history: History, shards: int, account_no: str, position: int
) -> Json:
    """How the charge of an account at a position came about."""
    reader = engine.execution_options(read_only=True)
    with reader.begin() as connection:
        row = _row(connection, shards, account_no, position)
        event = decode(row.topic, row.payload)
        tariff_id = getattr(event, "tariff_id", None)
        version = getattr(event, "tariff_version", None)
        if tariff_id is None or version is None:
            raise Refused("not_a_charge", f"At this position is no charge, but {row.topic}.")
        tariff = _published(connection, tariff_id, version)
    before = history.account(account_no, Moment(known_position=position - 1))
    recorded = Recorded(
        row.shard,
        row.position,
        row.stream_id,
        row.version,
        row.recorded_at,
        row.valid_at,
        row.command_id,
        row.metadata,
        event,
    )
    with reader.begin() as connection:
        return explained(recorded, before, tariff, _behind(connection, row))


def _row(connection: Connection, shards: int, account_no: str, position: int) -> Row:
    shard = shard_of(account_no, shards)
    found = connection.execute(
        select(events).where(
            events.c.shard == shard,
            events.c.position == position,
            events.c.stream_id == stream_id(Account.KIND, account_no),
        )
    ).first()
    if found is None:
        raise Refused("position_unknown", f"The account {account_no} has no event at {position}.")
    return to_row(found)


def _behind(connection: Connection, row: Row) -> Iterator[Known]:
    return newest_first(
        lambda span: facts_between(connection, row.shard, [span]), row.stream_id, row.version - 1
    )


def _published(connection: Connection, tariff_id: str, version: int) -> CompiledTariff:
    """The publication of a tariff by its number."""
    stream = stream_id(Tariff.KIND, tariff_id)
    told = events_of(connection, [CATALOGUE_SHARD], [stream], low=version, high=version).c
    row = connection.execute(select(told.topic, told.payload)).one()
    published = decode(row.topic, row.payload.encode())
    assert isinstance(published, TariffPublished)  # noqa: S101 - a tariff stream holds nothing else
    return compiled(bytes(published.document))
