"""Drafts of tariffs over HTTP: tried on real history, approved by a second person."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.asked import FrontSeen
from api.auth import CatalogueReader, CatalogueWriter, service_of
from api.bodies import answered, cause_of, json_response, model_of, taking
from ledger.commands import AccountNo, Command, Identifier, Json, Moment, publish_tariff
from ledger.queries import PreviewAsked
from ledger.store import Context
from ledger.store.history import LATEST
from ledger.values import micros

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

TariffId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Draft = Annotated[int, Path(ge=1, le=2**31)]
EXAMPLE: Final[Json] = {"document": {}, "accounts": ["A1"]}


class TryDraft(Command):
    """A draft, the accounts to rate under it (all by default), and the readings to compare."""

    document: dict[str, Any]
    accounts: tuple[AccountNo, ...] | None = None
    readings_after: Moment | None = None
    readings_until: Moment | None = None
    instead_of: Identifier | None = None


@router.post("/tariffs/preview", dependencies=[FrontSeen], openapi_extra=taking(TryDraft, EXAMPLE))
async def preview(request: Request, _who: CatalogueReader) -> Response:
    """Rate accounts again under a draft; nothing is written."""
    wanted = await model_of(request, TryDraft)
    asked = PreviewAsked(
        wanted.document,
        wanted.accounts,
        0 if wanted.readings_after is None else micros(wanted.readings_after),
        LATEST if wanted.readings_until is None else micros(wanted.readings_until),
        wanted.instead_of or "",
    )
    queries = service_of(request).queries
    return json_response(await run_in_threadpool(queries.preview, asked))


@router.post("/tariffs/{tariff_id}/drafts/{draft}/approval", status_code=201)
async def approve(
    request: Request, who: CatalogueWriter, tariff_id: TariffId, draft: Draft
) -> Response:
    """Let a draft take effect that somebody else has written."""
    ledger = service_of(request).ledger
    context = Context(who.actor, cause_of(request))
    return answered(
        await run_in_threadpool(publish_tariff.approve, tariff_id, draft, ledger, context)
    )
