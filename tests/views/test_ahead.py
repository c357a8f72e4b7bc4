"""Reading ahead changes nothing but when things are read."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.views.ahead import ahead

WITHIN_S = 10


@given(st.lists(st.integers()), st.integers(1, 5))
def test_every_item_comes_once_and_in_order(items: list[int], most: int) -> None:
    assert list(ahead(items, most)) == items


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        yield 2
        raise KeyError("third")

    items = ahead(broken(), 1)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(items)


def test_at_most_so_many_items_wait() -> None:
    taken: list[int] = []

    def counting() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    items = ahead(counting(), 3)
    for _ in range(10):
        next(items)
        assert len(taken) <= 10 + 3 + 1
    items.close()


def test_who_leaves_early_ends_the_reading() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    items = ahead(endless(), 2)
    assert next(items) == 1
    items.close()
    assert closed.wait(WITHIN_S)
    assert not any(thread.name == "ahead" for thread in threading.enumerate())
