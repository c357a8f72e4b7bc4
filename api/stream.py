"""What changes, told as it happens: one look at the log a second, shared by all who listen."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool

from ledger.access import Reach
from ledger.commands import Json
from ledger.projections.catalogue import FRONT
from ledger.queries import Changes, Queries

EVERY_S: Final = 1.0
PING_S: Final = 15.0
"""Silence after which a comment is sent, so that proxies keep the stream open."""
EVENTS_MAX: Final = 2_000
"""So many events a second are looked into; behind more, everybody looks again at everything."""
ROWS_MAX: Final = 200
WAITING_MAX: Final = 8
RETRY: Final = b"retry: 2000\n\n"

VIEWS: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": ("account.", "meter."),
    "alerts": (
        "account.reminded",
        "account.warned",
        "account.warning_cancelled",
        "account.supply_",
    ),
    "commands": ("command.", "command_batch.", "work_order."),
}
"""Topics whose events change a view."""

Positions = Mapping[int, int]

log: Final = structlog.get_logger("api")


class Told(NamedTuple):
    """What one look has found: of which views, and the accounts with their sites as they are."""

    until: Positions
    changes: Changes
    accounts: Sequence[Json]


Said = Callable[[Told, Sequence[str], Reach], list[bytes]]
"""How what was found is told to one listener."""


class Stream:
    """Looks once a second while anybody listens; whoever is too slow is told to look again."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._listeners: set[asyncio.Queue[Told | None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._is_over = False

    async def listen(
        self,
        views: Sequence[str],
        reach: Reach,
        last_event_id: str,
        said: "Said | None" = None,
    ) -> AsyncIterator[bytes]:
        """Messages of some views, about accounts in reach, until told to stop."""
        said = said or _messages
        told: asyncio.Queue[Told | None] = asyncio.Queue(maxsize=WAITING_MAX)
        self._listeners.add(told)
        try:
            yield RETRY
            begun = await run_in_threadpool(self._begin, last_event_id)
            for message in said(begun, views, reach):
                yield message
            if self._looking is None and not self._is_over:
                self._looking = asyncio.create_task(self._look_on(begun.until))
            while not self._is_over:
                try:
                    found = await asyncio.wait_for(told.get(), PING_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if found is None:
                    return
                for message in said(found, views, reach):
                    yield message
        finally:
            self._listeners.discard(told)
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def end(self) -> None:
        """Let every stream end, so that the server can stop."""
        self._is_over = True
        for told in tuple(self._listeners):
            _put(told, None)

    async def _look_on(self, since: Positions) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                found = await run_in_threadpool(self._look, since)
            except Exception:
                log.exception("the stream could not look and tries again")
                continue
            if found is not None:
                since = found.until
                for told in tuple(self._listeners):
                    _put(told, found)

    def _look(self, since: Positions) -> Told | None:
        until = self._queries.reached(FRONT)
        if until == since:
            return None
        changes = self._queries.changed(since, until, EVENTS_MAX)
        if changes.is_cut or len(changes.account_nos) > ROWS_MAX:
            return Told(until, changes._replace(is_cut=True), ())
        return Told(until, changes, self._queries.accounts_numbered(changes.account_nos))

    def _begin(self, last_event_id: str) -> Told:
        since = _positions(last_event_id)
        found = None if since is None else self._look(since)
        return found or Told(self._queries.reached(FRONT), Changes(frozenset(), frozenset()), ())


def _put(told: "asyncio.Queue[Told | None]", found: Told | None) -> None:
    if told.full():  # Too slow: what was missed is made good by looking again.
        while not told.empty():
            told.get_nowait()
        if found is not None:
            found = Told(found.until, found.changes._replace(is_cut=True), ())
    told.put_nowait(found)


def _messages(told: Told, views: Sequence[str], reach: Reach) -> list[bytes]:
    """One message for each view that changed; the first one tells where the stream begins."""
    at = ",".join(f"{shard}:{position}" for shard, position in sorted(told.until.items()))
    seen = [body for body in told.accounts if reach.covers(body["account_no"], body["site"])]
    if not told.changes.topics:
        return [_message("ready", at, {"positions": _texts(told.until)})]
    if not (told.changes.is_cut or seen or reach.is_everything):
        return []
    body = {
        "positions": _texts(told.until),
        "accounts": None if told.changes.is_cut else [_row(account) for account in seen],
    }
    changed = (view for view in views if _is_changed(view, told.changes))
    return [_message(view, at, body) for view in changed]


def _is_changed(view: str, changes: Changes) -> bool:
    return changes.is_cut or any(topic.startswith(VIEWS[view]) for topic in changes.topics)


def _message(event: str, at: str, body: Json) -> bytes:
    data = msgspec.json.encode(body)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (at.encode(), event.encode(), data)


def _texts(positions: Positions) -> dict[str, int]:
    return {str(shard): position for shard, position in positions.items()}


def _row(body: Json) -> Json:
    """The part of an account that moves."""
    kept = ("account_no", "balance_minor", "available_minor", "currency", "days_left")
    return {
        **{name: body[name] for name in kept},
        "alert_level": body["alert_level"],
        "supply": {point["service_point"]: point["supply"] for point in body["service_points"]},
        "position": body["position"],
    }


def _positions(text: str) -> dict[int, int] | None:
    """Positions of a stream's id; None where it is none of ours."""
    try:
        parts = (part.split(":") for part in text.split(","))
        return {int(shard): int(position) for shard, position in parts} if text else None
    except ValueError:
        return None
