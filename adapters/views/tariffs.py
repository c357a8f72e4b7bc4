"""Tariffs as last published, for reading tier positions; asked for on the reader's connection."""

from functools import cache

from sqlalchemy import Connection, select

from adapters.store.eras import events_of
from adapters.views.accounts import TariffOf
from ledger.aggregates.tariff import Tariff
from ledger.events.catalogue import TariffPublished
from ledger.events.registry import decode
from ledger.pricing import CompiledTariff
from ledger.store.session import CATALOGUE_SHARD, compiled
from ledger.values import stream_id


def published_tariffs(connection: Connection) -> TariffOf:
    """The newest publication of a tariff by its id, looked up once for all rows of a query."""

    @cache
    def tariff_of(tariff_id: str) -> CompiledTariff:
        told = events_of(connection, [CATALOGUE_SHARD], [stream_id(Tariff.KIND, tariff_id)]).c
        newest = select(told.topic, told.payload).order_by(told.version.desc()).limit(1)
        row = connection.execute(newest).one()
        published = decode(row.topic, row.payload.encode())
        assert isinstance(published, TariffPublished)  # noqa: S101 - a tariff stream holds nothing else
        return compiled(bytes(published.document))

    return tariff_of
