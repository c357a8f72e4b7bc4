"""Readings over HTTP: batches of at most 5,000, what was charged, and what waits in quarantine."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.answers import readings as told
from api.asked import Cursor, FrontSeen, Limit, Time, Word, time_us
from api.auth import ReadingsReader, ReadingsWriter, service_of
from api.bodies import answered, cause_of, json_response, object_of
from api.contract import answering, taking
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import Command, Json, MeterNo, Moment, record_readings
from ledger.commands.late_readings import Reading
from ledger.commands.quantities import Registers
from ledger.queries import Asked, ReadingsAsked
from ledger.store import Context
from ledger.store.history import LATEST
from ledger.values import micros

BATCH_MAX: Final = 5_000
MeterQuery = Annotated[str, Query(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]

router = APIRouter(prefix="/api/v1", tags=["readings"])


class MeterReading(Command):
    """A meter's registers at a time, as on the meter before its multiplier."""

    meter_no: MeterNo
    at: Moment
    registers: Annotated[Registers, Field(min_length=1, max_length=32)]


class Batch(Command):
    """Readings of one message."""

    readings: tuple[MeterReading, ...]


READINGS: Json = {
    "readings": [
        {"meter_no": "M000001", "at": "2026-11-22T00:00:00Z", "registers": {"total": "1234.5"}}
    ]
}


@router.post(
    "/readings",
    responses=answering(told.BatchTaken),
    openapi_extra=taking(Batch, READINGS),
)
async def record(request: Request, who: ReadingsWriter) -> Response:
    """Record a batch: charged, known already, or kept aside with the reason; never half."""
    body = await object_of(request)
    given = body.get("readings")
    if isinstance(given, list) and len(given) > BATCH_MAX:
        raise Refused("too_large", f"A batch has at most {BATCH_MAX} readings.")
    readings = await run_in_threadpool(_read, body)  # Thousands would hold everybody up.
    await _require_in_reach(request, who, readings)
    ledger = service_of(request).ledger
    context = Context(who.actor, cause_of(request))
    return answered(
        await run_in_threadpool(record_readings.handle, readings, ledger, context), status=200
    )


@router.get("/readings", dependencies=[FrontSeen], responses=answering(told.Readings))
def page(
    request: Request,
    who: ReadingsReader,
    meter_no: MeterQuery,
    from_: Annotated[Time, Query(alias="from")] = None,
    to: Time = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Charged readings of a meter in order of time, wherever it counted."""
    asked = ReadingsAsked(meter_no, time_us(from_, 0), time_us(to, LATEST), cursor, limit)
    return json_response(service_of(request).queries.readings(asked, who.user.reach).body())


@router.get("/quarantine", dependencies=[FrontSeen], responses=answering(told.Quarantine))
def quarantine(
    request: Request,
    who: ReadingsReader,
    meter_no: Word = "",
    account_no: Word = "",
    code: Word = "",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Readings that could not be charged, each with its reason, the newest first."""
    named = {"meter_no": meter_no, "account_no": account_no, "code": code}
    asked = Asked({name: value for name, value in named.items() if value}, cursor, limit)
    return json_response(service_of(request).queries.quarantine(asked, who.user.reach).body())


def _read(body: Json) -> list[Reading]:
    batch = Batch.model_validate(body)
    return [Reading(each.meter_no, micros(each.at), each.registers) for each in batch.readings]


async def _require_in_reach(request: Request, who: Principal, readings: Sequence[Reading]) -> None:
    """Refuse a batch with a meter that counts for an account out of reach."""
    reach = who.user.reach
    if reach.is_everything:
        return
    meters = frozenset(reading.meter_no for reading in readings)
    queries = service_of(request).queries
    for meter_no, account_no, site in await run_in_threadpool(queries.owners, meters):
        if not reach.covers(account_no, site):
            raise Refused("forbidden", f"The meter {meter_no} is not at your sites.")
