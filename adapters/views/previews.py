"""Histories for a preview, read from the log by chunks of accounts; only what is asked for."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import Engine, select

from adapters.store.eras import events_of
from adapters.views.accounts import ACCOUNTS
from adapters.views.lists import DOCUMENTS
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.control import Terms
from ledger.aggregates.account.points import UNITS
from ledger.aggregates.policy import ControlPolicy
from ledger.commands import Json
from ledger.commands.publish_tariff import TariffRefused
from ledger.commands.quantities import UNIT_TEXT
from ledger.previewing import TOLD, Preview, Span, Summary, Told
from ledger.pricing import TariffInvalid, compile_tariff
from ledger.queries import PreviewAsked
from ledger.store.session import terms_of
from ledger.values import shard_of, stream_id

CHUNK: Final = 200
"""Accounts whose facts are read together."""


def preview_draft(engine: Engine, shards: int, asked: PreviewAsked) -> Json:
    """What a draft would change for accounts; refused with every problem of the document."""
    try:
        tariff = compile_tariff(asked.document)
    except TariffInvalid as error:
        raise TariffRefused(error.problems) from error
    replaced = asked.instead_of or tariff.tariff_id
    span = Span(asked.after_us, asked.until_us, asked.now_us)
    plan = Preview(tariff, replaced, published_terms(engine), span)
    summary = preview_accounts(engine, shards, plan, asked.account_nos)
    unit = UNIT_TEXT[UNITS[tariff.unit]]
    return {"tariff_id": replaced, "currency": tariff.currency, "unit": unit, **summary.body()}


def preview_accounts(
    engine: Engine, shards: int, preview: Preview, account_nos: Sequence[str] | None
) -> Summary:
    """Rate these accounts, or all, under the preview's draft; nothing is written."""
    summary = Summary()
    for shard, streams in chunks_of_accounts(engine, shards, account_nos):
        for history in histories(engine, shard, streams):
            summary.add(preview.outcome(list(history)))
    return summary


def published_terms(engine: Engine) -> dict[str, Terms]:
    """The control policies in force, by their ids; their view is read, and not the log."""
    of_policies = select(DOCUMENTS).where(DOCUMENTS.c.kind == ControlPolicy.KIND)
    with engine.execution_options(read_only=True).begin() as connection:
        rows = connection.execute(of_policies).all()
    return {row.id: terms_of(row.document.encode(), row.version) for row in rows}


def chunks_of_accounts(
    engine: Engine, shards: int, account_nos: Sequence[str] | None
) -> Iterator[tuple[int, list[str]]]:
    """Streams of accounts, shard by shard; one that is named and does not exist is refused."""
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


def histories(engine: Engine, shard: int, streams: Sequence[str]) -> Iterator[Iterator[Told]]:
    """The facts of each account, in order of version; each is to be read before the next."""
    with engine.execution_options(read_only=True).begin() as connection:
        fact = events_of(connection, [shard], streams).c
        statement = (
            select(fact.stream_id, fact.topic, fact.valid_at, fact.command_id, fact.payload)
            .where(fact.topic.in_(sorted(TOLD)))
            .order_by(fact.stream_id, fact.version)
        )
        rows = connection.execution_options(yield_per=5_000).execute(statement)
        for _, facts in groupby(rows, key=itemgetter(0)):
            yield (Told(*fact) for _, *fact in facts)
