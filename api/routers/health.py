"""Is it alive, and is it ready: what a supervisor asks."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.answers.watch import Alive, NotReady, Ready
from api.auth import Anyone, service_of
from api.bodies import json_response
from api.contract import answering

LAG_MAX: Final = 50_000
"""Views further behind than this many events are not shown to anybody as the present."""

router = APIRouter(tags=["health"], dependencies=[Anyone])


@router.get("/healthz", responses=answering(Alive))
def healthz() -> Response:
    """The process answers."""
    return json_response({"status": "ok"})


@router.get("/readyz", responses={**answering(Ready), 503: {"model": NotReady}})
def readyz(request: Request) -> Response:
    """The database answers and the views are close behind the log; else 503."""
    try:
        lag = service_of(request).views.lag()
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
        return json_response({"status": "unavailable", "detail": type(error).__name__}, 503)
    if any(events > LAG_MAX for events in lag.values()):
        return json_response({"status": "behind", "lag": lag}, 503)
    return json_response({"status": "ready", "lag": lag})
