"""Whatever the line does to an order and to the looks after it: cut once, and never left dark."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

import pytest

from ledger.commands import register_gateway
from tests.harness import meddler
from tests.harness.ledgers import CLERK
from tests.harness.meddler import READ, WRITE, Meddler
from tests.harness.supplied import Supplied, acting, hurry, soon, supplied

LATE_S = 0.32
TRICKS = {
    "lost": meddler.lost,
    "unheard": meddler.unheard,
    "late": meddler.late(LATE_S),
    "repeated": meddler.repeated,
    "of another": meddler.of_another,
    "wrong crc": meddler.wrong_crc,
    "half": meddler.half,
    "reset midway": meddler.reset_midway,
    "reset before": meddler.reset_before,
    "in pieces": meddler.in_pieces,
    "garbage": meddler.with_garbage,
    "busy": meddler.refusing(6),
    "failing": meddler.refusing(4),
}
ROUNDS = 6
ENDED = {"verified", "superseded", "cancelled", "expired"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@contextmanager
def meddled(url: str, folder: Path) -> Iterator[tuple[Supplied, Meddler]]:
    """A ledger whose only gateway is reached through somebody who meddles."""
    with supplied(url, folder) as there:
        (gateway,) = there.park.gateways
        with Meddler(gateway.address).at_work() as between:
            moved = register_gateway.RegisterGateway(gateway_id="G0", url=between.address)
            register_gateway.handle(moved, there.opened.ledger, CLERK)
            there.views.catch_up()
            yield there, between


def is_supplied(there: Supplied, *, is_on: bool) -> bool:
    shown = "on" if is_on else "off"
    return there.supply() == {"intended": shown, "actual": shown}


def test_an_order_and_the_looks_after_it_go_wrong_and_it_is_done_once(
    sqlite_url: str, tmp_path: Path, cuts: list[str]
) -> None:
    with meddled(sqlite_url, tmp_path) as (there, between), acting(there):
        soon(lambda: there.supply()["actual"] == "on")
        for number, (name, trick) in enumerate(TRICKS.items(), 1):
            for happens, is_on in ((there.fall_behind, False), (there.pay, True)):
                between.play(trick, on=WRITE)
                between.play(trick, on=READ)
                happens()
                soon(partial(is_supplied, there, is_on=is_on))
                assert there.meter().is_closed is is_on, name
                between.be_honest()
            assert len(cuts) == number, name
            done = [("trip", "verified"), ("close", "verified")] * number
            soon(lambda done=done: there.commands() == done)  # type: ignore[misc] # bound here


def test_a_storm_on_the_line_leaves_everybody_as_was_wanted_last(
    database_url: str, tmp_path: Path
) -> None:
    chance = Random(11)
    with meddled(database_url, tmp_path) as (there, between), acting(there):
        soon(lambda: there.supply()["actual"] == "on")
        for number in range(ROUNDS):
            for on in (WRITE, READ, READ):
                between.play(chance.choice(list(TRICKS.values())), on=on)
            (there.pay if number % 2 else there.fall_behind)()
            soon(lambda: there.supply()["actual"] != "unknown")
        between.be_honest()
        soon(lambda: is_supplied(there, is_on=True))
        soon(lambda: all(status in ENDED for _, status in there.commands()))
        assert there.meter().is_closed


def test_a_gateway_that_takes_calls_and_never_answers_is_left_when_it_does(
    sqlite_url: str, tmp_path: Path, cuts: list[str]
) -> None:
    with meddled(sqlite_url, tmp_path) as (there, between), acting(there):
        soon(lambda: there.supply()["actual"] == "on")
        for on in (WRITE, READ):
            between.play(meddler.unheard, 10_000, on=on)
        there.fall_behind()
        soon(lambda: there.rows("commands")[:1] != [] and there.commands()[0][1] == "unknown")
        there.pay()
        soon(lambda: [status for _, status in there.commands()][:1] == ["superseded"])
        between.be_honest()
        soon(lambda: there.commands()[-1] == ("close", "verified"))
        assert is_supplied(there, is_on=True)
        assert there.meter().is_closed
    assert cuts == []
