"""Publications of a tariff or policy: what was in force since when, by whom, approved by whom."""

from typing import Final

import msgspec
from sqlalchemy import Connection, select

from adapters.store.eras import events_of
from adapters.store.rows import to_row
from adapters.store.tables import events
from adapters.views.accounts import Json
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.events.catalogue import (
    PolicyPublished,
    TariffApproved,
    TariffDrafted,
    TariffPublished,
)
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import rfc3339, stream_id

PUBLICATIONS_MAX: Final = 100
"""Of one document, the newest."""


def publications(connection: Connection, kind: str, document_id: str) -> list[Json]:
    """Every publication of a document with its text, the newest first.

    A draft that waits for a second person comes before them, with no number of its own.
    """
    drafts = _newest(connection, TariffDraft.KIND, document_id) if kind == "tariff" else []
    approvals = {
        (row.recorded_at, payload["document_sha256"]): payload
        for row, payload in map(_told, drafts)
        if row.topic == TariffApproved.TOPIC
    }
    found = [_publication(row, approvals) for row in _newest(connection, kind, document_id)]
    waiting = [_waiting(row) for row in drafts[:1] if row.topic == TariffDrafted.TOPIC]
    return waiting + found


def in_force(connection: Connection) -> dict[tuple[str, str], tuple[int, bytes]]:
    """Publication number and text of each document, by topic and id.

    For checks that trust no view: it reads the catalogue's shard from end to end.
    """
    topics = (PolicyPublished.TOPIC, TariffPublished.TOPIC)
    statement = (
        select(events.c.topic, events.c.version, events.c.payload)
        .where(events.c.shard == CATALOGUE_SHARD, events.c.topic.in_(topics))
        .order_by(events.c.position)
    )
    found = {}
    for topic, version, payload in connection.execute(statement):
        told = decode(topic, payload)
        if isinstance(told, PolicyPublished | TariffPublished):
            name = told.policy_id if isinstance(told, PolicyPublished) else told.tariff_id
            found[topic, name] = version, bytes(told.document)
    return found


def _newest(connection: Connection, kind: str, natural_id: str) -> list[Row]:
    told = events_of(connection, [CATALOGUE_SHARD], [stream_id(kind, natural_id)])
    newest_first = select(told).order_by(told.c.version.desc()).limit(PUBLICATIONS_MAX)
    return [to_row(row) for row in connection.execute(newest_first)]


def _told(row: Row) -> tuple[Row, Json]:
    return row, msgspec.json.decode(row.payload)


def _publication(row: Row, approvals: dict[tuple[int, str], Json]) -> Json:
    _, payload = _told(row)
    # An approval and its publication are of one commit.
    approved = approvals.get((row.recorded_at, payload["document_sha256"]))
    actor = msgspec.json.decode(row.metadata)["actor"]
    return {
        "version": row.version,
        "published_at": rfc3339(row.recorded_at),
        "published_by": actor if approved is None else approved["drafted_by"],
        "approved_by": "" if approved is None else approved["approved_by"],
        "sha256": payload["document_sha256"],
        "position": row.position,
        "document": payload["document"],
    }


def _waiting(row: Row) -> Json:
    _, payload = _told(row)
    return {
        "draft": payload["draft"],
        "drafted_at": rfc3339(row.recorded_at),
        "drafted_by": payload["drafted_by"],
        "sha256": payload["document_sha256"],
        "position": row.position,
        "document": payload["document"],
    }
