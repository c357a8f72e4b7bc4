"""What changes (实时), in few bytes: which accounts to look at again, and not how they are."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from api.auth import AccountsReader
from api.stream import VIEWS, Stream, Told
from ledger.access import Reach

router = APIRouter(include_in_schema=False)


@router.get("/live")
async def live(
    request: Request,
    principal: AccountsReader,
    last_event_id: Annotated[str, Header(max_length=20_000)] = "",
) -> StreamingResponse:
    """The stream of a browser: a message a second at most, whatever its tabs look at."""
    stream: Stream = request.app.state.stream
    messages = stream.listen(tuple(VIEWS), principal.user.reach, last_event_id, numbers)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(messages, media_type="text/event-stream", headers=headers)


def numbers(told: Told, _views: Sequence[str], reach: Reach) -> list[bytes]:
    """Numbers of the accounts in reach that changed; null where they are too many to name."""
    if not told.changes.topics:
        return []
    seen = [b["account_no"] for b in told.accounts if reach.covers(b["account_no"], b["site"])]
    topics = sorted({topic.partition(".")[0] for topic in told.changes.topics})
    if not (told.changes.is_cut or seen or {"command", "command_batch"} & {*topics}):
        return []
    body = {"accounts": None if told.changes.is_cut else seen, "topics": topics}
    at = ",".join(f"{shard}:{position}" for shard, position in sorted(told.until.items()))
    return [b"id: %b\ndata: %b\n\n" % (at.encode(), msgspec.json.encode(body))]
