"""Drafts of tariffs over HTTP: tried on real history, approved by a second person."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import catalogue as told
from api.asked import FrontSeen
from api.auth import CatalogueReader, CatalogueWriter, account_unknown, service_of
from api.bodies import answered, cause_of, json_response, model_of
from api.contract import answering, taking
from api.routers.catalogue import TARIFF
from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.commands import AccountNo, Command, Identifier, Json, Moment, publish_tariff
from ledger.queries import PreviewAsked, Queries
from ledger.store import Context
from ledger.store.history import LATEST
from ledger.values import micros

router = APIRouter(prefix="/api/v1", tags=["catalogue"])

TariffId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Draft = Annotated[int, Path(ge=1, le=2**31)]
EXAMPLE: Final[Json] = {"document": TARIFF, "accounts": ["A000001"]}


class TryDraft(Command):
    """A draft, the accounts to rate under it (all by default), and the readings to compare."""

    document: dict[str, Any]
    accounts: tuple[AccountNo, ...] | None = None
    readings_after: Moment | None = None
    readings_until: Moment | None = None
    instead_of: Identifier | None = None


@router.post(
    "/tariffs/preview",
    dependencies=[FrontSeen],
    responses=answering(told.Preview, "account_unknown", "tariff_invalid"),
    openapi_extra=taking(TryDraft, EXAMPLE),
)
async def preview(request: Request, who: CatalogueReader) -> Response:
    """Rate accounts again under a draft; nothing is written."""
    wanted = await model_of(request, TryDraft)
    asked = PreviewAsked(
        wanted.document,
        wanted.accounts,
        0 if wanted.readings_after is None else micros(wanted.readings_after),
        LATEST if wanted.readings_until is None else micros(wanted.readings_until),
        wanted.instead_of or "",
        service_of(request).ledger.clock(),
    )
    queries = service_of(request).queries
    await run_in_threadpool(_require_in_reach, queries, who.user.reach, wanted.accounts)
    return json_response(await run_in_threadpool(queries.preview, asked))


@router.get("/tariffs/{tariff_id}/drafts", responses=answering(told.Drafts, "tariff_unknown"))
def drafts(request: Request, _who: CatalogueReader, tariff_id: TariffId) -> Response:
    """Drafts of a tariff that wait for a second person, as the log has them."""
    found = service_of(request).queries.publications("tariff", tariff_id)
    if not found:
        raise Refused("tariff_unknown", f"There is no tariff {tariff_id}, and no draft of it.")
    waiting = [each for each in found if "draft" in each]
    return json_response({"items": waiting, "cursor": None})


@router.post(
    "/tariffs/{tariff_id}/drafts/{draft}/approval",
    status_code=201,
    responses=answering(
        told.TariffApproved,
        *("draft_unknown", "same_person", "tariff_changed", "tariff_version_changed"),
        *("tariff_version_ended_in_the_past", "tariff_version_late"),
        status=201,
    ),
)
async def approve(
    request: Request, who: CatalogueWriter, tariff_id: TariffId, draft: Draft
) -> Response:
    """Let a draft take effect that somebody else has written."""
    ledger = service_of(request).ledger
    context = Context(who.actor, cause_of(request))
    return answered(
        await run_in_threadpool(publish_tariff.approve, tariff_id, draft, ledger, context)
    )


def _require_in_reach(queries: Queries, reach: Reach, account_nos: Sequence[str] | None) -> None:
    """Refuse to rate accounts that the asker may not see."""
    if reach.is_everything:
        return
    if account_nos is None:
        raise Refused("forbidden", "Name accounts at your own sites.")
    for account_no in account_nos:
        site = queries.site_of(account_no)
        if site is None or not reach.covers(account_no, site):
            raise account_unknown(account_no)
