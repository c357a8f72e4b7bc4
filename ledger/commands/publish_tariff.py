"""Publish a tariff (资费): a linted document rates every interval from its versions' dates on."""

import hashlib
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from ledger.aggregates import Refused
from ledger.aggregates.tariff import Tariff
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.commands import Json
from ledger.events.catalogue import TariffPublished
from ledger.pricing import Problem, lint
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import local_day

APPROVAL = "tariff"
"""The word in LEDGER_APPROVALS that makes tariffs wait for a second person."""
_NAMEABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class TariffRefused(Refused):
    """The document has problems; each names its path and the fix."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        super().__init__("tariff_invalid", f"{first.path}: {first.message}")
        self.problems = problems


def handle(document: dict[str, Any], ledger: Ledger, context: Context) -> Answer:
    """Publish a document; the same one again changes nothing, a used version never changes.

    Where tariffs need approval it becomes a draft, `version` is the draft's number, and it waits.
    """
    if problems := [*lint(document), *_unnameable(document)]:
        raise TariffRefused(problems)
    needs_approval = APPROVAL in ledger.approvals

    def decide(session: Session) -> Json:
        return (
            _draft(document, session, context.actor)
            if needs_approval
            else _publish(document, session)
        )

    return ledger.decide(decide, context, shards=(CATALOGUE_SHARD,))


def _unnameable(document: dict[str, Any]) -> Iterator[Problem]:
    """An id that could not be asked for by its path, or held by a view."""
    if not _NAMEABLE.fullmatch(str(document.get("tariff_id", ""))):
        message = "Name the tariff by 1 to 64 letters, digits, dots, hyphens or underscores."
        yield Problem("/tariff_id", message, "bad_id")


def approve(tariff_id: str, draft_number: int, ledger: Ledger, context: Context) -> Answer:
    """Let a draft take effect; refused for whoever wrote it."""

    def decide(session: Session) -> Json:
        draft = session.aggregate(TariffDraft, tariff_id, CATALOGUE_SHARD)
        approved = draft.approve(tariff_id, draft_number, context.actor)
        body = _publish(msgspec.json.decode(draft.document), session)
        session.record(draft, approved, session.now_us)
        return {**body, "draft": draft_number, "approved_by": context.actor}

    return ledger.decide(decide, context, shards=(CATALOGUE_SHARD,))


def _publish(document: dict[str, Any], session: Session) -> Json:
    tariff, published = _checked(document, session)
    if published is not None:
        session.record(tariff, published, session.now_us)
        session.forget_catalogue()
    body = {"tariff_id": document["tariff_id"], "version": tariff.version}
    return {**body, "changed": published is not None}


def _draft(document: dict[str, Any], session: Session, actor: str) -> Json:
    tariff_id = str(document["tariff_id"])
    tariff, published = _checked(document, session)
    if published is None:
        return {"tariff_id": tariff_id, "version": tariff.version, "changed": False}
    draft = session.aggregate(TariffDraft, tariff_id, CATALOGUE_SHARD)
    encoded, digest = bytes(published.document), published.document_sha256
    drafted = draft.propose(tariff_id, encoded, digest, actor)
    if drafted is not None:
        session.record(draft, drafted, session.now_us)
    return {
        "tariff_id": tariff_id,
        "version": draft.number,
        "changed": drafted is not None,
        "waits_for_approval": True,
    }


def _checked(document: dict[str, Any], session: Session) -> tuple[Tariff, TariffPublished | None]:
    """The tariff, and what its publication would be: None where this is the published document."""
    encoded = msgspec.json.encode(document)
    tariff_id = str(document["tariff_id"])
    tariff = session.aggregate(Tariff, tariff_id, CATALOGUE_SHARD)
    today = date.fromordinal(local_day(document["timezone"], session.now_us)).isoformat()
    digest = hashlib.sha256(encoded).hexdigest()
    return tariff, tariff.publish(tariff_id, encoded, digest, today)
