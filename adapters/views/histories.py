"""Histories for a preview, read from the log by chunks of accounts; only what is asked for."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Engine, Text, cast, select

from adapters.store.eras import events_of, whole_streams
from adapters.views.accounts import ACCOUNTS
from adapters.views.ahead import ahead
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.previewing import TOLD, Told
from ledger.values import shard_of, stream_id

CHUNK: Final = 200
"""Accounts whose facts are read together."""
PART: Final = 5_000
"""Rows that come from the database at once."""
PARTS_AHEAD: Final = 20
"""Parts that wait in memory, some 80 MB, while earlier ones are rated."""


def histories(
    engine: Engine, shards: int, account_nos: Sequence[str] | None
) -> Iterator[Iterator[Told]]:
    """The facts of these accounts, or of all, in order of version; each is read before the next.

    An account that is named and does not exist is refused.
    """
    rows = chain.from_iterable(ahead(_parts(engine, shards, account_nos), PARTS_AHEAD))
    for _, facts in groupby(rows, key=itemgetter(0)):
        yield (Told(*fact) for _, *fact in facts)


def _parts(
    engine: Engine, shards: int, account_nos: Sequence[str] | None
) -> Iterator[Sequence[Any]]:
    for shard, streams in _chunks(engine, shards, account_nos):
        with engine.execution_options(read_only=True).begin() as connection:
            fact = whole_streams(connection, shard, streams).c
            # As text: to make an id of each row costs more than to rate it.
            stream = cast(fact.stream_id, Text)
            statement = (
                select(stream, fact.topic, fact.valid_at, fact.command_id, fact.payload)
                .where(fact.topic.in_(sorted(TOLD)))
                .order_by(fact.stream_id, fact.version)
            )
            found = connection.execution_options(yield_per=PART).execute(statement)
            yield from found.partitions()


def _chunks(
    engine: Engine, shards: int, account_nos: Sequence[str] | None
) -> Iterator[tuple[int, list[str]]]:
    for shard in range(shards):
        if account_nos is not None:
            chosen = [number for number in account_nos if shard_of(number, shards) == shard]
            for start in range(0, len(chosen), CHUNK):
                yield shard, _existing(engine, shard, chosen[start : start + CHUNK])
            continue
        after: str | None = ""
        while after is not None:
            page = _page(engine, shard, after)
            if page:
                yield shard, _streams(page)
            after = page[-1] if len(page) == CHUNK else None


def _existing(engine: Engine, shard: int, account_nos: Sequence[str]) -> list[str]:
    streams = _streams(account_nos)
    with engine.execution_options(read_only=True).begin() as connection:
        opened = events_of(connection, [shard], streams, high=1)
        found = {str(stream) for stream in connection.scalars(select(opened.c.stream_id))}
    for number, stream in zip(account_nos, streams, strict=True):
        if stream not in found:
            raise Refused("account_unknown", f"There is no account {number}.")
    return streams


def _streams(account_nos: Sequence[str]) -> list[str]:
    return [stream_id(Account.KIND, number) for number in account_nos]


def _page(engine: Engine, shard: int, after: str) -> list[str]:
    statement = (
        select(ACCOUNTS.c.account_no)
        .where(ACCOUNTS.c.shard == shard, ACCOUNTS.c.account_no > after)
        .order_by(ACCOUNTS.c.account_no)
        .limit(CHUNK)
    )
    with engine.execution_options(read_only=True).begin() as connection:
        return list(connection.scalars(statement))
