"""Answers of the committer brought into the event loop together: one wake-up for a whole batch.

`asyncio.wrap_future` wakes the loop for each answer, and each time the committer, in the middle of
answering its batch, gives the interpreter away.
"""

import asyncio
from collections import deque
from concurrent.futures import Future
from weakref import WeakKeyDictionary

from ledger.store import Answer

Waiter = asyncio.Future[Answer]


class Mailbox:
    """What has arrived for the waiters of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[tuple[Waiter, Future[Answer]]] = deque()
        self._is_rung = False

    async def answer(self, asked: "Future[Answer]") -> Answer:
        """Wait for an answer, or raise what it raises."""
        waiter: Waiter = self._loop.create_future()
        asked.add_done_callback(lambda done: self._put(waiter, done))
        return await waiter

    def _put(self, waiter: Waiter, done: "Future[Answer]") -> None:
        """Take an answer in (called by the committer); ring unless somebody is on the way."""
        self._arrived.append((waiter, done))
        if not self._is_rung:
            self._is_rung = True
            self._loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        self._is_rung = False  # First: what arrives from here on rings again.
        while self._arrived:
            waiter, done = self._arrived.popleft()
            if waiter.done():
                continue
            error = done.exception()
            if error is None:
                waiter.set_result(done.result())
            else:
                waiter.set_exception(error)


class Mailboxes:
    """One mailbox for each event loop that serves the application."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[asyncio.AbstractEventLoop, Mailbox] = WeakKeyDictionary()

    async def answer(self, asked: "Future[Answer]") -> Answer:
        """Wait for an answer in the running loop."""
        loop = asyncio.get_running_loop()
        found = self._known.get(loop)
        if found is None:
            found = self._known[loop] = Mailbox(loop)
        return await found.answer(asked)
