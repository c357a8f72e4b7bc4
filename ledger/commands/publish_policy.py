"""Publish a control policy (费控策略): the lines that hold for every decision from now on."""

import hashlib

import msgspec
from pydantic import ValidationError

from ledger.aggregates import Refused
from ledger.aggregates.policy import ControlPolicy, PolicyDocument
from ledger.aggregates.policy_windows import window_problems
from ledger.commands import Json
from ledger.pricing.problems import Problem, pointer
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD


class PolicyRefused(Refused):
    """The document is no policy; each problem names its place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("policy_invalid", "The control policy cannot be published.")
        self.problems = problems


def lint(document: Json) -> list[Problem]:
    """What keeps a control policy from being published, place by place."""
    try:
        policy = PolicyDocument.model_validate(document)
    except ValidationError as error:
        return [
            Problem(
                pointer(*problem["loc"]), problem["msg"].removeprefix("Value error, "), "invalid"
            )
            for problem in error.errors(include_url=False, include_context=False)
        ]
    return list(window_problems(policy.no_cut_windows))


def checked(document: Json) -> PolicyDocument:
    """The policy that a document says; refused with every problem of it."""
    problems = lint(document)
    if problems:
        raise PolicyRefused(problems)
    return PolicyDocument.model_validate(document)


def handle(document: PolicyDocument, ledger: Ledger, context: Context) -> Answer:
    """Put the policy in force; the same document again changes nothing."""
    problems = list(window_problems(document.no_cut_windows))
    if problems:
        raise PolicyRefused(problems)
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
