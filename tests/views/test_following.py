"""Following a few topics of a log in which much else happens."""

import pytest

from adapters.views import following
from adapters.views.following import Following, RememberedFollowing, heads
from ledger.events import Recorded
from ledger.events.account import AccountAdjusted, SupplyTripOrdered
from ledger.values import shard_of
from tests.harness.desk import Desk, point

TOPICS = {SupplyTripOrdered.TOPIC, AccountAdjusted.TOPIC}


@pytest.fixture
def shard(desk: Desk) -> int:
    """The shard of an account that was cut and paid again, five times."""
    desk.open("A1", point("M1"))
    for _ in range(5):
        desk.adjust("A1", -10_00)
        desk.recharge("A1", 20_00)
        desk.adjust("A1", -10_00)
    return shard_of("A1", desk.terms.shards)


def followed(desk: Desk, follow: Following) -> list[tuple[int, str]]:
    head = heads(desk.engine)[follow.shard]
    found = []
    while follow.position < head:
        items, reached = follow.next(head)
        assert all(isinstance(item, Recorded) for item in items)
        found += [(i.position, i.event.TOPIC) for i in items if isinstance(i, Recorded)]
        follow.went_to(reached)
    return found


def expected(desk: Desk, shard: int) -> list[tuple[int, str]]:
    return [
        (item.position, item.event.TOPIC)
        for item in desk.recorded()
        if item.shard == shard and item.event.TOPIC in TOPICS
    ]


@pytest.mark.parametrize(("window", "limit"), [(50_000, 500), (3, 500), (50_000, 1), (4, 2)])
def test_every_event_of_the_topics_comes_once_and_in_order(
    desk: Desk, shard: int, monkeypatch: pytest.MonkeyPatch, window: int, limit: int
) -> None:
    monkeypatch.setattr(following, "WINDOW", window)
    monkeypatch.setattr(following, "LIMIT", limit)
    assert followed(desk, Following(desk.engine, shard, TOPICS, 0)) == expected(desk, shard)


def test_a_remembered_following_goes_on_where_it_was_saved(desk: Desk, shard: int) -> None:
    first = RememberedFollowing(desk.engine, shard, TOPICS, "a policy")
    everything = followed(desk, first)
    first.save()
    again = RememberedFollowing(desk.engine, shard, TOPICS, "a policy")
    assert followed(desk, again) == []
    desk.adjust("A1", 1)
    assert len(followed(desk, again)) == 1
    forgotten = RememberedFollowing(desk.engine, shard, TOPICS, "a policy")
    assert len(followed(desk, forgotten)) == 1
    assert everything


def test_one_that_is_behind_does_not_take_back_what_another_saved(desk: Desk, shard: int) -> None:
    behind = RememberedFollowing(desk.engine, shard, TOPICS, "a policy")
    ahead = RememberedFollowing(desk.engine, shard, TOPICS, "a policy")
    followed(desk, ahead)
    ahead.save()
    behind.went_to(1)
    behind.save()
    assert RememberedFollowing(desk.engine, shard, TOPICS, "a policy").position == ahead.position
