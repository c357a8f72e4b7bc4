"""A process is killed between any two steps of the committer; nothing it acknowledged is lost."""

import functools
import itertools
import json
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select, text

from adapters.store.tables import vault
from tests.harness.failpoints import (
    REQUESTS,
    STEPS,
    kill_after,
    kill_at,
    tear_append,
    write_until_killed,
)
from tests.harness.ledgers import Opened, open_ledger
from tests.harness.postgres import Postgres
from tests.harness.processes import Killed, doomed, teller
from tests.harness.soundness import assert_sound

RUN = itertools.count()


class Place(NamedTuple):
    """One database for all kills: each dies on what the ones before it have left."""

    url: str
    folder: Path


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("kill")
    server: Postgres | None = None
    url = f"sqlite:///{folder}/ledger.db"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.new_database()
    with open_ledger(url, folder) as opened:
        opened.publish()
    yield Place(url, folder)
    if server is not None:
        server.drop_database(url)


def killed(place: Place, arm: Callable[[], None]) -> Killed:
    name = f"K{next(RUN)}-"
    found = doomed(write_until_killed, place.url, place.folder, name, arm)
    assert found.exitcode == -signal.SIGKILL, "the failpoint was never reached"
    assert len(found.acknowledged) >= 6, "the first round went well"
    return found


def recovered(place: Place, found: Killed) -> None:
    """What must hold when the next process starts, and after everything was asked again."""
    with open_ledger(place.url, place.folder) as opened:
        assert_sound(opened)
        _nothing_acknowledged_is_lost(opened, found)
        _asked_again(opened, found)
        rows = assert_sound(opened)
    effects = Counter(
        json.loads(row.payload)["account_no"] for row in rows if row.topic == "account.credited.v1"
    )
    paid = Counter(asked.about[0] for asked in found.asked if asked.order == "recharge")
    assert {number: effects[number] for number in paid} == dict(paid)
    numbers = [asked.about[0] for asked in found.asked if asked.order == "open"]
    opened_once = Counter(
        json.loads(row.payload)["account_no"] for row in rows if row.topic == "account.opened.v1"
    )
    assert {number: opened_once[number] for number in numbers} == dict.fromkeys(numbers, 1)


def _nothing_acknowledged_is_lost(opened: Opened, found: Killed) -> None:
    rows = {(row.shard, row.position): row for row in opened.rows()}
    for answer in found.acknowledged:
        assert answer.body is not None
        for shard, position in answer.body["positions"].items():
            assert (int(shard), position) in rows, answer
    with opened.engine.begin() as connection:
        sealed = set(connection.scalars(select(vault.c.account_no)))
    accounts = opened.claims("account")
    assert sealed == set(accounts)
    for answer in found.acknowledged:
        if answer.order == "open":
            assert answer.about[0] in accounts


def _asked_again(opened: Opened, found: Killed) -> None:
    """Every request once more, as its sender would who does not know what became of it."""
    first = {(answer.order, answer.about): answer.body for answer in found.acknowledged}
    for asked in found.asked:
        if asked.order == "remove" and _is_removed(opened, asked.about[0]):
            continue
        body = REQUESTS[asked.order](opened, *asked.about)
        if asked.order in {"open", "recharge"} and (asked.order, asked.about) in first:
            assert body == first[asked.order, asked.about]
    assert not {f"M{a.about[0]}" for a in found.asked if a.order == "remove"} & set(
        opened.claims("meter")
    )


def _is_removed(opened: Opened, number: str) -> bool:
    """To remove a meter again is refused, so its sender looks first."""
    return opened.claims("meter").get(f"M{number}") is None


TELLING = {"take claims", "append", "commit", "answer"}
"""After any other step nothing is different from before the next one; a soak tries them too."""
FAILPOINTS = [
    *(pytest.param(step, "before", id=f"before {step}") for step in STEPS),
    *(
        pytest.param(
            step, "after", id=f"after {step}", marks=() if step in TELLING else pytest.mark.soak
        )
        for step in STEPS
    ),
]


@pytest.mark.parametrize(("step", "side"), FAILPOINTS)
def test_killed_at_a_step_of_the_committer(place: Place, step: str, side: str) -> None:
    recovered(place, killed(place, functools.partial(kill_at, step, side, 2)))


def test_killed_inside_a_batch_of_events(place: Place) -> None:
    recovered(place, killed(place, functools.partial(tear_append, 3)))


@pytest.mark.parametrize("kills", [4, pytest.param(150, marks=pytest.mark.soak)])
def test_killed_at_any_time(place: Place, kills: int) -> None:
    """Not at a step we thought of, but some while after the first acknowledgements."""
    for n in range(kills):
        recovered(place, killed(place, functools.partial(kill_after, 0.01 + 0.03 * (n * 7 % 11))))


SLOW_COMMIT = (
    """CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.topic = 'account.credited.v1') EXECUTE FUNCTION be_slow()""",
)


@pytest.mark.postgres
def test_killed_while_the_server_is_committing(postgres_url: str, tmp_path: Path) -> None:
    """The COMMIT was sent, so it takes place; whoever asks again is answered with its outcome."""
    with open_ledger(postgres_url, tmp_path) as opened:
        opened.publish()
        opened.open("A1")
        with opened.engine.begin() as connection:
            for statement in SLOW_COMMIT:
                connection.execute(text(statement))
        with teller(postgres_url, tmp_path) as writer:
            writer.ask("publish")
            writer.tell("recharge", "A1", "t1")
            _await_commit(opened)
            writer.kill()
        again = opened.recharge("A1", "t1")
        assert again.replayed
        assert again.body["balance_minor"] == 10_000
        assert_sound(opened)


def _await_commit(opened: Opened) -> None:
    committing = text(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT'"
    )
    for _ in range(1_000):
        with opened.engine.begin() as connection:
            if connection.scalar(committing):
                return
        threading.Event().wait(0.005)
    pytest.fail("no COMMIT was seen")
