"""Passes over the log for all feeds: side by side where the database takes several writers."""

import gc
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Final

from sqlalchemy import Engine, func, select

from adapters.store.engine import create_engine
from adapters.store.tables import log_heads
from adapters.views.rebuild import Progress, Rebuild, Rebuilt
from ledger.projections.catalogue import FeedSpec, feeds

LOOK_S: Final = 0.2
LONG: Final = 200_000
"""So many events are worth the start of processes."""

_counters: list["Synchronized[int]"] = []


def run_passes(
    engine: Engine, timezone: str, *, swap: bool, accept: bool, on_progress: Progress
) -> list[Rebuilt]:
    """Build every view beside the live one; feeds in their order."""
    specs = feeds(timezone)
    if engine.dialect.name == "sqlite" or _length(engine) < LONG:
        return [
            rebuilt
            for spec in specs
            for rebuilt in _pass(engine, spec, swap=swap, accept=accept, on_progress=on_progress)
        ]
    context = get_context("spawn")
    counters: list[Any] = [context.Value("q", 0) for _ in range(2 * len(specs))]
    url = engine.url.render_as_string(hide_password=False)
    with ProcessPoolExecutor(
        len(specs),
        mp_context=context,
        initializer=_as_parent,
        initargs=(counters, gc.get_threshold()),
    ) as pool:
        running = [
            pool.submit(_pass_in_child, url, timezone, number, swap, accept)
            for number in range(len(specs))
        ]
        _watch(running, counters, on_progress)
        return [rebuilt for each in running for rebuilt in each.result()]


def _length(engine: Engine) -> int:
    with engine.execution_options(read_only=True).begin() as connection:
        return int(connection.scalar(select(func.sum(log_heads.c.position))) or 0)


def _pass(
    engine: Engine, spec: FeedSpec, *, swap: bool, accept: bool, on_progress: Progress
) -> list[Rebuilt]:
    one = Rebuild(engine, spec.name, spec.projections)
    return one.run(swap=swap, accept=accept, on_progress=on_progress)


def _watch(
    running: Sequence["Future[list[Rebuilt]]"], counters: Sequence[Any], on_progress: Progress
) -> None:
    """Tell how far the passes have come on average; each has the whole log before it."""
    is_done = False
    while not is_done:
        is_done = not wait(running, LOOK_S).not_done
        passed = sum(counter.value for counter in counters[::2])
        on_progress(passed // len(running), max(counter.value for counter in counters[1::2]))


def _as_parent(counters: list["Synchronized[int]"], collect_after: tuple[int, int, int]) -> None:
    _counters.extend(counters)
    gc.set_threshold(*collect_after)  # Facts and rows by the million hold no cycles.


def _pass_in_child(
    url: str,
    timezone: str,
    number: int,
    swap: bool,  # noqa: FBT001 - handed to another process by position
    accept: bool,  # noqa: FBT001 - the same
) -> list[Rebuilt]:
    done, total = _counters[2 * number : 2 * number + 2]

    def told(events: int, in_all: int) -> None:
        done.value, total.value = events, in_all

    engine = create_engine(url)
    try:
        spec = feeds(timezone)[number]
        return _pass(engine, spec, swap=swap, accept=accept, on_progress=told)
    finally:
        engine.dispose()
