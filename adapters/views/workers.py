"""Long work on one database: here, or by processes side by side where it is worth their start."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Final, TypeVar

from sqlalchemy import Engine

from adapters.store.engine import create_engine

LOOK_S: Final = 0.2
Job = TypeVar("Job")
Result = TypeVar("Result")
Counted = Callable[[int], None]
"""Called with how much more is done."""
Work = Callable[[Engine, Counted, Job], Result]

_counters: list[Any] = []
"""In a process of its own: what it counts on."""


class Here:
    """One job after the other, in this process."""

    count = 1

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def do(self, work: Work[Job, Result], jobs: Sequence[Job], counted: Counted) -> list[Result]:
        """Do one kind of work on every job."""
        return [work(self._engine, counted, job) for job in jobs]


class Processes:
    """A process for each core; each opens the database for itself."""

    def __init__(self, url: str, pool: ProcessPoolExecutor, counter: Any) -> None:  # noqa: ANN401 - shared memory
        self.count = os.cpu_count() or 1
        self._url = url
        self._pool = pool
        self._counter = counter
        self._told = 0

    def do(self, work: Work[Job, Result], jobs: Sequence[Job], counted: Counted) -> list[Result]:
        """Do one kind of work on every job; the first that fails ends it."""
        running = [self._pool.submit(_in_child, self._url, work, job) for job in jobs]
        is_over = False
        while not is_over:
            looked = wait(running, LOOK_S, FIRST_EXCEPTION)
            is_over = not looked.not_done or any(each.exception() for each in looked.done)
            done = self._counter.value
            counted(done - self._told)
            self._told = done
        return [each.result() for each in running]


Workers = Here | Processes
"""Who does jobs; all of one call are done when it returns, in their order."""


@contextmanager
def workers(engine: Engine, *, is_long: bool) -> Iterator[Workers]:
    """Processes for long work on a database that they can open; otherwise this one."""
    if not is_long or engine.url.database in {None, "", ":memory:"}:
        yield Here(engine)
        return
    context = get_context("spawn")
    counter = context.Value("q", 0)
    pool = ProcessPoolExecutor(
        os.cpu_count(), mp_context=context, initializer=_count_on, initargs=(counter,)
    )
    try:
        yield Processes(engine.url.render_as_string(hide_password=False), pool, counter)
    finally:
        pool.shutdown(cancel_futures=True)


def _count_on(counter: Any) -> None:  # noqa: ANN401 - shared memory
    _counters.append(counter)


def _in_child(url: str, work: Work[Job, Result], job: Job) -> Result:
    (counter,) = _counters

    def counted(more: int) -> None:
        with counter.get_lock():
            counter.value += more

    engine = create_engine(url)
    try:
        return work(engine, counted, job)
    finally:
        engine.dispose()
