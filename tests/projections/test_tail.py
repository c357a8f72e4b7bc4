"""What was just committed is handed on without a gap, or not at all."""

from ledger.events import Recorded
from ledger.projections.tail import KEPT_MAX, Tail
from tests.harness.envelopes import recorded
from tests.harness.past import paid

FACT = (paid(1, 1), 0)


def commit(first: int, count: int) -> list[Recorded]:
    return recorded(*[FACT] * count, first=first)


def positions(tail: Tail, after: int, limit: int = 100) -> list[int]:
    return [item.position for item in tail.after(0, after, limit)]


def test_a_feed_that_keeps_up_finds_what_comes_next() -> None:
    tail = Tail(["front"])
    tail.add(commit(1, 3))
    tail.add(commit(4, 2))
    assert positions(tail, 0) == [1, 2, 3, 4, 5]
    assert positions(tail, 3, limit=1) == [4]
    assert positions(tail, 5) == []


def test_a_feed_that_is_further_behind_finds_nothing_and_reads_the_log() -> None:
    tail = Tail(["front"])
    tail.add(commit(10, 3))
    assert positions(tail, 8) == []
    assert positions(tail, 9) == [10, 11, 12]


def test_what_another_process_wrote_in_between_is_never_passed_over() -> None:
    tail = Tail(["front"])
    tail.add(commit(1, 3))
    tail.add(commit(6, 2))
    assert positions(tail, 3) == []
    assert positions(tail, 5) == [6, 7]


def test_shards_are_apart() -> None:
    tail = Tail(["front"])
    other = [Recorded(1, 1, "t", 1, 0, 0, None, b"{}", FACT[0])]
    tail.add([*commit(1, 1), *other, *commit(2, 1)])
    assert positions(tail, 0) == [1, 2]
    assert [item.stream_id for item in tail.after(1, 0, 9)] == ["t"]


def test_what_every_feed_has_seen_is_let_go() -> None:
    tail = Tail(["front", "detail"])
    tail.add(commit(1, 4))
    tail.passed("front", 0, 4)
    assert positions(tail, 0) == [1, 2, 3, 4]
    tail.passed("detail", 0, 2)
    assert positions(tail, 0) == []
    assert positions(tail, 2) == [3, 4]


def test_a_tail_that_nobody_reads_is_bounded() -> None:
    tail = Tail(["front"])
    tail.add(commit(1, KEPT_MAX))
    tail.add(commit(KEPT_MAX + 1, 1))
    assert positions(tail, KEPT_MAX) == [KEPT_MAX + 1]
    assert positions(tail, 1) == []


def test_whoever_waits_is_woken() -> None:
    woken: list[bool] = []
    tail = Tail(["front"])
    tail.on_growth = lambda: woken.append(True)
    tail.add(commit(1, 1))
    assert woken == [True]
