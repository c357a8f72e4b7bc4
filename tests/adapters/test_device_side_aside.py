"""A command that cannot be read keeps its own account waiting, and nobody else."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.device_side.aside import STEERING, SetAside, unpark_followers
from adapters.devices import dispatcher
from adapters.devices.dispatcher import Dispatcher
from adapters.devices.waiting import Waiting
from adapters.views.feed import StillPoisonedError
from ledger.commands.advance_command import Progress
from ledger.events import registry
from ledger.events.command import CommandVerified
from ledger.ports import LogUnavailableError
from ledger.projections.batch import Unreadable
from ledger.values import shard_of, stream_id
from tests.harness.supplied import FIRST, Supplied, acting, soon, supplied
from tests.harness.tampering import smuggle

UNHEARD_OF = "command.promised.v1"
METERS = 6


@pytest.fixture
def there(database_url: str, tmp_path: Path) -> Iterator[Supplied]:
    with supplied(database_url, tmp_path, meters=METERS) as found:
        yield found


def neighbour(there: Supplied) -> int:
    """Number of another meter in the shard of the first."""
    shards = there.opened.ledger.terms.shards
    of = {n: shard_of(f"A{n:06d}", shards) for n in range(1, METERS + 1)}
    return next(n for n in of if n > 1 and of[n] == of[1])


def poison(there: Supplied) -> None:
    """A word about the first meter's newest command that no release knows."""
    (command,) = [row for row in there.rows("commands") if row["meter_no"] == FIRST]
    stream = stream_id("command", command["command_id"])
    payload = {"command_id": command["command_id"], "account_no": there.account_of(FIRST)}
    encoded = msgspec.json.encode(payload).decode()
    smuggle(there.opened, command["shard"], stream, UNHEARD_OF, encoded)


def aside(there: Supplied) -> list[dict[str, Any]]:
    return [row for row in there.views.parked() if row["feed"] == STEERING]


def test_a_command_that_cannot_be_read_stops_no_other_account_and_goes_on_when_it_can(
    there: Supplied, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other, account = neighbour(there), stream_id("account", there.account_of(FIRST))
    engine, ledger = there.opened.engine, there.opened.ledger
    with acting(there), caplog.at_level(logging.WARNING):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "verified")])
        poison(there)
        there.pay()
        there.fall_behind(f"M{other:06d}")
        soon(lambda: not there.meter(other).is_closed)
        there.fall_behind()
        there.pay(f"M{other:06d}")
        soon(lambda: there.meter(other).is_closed)
        there.pay()
        soon(lambda: len(aside(there)) == 1)
        (row,) = aside(there)
        assert (row["stream_id"], UNHEARD_OF in row["reason"]) == (account, True)
        assert not there.meter().is_closed
        with pytest.raises(StillPoisonedError, match=UNHEARD_OF):
            unpark_followers(engine, ledger, account)
        assert aside(there) == [row]

        def as_verified(payload: bytes) -> CommandVerified:
            told = msgspec.json.decode(payload)
            return CommandVerified(**told, attempt=1, relay="open", mode="forced", by="read")

        monkeypatch.setitem(registry._decoders, UNHEARD_OF, as_verified)
        assert unpark_followers(engine, ledger, account) > 0
        assert aside(there) == []
        soon(lambda: there.meter().is_closed)
        assert unpark_followers(engine, ledger, account) == 0
    told = [each.message for each in caplog.records if "set aside by" in each.message]
    assert told == [f"The stream {account} is set aside by {STEERING}."]
    assert not [each for each in caplog.records if "stopped at an error" in each.message]


def test_a_log_out_of_reach_is_no_reason_to_set_a_stream_aside(there: Supplied) -> None:
    item = Unreadable(0, 1, stream_id("account", "A1"), "unreadable")
    with (
        pytest.raises(LogUnavailableError),
        SetAside(there.opened.engine).what_breaks(STEERING, item),
    ):
        raise LogUnavailableError("The disk is full.")
    assert aside(there) == []


def test_an_open_command_that_cannot_be_read_is_told_once_and_tried_again(
    there: Supplied, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatcher, "AFTER_FAULT_US", 50_000)
    (gateway,) = there.park.gateways
    there.thread.call(gateway.down())
    tries: list[str] = []
    step = Dispatcher._step

    def noted(self: Dispatcher, command: Waiting) -> Progress:
        tries.append(command.command_id)
        return step(self, command)

    monkeypatch.setattr(Dispatcher, "_step", noted)
    with acting(there), caplog.at_level(logging.ERROR):
        there.fall_behind()
        soon(lambda: there.commands() == [("trip", "queued")])
        poison(there)
        before = len(tries)
        soon(lambda: len(tries) > before + 3)
    told = [each.message for each in caplog.records if "carried on" in each.message]
    assert len(told) == 1
