"""Work that goes on beside a test, and ends with it however the test ends."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Found = TypeVar("Found")
IsOver = Callable[[], bool]


@contextmanager
def going_on(*works: Callable[[IsOver], Found]) -> "Iterator[list[Future[Found]]]":
    """Let each work go on in a thread until it is told that the block is over.

    A test that fails would otherwise wait for ever for threads that nobody tells to stop.
    """
    over = threading.Event()
    with ThreadPoolExecutor(len(works)) as pool:
        try:
            yield [pool.submit(work, over.is_set) for work in works]
        finally:
            over.set()
