"""A control policy is checked before anybody is cut by it."""

import hashlib

import msgspec
import pytest
from pydantic import ValidationError

from ledger.aggregates.policy import ControlPolicy, PolicyDocument
from ledger.events.catalogue import PolicyPublished
from tests.harness.documents import policy
from tests.scenario import Scenario


def published(document: PolicyDocument) -> PolicyPublished:
    encoded = document.model_dump_json().encode()
    digest = hashlib.sha256(encoded).hexdigest()
    return PolicyPublished("standard", msgspec.Raw(encoded), digest)


def publish(state: ControlPolicy, document: PolicyDocument) -> PolicyPublished | None:
    fact = published(document)
    return state.publish("standard", bytes(fact.document), fact.document_sha256)


def test_a_policy_is_published_anew_and_the_same_again_is_silence() -> None:
    past = Scenario(ControlPolicy).when(publish, policy())
    assert past.facts[0].document_sha256 == published(policy()).document_sha256
    past.given(*past.facts).when(publish, policy()).then_nothing()
    assert past.when(publish, policy(trip=-5_00)).facts


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ({"remind": 5_00, "warn": 10_00}, "must not lie below"),
        ({"warn": -1, "trip": 0}, "must not lie below"),
        ({"remind": -1, "warn": None}, "must not lie below"),
        ({"restore_above_minor": -1}, "must not lie below the trip line"),
        ({"cuts": ("internet",)}, "electricity"),
        ({"hysteresis_minor": -1}, "greater than or equal"),
        ({"remind_days": -1}, "greater than or equal"),
        ({"remind": 20.5}, "valid integer"),
        ({"remind": "20"}, "valid integer"),
    ],
)
def test_a_policy_that_contradicts_itself_is_not_made(
    lines: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        policy(**lines)  # type: ignore[arg-type] # what an author may write by mistake


def test_days_left_cut_nobody() -> None:
    with pytest.raises(ValidationError, match="days_left"):
        PolicyDocument.model_validate(
            {"policy_id": "hard", "trip": {"available_minor": 0, "days_left": 3}}
        )


def test_supply_returns_above_the_trip_line_and_its_hysteresis_unless_stated() -> None:
    assert policy(trip=-5_00, hysteresis_minor=2_00).terms(1).restore_minor == -3_00
    assert policy(trip=-5_00, restore_above_minor=8_00).terms(1).restore_minor == 8_00
    assert policy().terms(7).version == 7
    assert policy().terms(1).top_minor == 20_00
