"""Reading ahead: the database works on the next rows while the caller works on these."""

import threading
from collections.abc import Generator, Iterable
from queue import Queue
from typing import Final, TypeVar, cast

Item = TypeVar("Item")

_END: Final = object()


def ahead(items: Iterable[Item], most: int) -> Generator[Item, None, None]:
    """The same items in order, taken on a thread of its own; at most so many wait.

    What taking them raises is raised here, after the items before it. A caller who leaves early
    ends the thread with it.
    """
    waiting: Queue[object] = Queue(most)
    raised: list[BaseException] = []
    is_left = threading.Event()

    def take() -> None:
        try:
            for item in items:
                waiting.put(item)
                if is_left.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            raised.append(error)
        waiting.put(_END)

    thread = threading.Thread(target=take, name="ahead", daemon=True)
    thread.start()
    last: object = None
    try:
        while (last := waiting.get()) is not _END:
            yield cast("Item", last)
    finally:
        is_left.set()
        while last is not _END:
            last = waiting.get()
        thread.join()
    if raised:
        raise raised[0]
