"""Publish a tariff (资费): a linted document rates every interval from its versions' dates on."""

import hashlib
from datetime import date
from typing import Any

import msgspec

from ledger.aggregates import Refused
from ledger.aggregates.tariff import Tariff
from ledger.commands import Json
from ledger.pricing import Problem, lint
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import local_day


class TariffRefused(Refused):
    """The document has problems; each names its path and the fix."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        super().__init__("tariff_invalid", f"{first.path}: {first.message}")
        self.problems = problems


def handle(document: dict[str, Any], ledger: Ledger, context: Context) -> Answer:
    """Publish a document; the same one again changes nothing, a used version never changes."""
    if problems := lint(document):
        raise TariffRefused(problems)
    return ledger.decide(
        lambda session: _decide(document, session), context, shards=(CATALOGUE_SHARD,)
    )


def _decide(document: dict[str, Any], session: Session) -> Json:
    encoded = msgspec.json.encode(document)
    tariff_id = str(document["tariff_id"])
    tariff = session.aggregate(Tariff, tariff_id, CATALOGUE_SHARD)
    today = date.fromordinal(local_day(document["timezone"], session.now_us)).isoformat()
    digest = hashlib.sha256(encoded).hexdigest()
    published = tariff.publish(tariff_id, encoded, digest, today)
    if published is not None:
        session.record(tariff, published, session.now_us)
        session.forget_catalogue()
    return {"tariff_id": tariff_id, "version": tariff.version, "changed": published is not None}
