"""What changes (实时): one small message a second for all who look, saying where to look again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.auth import AccountsReader, service_of
from ledger.queries import Changes, Queries

FEED: Final = "front"
EVERY_S: Final = 1.0
PING_EVERY: Final = 15
"""Silent seconds after which a line is sent, so that proxies keep the stream open."""
NAMED_MAX: Final = 200
"""More accounts than this are not named: everybody looks again."""
RETRY: Final = b"retry: 2000\n\n"

router = APIRouter(include_in_schema=False)


class Pulse:
    """Asks the read side once a second while anybody listens, and tells all of them."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._reached: dict[int, int] = {}
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._beating: asyncio.Task[None] | None = None

    async def listen(self, *, is_named: bool) -> AsyncIterator[bytes]:
        """Messages as they are sent; without account numbers for those who may not see all."""
        told: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=PING_EVERY)
        self._listeners.add(told)
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat())
        try:
            yield RETRY
            yield _message(self._reached, Changes(frozenset(), frozenset()))
            while True:
                try:
                    message = await asyncio.wait_for(told.get(), PING_EVERY)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if message is None:
                    return
                yield message if is_named else _ANYTHING
        finally:
            self._listeners.discard(told)
            if not self._listeners and self._beating is not None:
                self._beating.cancel()
                self._beating = None

    def end(self) -> None:
        """Let every stream end, so that a server can stop."""
        for told in tuple(self._listeners):
            _tell(told, None)

    async def _beat(self) -> None:
        self._reached = await run_in_threadpool(self._queries.reached, FEED)
        while True:
            await asyncio.sleep(EVERY_S)
            message = await run_in_threadpool(self._look)
            if message is not None:
                for told in tuple(self._listeners):
                    _tell(told, message)

    def _look(self) -> bytes | None:
        until = self._queries.reached(FEED)
        if until == self._reached:
            return None
        changes = self._queries.changed(self._reached, until, NAMED_MAX)
        self._reached = until
        return _message(until, changes)


def _tell(told: "asyncio.Queue[bytes | None]", message: bytes | None) -> None:
    """Give a message; somebody too slow for it is told the next one."""
    if told.full():
        told.get_nowait()
    told.put_nowait(message)


def _message(reached: dict[int, int], changes: Changes) -> bytes:
    """`accounts` is null where too many changed to name them."""
    body = {
        "accounts": None if changes.is_cut else sorted(changes.account_nos),
        "topics": sorted({topic.partition(".")[0] for topic in changes.topics}),
    }
    at = ",".join(f"{shard}:{position}" for shard, position in sorted(reached.items()))
    return b"id: " + at.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


_ANYTHING: Final = b'data: {"accounts":null,"topics":[]}\n\n'


@router.get("/live")
async def live(
    request: Request,
    principal: AccountsReader,
    last_event_id: Annotated[str, Header()] = "",
) -> StreamingResponse:
    """The stream of a browser; one that comes back is told to look again at everything."""
    service_of(request)
    pulse: Pulse = request.app.state.pulse
    stream = pulse.listen(is_named=principal.user.reach.is_everything)

    async def resumed() -> AsyncIterator[bytes]:
        if last_event_id:
            yield _ANYTHING
        async for message in stream:
            yield message

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(resumed(), media_type="text/event-stream", headers=headers)
