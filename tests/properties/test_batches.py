"""A batch is the union of its single commands, however it is cut and who goes on with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates import Refused
from ledger.commands import command_batches, request_command
from ledger.commands.command_batches import ApproveBatch, RequestBatch
from ledger.commands.request_command import RequestCommand
from ledger.devices import OrderKind
from tests.harness.desk import ACTOR, Desk
from tests.harness.device_day import COLLEAGUE, batch_account
from tests.harness.street import FIVE, protect, street

KINDS: Final[tuple[OrderKind, ...]] = ("trip", "recall", "close_permit")
NUMBERS: Final = (*FIVE, "A404")
Told = list[tuple[str, str]]


@contextmanager
def a_street(protected: list[str]) -> Iterator[Desk]:
    with TemporaryDirectory() as folder:
        desk = Desk.at(f"sqlite:///{Path(folder) / 'ledger.db'}", shards=3)
        street(desk)
        for account_no in protected:
            protect(desk, account_no)
        yield desk
        desk.close()


def one_by_one(desk: Desk, kind: OrderKind, numbers: list[str]) -> Told:
    told: Told = []
    for number in numbers:
        asked = RequestCommand(account_no=number, kind=kind, reason="a fire")
        try:
            request_command.handle(asked, desk.ledger, ACTOR)
        except Refused as refusal:
            told.append((number, refusal.code))
    return told


def in_a_batch(desk: Desk, kind: OrderKind, numbers: list[str], *, alone: bool) -> Told:
    desk.ledger.trips_alone_max = 5_000 if alone else 0
    accounts = tuple(batch_account(number) for number in numbers)
    asked = RequestBatch(kind=kind, reason="a fire", accounts=accounts)
    body = command_batches.handle(asked, desk.ledger, ACTOR).body
    if body["status"] == "awaiting_approval":
        approved = ApproveBatch(batch_id=body["batch_id"])
        body = command_batches.approve(approved, desk.ledger, COLLEAGUE).body
    before = desk.heads()
    command_batches.carry_on(body["batch_id"], desk.ledger, ACTOR)
    assert desk.heads() == before, "a repeat changes nothing"
    return [(each["account_no"], each["code"]) for each in body["refused"]]


def written(desk: Desk) -> list[tuple[str, str, str]]:
    """What was recorded of each account, but for the numbers that positions gave it."""
    found = []
    for each in desk.recorded():
        if each.event.TOPIC.startswith(("command.", "account.supply")):
            body = msgspec.to_builtins(each.event)
            kept = {name: value for name, value in body.items() if "command_id" not in name}
            told = msgspec.json.encode(kept, order="deterministic").decode()
            found.append((body["account_no"], each.event.TOPIC, told))
    return sorted(found, key=lambda item: item[0])  # Kept in order within an account.


@settings(max_examples=15, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    numbers=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=9),
    protected=st.lists(st.sampled_from(FIVE), max_size=2, unique=True),
    at_once=st.integers(1, 4),
    alone=st.booleans(),
)
def test_a_batch_is_the_union_of_its_commands(
    *, kind: OrderKind, numbers: list[str], protected: list[str], at_once: int, alone: bool
) -> None:
    with a_street(protected) as desk:
        refused = one_by_one(desk, kind, numbers)
        singly = written(desk)
    with a_street(protected) as desk, pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_batches, "AT_ONCE", at_once)
        assert in_a_batch(desk, kind, numbers, alone=alone) == refused
        assert written(desk) == singly
