"""The live views, whatever happens and however their feeds take it, are what the log adds up to."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from adapters.views import writer
from adapters.views.feed import Feed, lock_position, move_position
from ledger.projections.catalogue import feeds
from tests.harness.desk import Desk, point, water
from tests.harness.documents import policy
from tests.harness.reckoning import check_all
from tests.harness.town import Step, Town, Verb
from tests.strategies import town_histories


def a_town(desk: Desk) -> Town:
    desk.publish(policy("strict", trip=5_00), policy("wet", cuts=("electricity", "water")))
    return Town(desk)


def a_year(seed: int, length: int = 250) -> list[Step]:
    """A long history, always the same for a seed."""
    chance = Random(seed)
    verbs = [*get_args(Verb), "read", "sweep", "pay"]
    steps = [
        (chance.choice(verbs), chance.randrange(12), chance.randrange(40_000))
        for _ in range(length)
    ]
    return [("open", 0, 1), ("open", 1, 2), ("open", 2, 0), *steps]


def with_batches(desk: Desk, size: int, *, tail: bool = False) -> None:
    """Let the feeds take so many events at most at once."""
    desk.views.feeds = {
        spec.name: Feed(desk.engine, spec._replace(batch_max=size), desk.tail if tail else None)
        for spec in feeds("Asia/Shanghai")
    }


def rows(desk: Desk) -> dict[str, list[Any]]:
    """Every row of every view, in a fixed order; the same objects on both stores."""
    found = {}
    with desk.engine.execution_options(read_only=True).begin() as connection:
        for view in desk.views.names():
            made = connection.execute(text(f"SELECT * FROM {view}"))
            found[view] = sorted((tuple(_plain(value) for value in row) for row in made), key=repr)
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value of any column
    is_json = isinstance(value, str) and value.startswith("{")
    found = msgspec.json.decode(value) if is_json else value
    # JSONB keeps no order of keys, so the order is no part of what is compared.
    return sorted(found.items()) if isinstance(found, dict) else found


@settings(max_examples=25)
@given(town_histories(), st.lists(st.integers(1, 12), min_size=1), st.integers(1, 3), st.booleans())
def test_any_history_in_any_batches_reads_as_it_adds_up(
    steps: Sequence[Step],
    sizes: list[int],
    shards: int,
    tail: bool,  # noqa: FBT001 - drawn
) -> None:
    desk = Desk.at("sqlite://", shards)
    town = a_town(desk)
    for number in range(0, len(steps), 5):
        town.play(steps[number : number + 5])
        with_batches(desk, sizes[number % len(sizes)], tail=tail)
        for feed in desk.views.feeds.values():
            feed.step(number % shards)
    desk.views.catch_up()
    check_all(desk)
    assert desk.views.differences() == []
    assert desk.views.lag() == {"front": 0, "detail": 0}
    desk.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_reads_as_it_adds_up(desk: Desk, seed: int) -> None:
    a_town(desk).play(a_year(seed))
    desk.views.catch_up()
    check_all(desk)
    assert desk.views.verify() == []


@pytest.mark.postgres
def test_both_stores_say_the_same(
    on_both: tuple[Desk, Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MANY", 1)  # PostgreSQL takes every row by COPY.
    for number, desk in enumerate(on_both):
        a_town(desk).play(a_year(3))
        with_batches(desk, (7, 5_000)[number])
        desk.views.catch_up()
    sqlite, postgres = on_both
    assert rows(sqlite) == rows(postgres)
    assert sqlite.views.accounts() == postgres.views.accounts()
    assert postgres.views.differences() == []
    check_all(postgres)


def test_what_is_taken_from_the_tail_is_what_the_log_tells(desk: Desk) -> None:
    with_batches(desk, 50, tail=True)
    town, taken = a_town(desk), 0
    for number, step in enumerate(a_year(4, 120)):
        if step[0] != "restart":
            town.play([step])
        for feed in desk.views.feeds.values():
            taken += feed.step(number % 3)
    desk.views.catch_up()
    assert taken > 100
    assert desk.views.differences() == []
    check_all(desk)


def test_a_tail_with_a_gap_is_bridged_by_the_log(desk: Desk) -> None:
    with_batches(desk, 50, tail=True)
    desk.open("A1", point("M1"))
    desk.views.catch_up()
    desk.recharge("A1", 10_00)
    colleague = desk.colleague()
    colleague.recharge("A1", 20_00)
    desk.recharge("A1", 40_00)
    desk.views.catch_up()
    check_all(desk)
    assert desk.views.differences() == []
    colleague.close()


def test_two_processes_that_keep_one_feed_take_turns(desk: Desk) -> None:
    a_town(desk).play(a_year(5, 80))
    colleague = desk.colleague()
    for one in (desk, colleague):
        with_batches(one, 3)
    with ThreadPoolExecutor(4) as pool:
        keepers = [pool.submit(one.views.catch_up) for one in (desk, colleague) * 2]
        taken = sum(sum(keeper.result().values()) for keeper in keepers)
    assert taken == 2 * sum(desk.heads().values())
    check_all(desk)
    colleague.close()


@pytest.mark.postgres
def test_of_two_processes_that_begin_a_feed_one_waits_for_the_other(postgres_url: str) -> None:
    desk = Desk.at(postgres_url)

    def lock() -> int:
        with desk.engine.begin() as connection:
            return lock_position(connection, 0, "front")

    with ThreadPoolExecutor(1) as pool:
        with desk.engine.begin() as connection:
            assert lock_position(connection, 0, "front") == 0
            other = pool.submit(lock)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
            move_position(connection, 0, "front", desk.heads()[0])
        assert other.result(timeout=20) == desk.heads()[0]
    desk.close()


def test_points_are_listed_in_the_order_in_which_they_came(desk: Desk) -> None:
    body = desk.open("A1", water("W1"), point("M1"), water("W2"))
    desk.views.catch_up()
    read = desk.views.account("A1")
    assert read is not None
    assert read["service_points"] == body["service_points"]
    assert [p["meter_no"] for p in read["service_points"]] == ["W1", "M1", "W2"]


def test_a_point_that_returns_under_its_name_keeps_nothing_of_the_old_one(desk: Desk) -> None:
    desk.open("A1", point("M1", "tou", initial={"peak": 0, "valley": 0}))
    desk.views.catch_up()
    desk.remove("A1", "2026-01-15", {"peak": "1", "valley": "2"})
    desk.install("A1", point("M2", installed_at="2026-01-20"))
    desk.views.catch_up()
    check_all(desk)
    assert desk.views.differences() == []


def test_accounts_are_listed_page_by_page(desk: Desk) -> None:
    for number in range(7):
        desk.open(f"A{number}")
    desk.views.catch_up()
    listed: list[str] = []
    while page := desk.views.accounts(listed[-1] if listed else None, limit=3):
        listed += [body["account_no"] for body in page]
    assert len(listed) == 7
    assert listed == [body["account_no"] for body in desk.views.accounts()]
    assert desk.views.account("A9") is None
