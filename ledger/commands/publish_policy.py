"""Publish a control policy (费控策略): the lines that hold for every decision from now on."""

import hashlib

import msgspec

from ledger.aggregates.policy import ControlPolicy, PolicyDocument
from ledger.commands import Json
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD


def handle(document: PolicyDocument, ledger: Ledger, context: Context) -> Answer:
    """Put the policy in force; the same document again changes nothing."""
    return ledger.decide(
        lambda session: _decide(document, session), context, shards=(CATALOGUE_SHARD,)
    )


def _decide(document: PolicyDocument, session: Session) -> Json:
    encoded = msgspec.json.encode(document.model_dump(mode="json"), order="deterministic")
    policy = session.aggregate(ControlPolicy, document.policy_id, CATALOGUE_SHARD)
    published = policy.publish(document.policy_id, encoded, hashlib.sha256(encoded).hexdigest())
    if published is not None:
        session.record(policy, published, session.now_us)
        session.forget_catalogue()
    return {
        "policy_id": document.policy_id,
        "version": policy.version,
        "changed": published is not None,
    }
