"""Histories for a control policy's draft, read from the log by chunks of accounts."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Engine

from adapters.views.histories import histories
from adapters.views.previews import published_terms
from ledger.aggregates import Refused
from ledger.commands import Json
from ledger.commands.publish_policy import checked
from ledger.previewing import Decisions, DecisionSummary, PolicyPreview, Span
from ledger.queries import PolicyPreviewAsked
from ledger.values import rfc3339

DRAFT: Final = 0
"""Publication number of what was never published."""


def preview_policy(engine: Engine, shards: int, asked: PolicyPreviewAsked) -> Json:
    """Who would have been reminded, warned and cut under a draft; nothing is written."""
    document = checked(asked.document)
    replaced = asked.instead_of or document.policy_id
    in_force = published_terms(engine)
    if replaced not in in_force:
        raise Refused("policy_unknown", f"There is no policy {replaced} to be replaced.")
    span = Span(asked.after_us, asked.until_us)
    plan = PolicyPreview(document.terms(DRAFT), replaced, in_force, span)
    summary = DecisionSummary()
    for found in decisions_of_accounts(engine, shards, plan, asked.account_nos):
        summary.add(found)
    return {
        "policy_id": replaced,
        "from": rfc3339(span.after_us),
        "to": rfc3339(span.until_us),
        **summary.body(),
    }


def decisions_of_accounts(
    engine: Engine, shards: int, preview: PolicyPreview, account_nos: Sequence[str] | None
) -> Iterator[Decisions]:
    """What was decided about these accounts, or all, and what the draft would have decided."""
    for history in histories(engine, shards, account_nos):
        yield preview.decisions(history)
