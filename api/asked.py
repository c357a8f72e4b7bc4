"""What a question may say in its URL: pages, times, and how long to wait for the views."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from fastapi import Depends, Path, Query, Request
from starlette.concurrency import run_in_threadpool

from api.auth import service_of
from ledger.commands import Moment as At
from ledger.problems import NotAcceptableError, invalid, unavailable
from ledger.projections.catalogue import DETAIL, FRONT
from ledger.queries import LIMIT_MAX
from ledger.store.history import LATEST, Moment
from ledger.values import micros

WAIT_S: Final = 5.0
LOOK_EVERY_S: Final = 0.01
_POSITION: Final = re.compile(r"([0-9]{1,4}):([0-9]{1,18})")
TEXT: Final = r"^[^\x00-\x1f\x7f]*$"

AccountPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$", examples=["A000001"])]
Cursor = Annotated[str | None, Query(max_length=512, pattern=r"^[A-Za-z0-9_.=-]+$")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Word = Annotated[str, Query(max_length=64, pattern=TEXT)]
Numbered = Annotated[str, Path(pattern=r"^[\x21-\x7e]{1,64}$")]
"""An id that the ledger has minted."""
Level = Annotated[Literal["", "none", "remind", "warn", "trip"], Query()]
Time = Annotated[At | None, Query(examples=["2026-11-22T10:00:00+08:00"])]
After = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9:,]+$",
        max_length=20_000,
        description="Wait until the view has these positions: shard:position,…",
    ),
]
KnownAt = Annotated[
    str | None,
    Query(max_length=64, pattern=TEXT, description="A time (RFC 3339), or shard:position."),
]


def time_us(at: datetime | None, otherwise: int) -> int:
    """Microseconds of a time that was given."""
    return otherwise if at is None else micros(at)


def moment_of(valid_at: datetime | None, known_at: str | None, shard: int) -> Moment:
    """Both axes of time; a position counts in the account's own shard."""
    moment = Moment(valid_at_us=time_us(valid_at, LATEST))
    if known_at is None:
        return moment
    of_shard, colon, position = known_at.partition(":")
    if colon and of_shard.isdecimal() and position.isdecimal():
        if int(of_shard) != shard:
            raise _misplaced("known_at", f"The account is in shard {shard}, not {of_shard[:9]}.")
        return moment._replace(known_position=min(int(position), LATEST))
    return moment._replace(known_at_us=_time("known_at", known_at))


def _time(name: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return micros(at.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise _misplaced(name, "A time with its zone (RFC 3339), or shard:position, is needed.")


def _misplaced(name: str, message: str) -> NotAcceptableError:
    return NotAcceptableError(invalid([((name,), message)]))


def _seen(feed: str) -> Callable[[Request, str | None], Awaitable[None]]:
    async def wait(request: Request, after: After = None) -> None:
        """Wait at most five seconds for the views, else 503 with Retry-After."""
        if after is None:
            return
        positions = _positions(after)
        queries = service_of(request).queries
        until = time.monotonic() + WAIT_S
        while not await run_in_threadpool(queries.has_seen, feed, positions):
            if time.monotonic() > until:
                raise ViewsBehindError
            await asyncio.sleep(LOOK_EVERY_S)

    return wait


def await_heads(request: Request) -> None:
    """Wait until the views hold all that is recorded by now; for what must be whole. Blocks."""
    queries = service_of(request).queries
    heads, until = queries.heads(), time.monotonic() + WAIT_S
    while not all(queries.has_seen(feed, heads) for feed in (FRONT, DETAIL)):
        if time.monotonic() > until:
            raise ViewsBehindError
        time.sleep(LOOK_EVERY_S)


def _positions(after: str) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in after.split(","):
        match = _POSITION.fullmatch(part)
        if match is None:
            raise _misplaced("after", "Positions such as 0:120,1:80 are needed.")
        shard, position = int(match.group(1)), int(match.group(2))
        found[shard] = max(position, found.get(shard, 0))
    return found


class ViewsBehindError(NotAcceptableError):
    """The views have not seen in time what was asked for."""

    def __init__(self) -> None:
        super().__init__(
            unavailable("views_behind", "The views have not seen these positions yet.")
        )


FrontSeen: Final = Depends(_seen(FRONT))
DetailSeen: Final = Depends(_seen(DETAIL))
