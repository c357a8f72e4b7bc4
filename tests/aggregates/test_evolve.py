"""History is never refused: every fact has its place, and the same past gives the same state."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.money import adjust
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.command_batch import CommandBatch
from ledger.aggregates.gateway import Gateway
from ledger.aggregates.meter import Meter
from ledger.aggregates.payment import Payment
from ledger.aggregates.policy import ControlPolicy
from ledger.aggregates.tariff import Tariff
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.aggregates.trip_switch import TripSwitch
from ledger.aggregates.work_order import WorkOrder
from ledger.events import (
    account,
    catalogue,
    command,
    command_batch,
    gateway,
    meter,
    payment,
    supply,
    trips,
    work_order,
)
from ledger.events.registry import EVENT_TYPES
from tests.harness.story import Story
from tests.strategies import any_past, stories

KINDS: dict[type[Aggregate], set[Any]] = {
    Account: {*account.EVENTS, *supply.EVENTS},
    Payment: set(payment.EVENTS),
    Meter: set(meter.EVENTS),
    DeviceCommand: set(command.EVENTS),
    CommandBatch: set(command_batch.EVENTS),
    WorkOrder: set(work_order.EVENTS),
    Gateway: set(gateway.EVENTS),
    TripSwitch: set(trips.EVENTS),
    Tariff: {catalogue.TariffPublished},
    TariffDraft: {catalogue.TariffDrafted, catalogue.TariffApproved},
    ControlPolicy: {catalogue.PolicyPublished},
}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)


@every_kind
def test_a_state_knows_every_fact_of_its_stream(kind: type[Aggregate]) -> None:
    assert set(kind.EVOLVERS) == KINDS[kind]


def test_every_fact_belongs_to_one_kind_of_stream() -> None:
    owned = [event_type for facts in KINDS.values() for event_type in facts]
    assert len(owned) == len(set(owned))
    assert set(owned) == set(EVENT_TYPES.values())


@every_kind
@settings(max_examples=40)
@given(st.data())
def test_any_fact_in_any_state_is_taken(kind: type[Aggregate], data: st.DataObject) -> None:
    past = data.draw(any_past(kind))
    state = kind(0, "any").replay(past)
    assert state.version == len(past)
    assert state.valid_through_us == max([0, *(at for _, at in past)])


@every_kind
@settings(max_examples=40)
@given(st.data())
def test_the_same_past_gives_the_same_state(kind: type[Aggregate], data: st.DataObject) -> None:
    past = data.draw(any_past(kind))
    cut = data.draw(st.integers(0, len(past)))
    once = kind(0, "any").replay(past)
    half = kind(0, "any").replay(past[:cut])
    kept = msgspec.json.decode(msgspec.json.encode(half), type=kind)
    assert half == kept
    assert half.replay(past[cut:]) == once == kept.replay(past[cut:])


@every_kind
@settings(max_examples=40)
@given(st.data())
def test_a_copy_goes_its_own_way(kind: type[Aggregate], data: st.DataObject) -> None:
    past = data.draw(any_past(kind))
    cut = data.draw(st.integers(0, len(past)))
    state = kind(0, "any").replay(past[:cut])
    before = msgspec.json.encode(state)
    copy = state.clone().replay(past[cut:])
    assert msgspec.json.encode(state) == before
    assert state.replay(past[cut:]) == copy


@given(stories())
def test_a_story_told_again_ends_the_same(story: Story) -> None:
    assert Account(0, story.account.stream_id).replay(story.past) == story.account


@given(stories(), st.sampled_from(["paid", "granted"]), st.integers(-(10**16), 10**16))
def test_a_refused_decision_changes_nothing(story: Story, wallet: str, amount_minor: int) -> None:
    before = msgspec.json.encode(story.account)
    with suppress(Refused):
        adjust(
            story.account,
            amount_minor=amount_minor,
            currency="CNY",
            wallet=wallet,
            reason="goodwill",
        )
    assert msgspec.json.encode(story.account) == before
