"""Numbers of accounts and meters are unique, and a released meter may be claimed anew."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from ledger.commands import open_account
from ledger.commands.meters import InstallMeter, RemoveMeter, ReplaceMeter, install_meter
from ledger.commands.meters import remove as remove_meter
from ledger.commands.meters import replace as replace_meter
from ledger.commands.open_account import OpenAccount
from ledger.store import Answer, Contradiction
from tests.harness.ledgers import (
    CLERK,
    INSTALLED_AT,
    WAIT_S,
    Opened,
    one_batch,
    reading,
    service_point,
    until,
)
from tests.harness.soundness import assert_sound
from tests.store.conftest import OpenLedger

LATER = INSTALLED_AT + timedelta(days=2)
"""A meter that was removed counts again from a later time on."""


def test_numbers_of_accounts_and_meters_are_unique(opened: Opened) -> None:
    opened.open("A1", "M1")
    for number, meter, code in [
        ("A1", "M2", "account_exists"),
        ("A2", "M1", "meter_in_use"),
    ]:
        with pytest.raises(Contradiction) as caught:
            opened.open(number, meter)
        assert caught.value.code == code
    assert opened.claims("account") == {"A1": "A1"}
    assert opened.claims("meter") == {"M1": "A1"}
    assert_sound(opened)


def install(opened: Opened, account_no: str, meter_no: str) -> Answer:
    point = service_point(meter_no, LATER).model_dump(exclude={"initial", "wrap", "multiplier"})
    command = InstallMeter(account_no=account_no, initial={"total": "0"}, **point)  # type: ignore[dict-item] # parsed
    return install_meter(command, opened.ledger, CLERK)


def remove(opened: Opened, account_no: str) -> Answer:
    return remove_meter(removal(account_no), opened.ledger, CLERK)


def removal(account_no: str) -> RemoveMeter:
    at = INSTALLED_AT + timedelta(days=1)
    registers: dict[str, Any] = {"total": "0"}
    return RemoveMeter(account_no=account_no, removed_at=at, final=registers, reason="moved")


def test_a_released_meter_can_be_installed_elsewhere(opening: OpenLedger) -> None:
    opened = opening(shards=4)
    opened.publish()
    opened.open("A1", "M1")
    opened.open("A2")
    remove(opened, "A1")
    assert opened.claims("meter") == {}
    install(opened, "A2", "M1")
    assert opened.claims("meter") == {"M1": "A2"}
    assert opened.read(reading("M1", 72, 1)).body["accepted"] == 1
    with pytest.raises(Contradiction):
        opened.open("A3", "M1")
    assert_sound(opened)


def test_a_replaced_meter_is_free_and_its_successor_is_not(opened: Opened) -> None:
    opened.open("A1", "M1")
    opened.open("A2")
    zero: dict[str, Any] = {"total": "0"}
    command = ReplaceMeter(
        account_no="A1",
        replaced_at=INSTALLED_AT + timedelta(days=1),
        final=zero,
        meter_no="M2",
        initial=zero,
        reason="broken",
    )
    replace_meter(command, opened.ledger, CLERK)
    assert opened.claims("meter") == {"M2": "A1"}
    with pytest.raises(Contradiction, match="installed at account A1"):
        install(opened, "A2", "M2")
    install(opened, "A2", "M1")
    assert opened.claims("meter") == {"M1": "A2", "M2": "A1"}


def waiting(opened: Opened) -> int:
    """How many works wait for the committer."""
    return opened.ledger._committer._queue.qsize()


def test_a_meter_taken_and_released_in_one_batch_is_free(opened: Opened) -> None:
    command = OpenAccount(account_no="A1", service_points=(service_point("M1"),))
    with ThreadPoolExecutor(1) as pool:
        with one_batch(opened.ledger):
            opening = open_account.submit(command, opened.ledger, CLERK)
            removing = pool.submit(remove_meter, removal("A1"), opened.ledger, CLERK)
            until(lambda: waiting(opened) == 2)
        assert opening.result(WAIT_S).body["positions"] != {}
        assert removing.result(WAIT_S).body["service_points"] == []
    assert opened.claims("meter") == {}
    opened.open("A2")
    install(opened, "A2", "M1")
    assert_sound(opened)


def test_a_meter_released_and_taken_in_one_batch_belongs_to_the_last(opened: Opened) -> None:
    opened.open("A1", "M1")
    command = OpenAccount(account_no="A2", service_points=(service_point("M1", LATER),))
    with ThreadPoolExecutor(1) as pool:
        with one_batch(opened.ledger):
            removing = pool.submit(remove_meter, removal("A1"), opened.ledger, CLERK)
            until(lambda: waiting(opened) == 1)
            opening = open_account.submit(command, opened.ledger, CLERK)
        removing.result(WAIT_S)
        opening.result(WAIT_S)
    assert opened.claims("meter") == {"M1": "A2"}
    assert_sound(opened)
