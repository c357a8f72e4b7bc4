"""Is it alive, and is it ready: what a supervisor asks."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.auth import Anyone, service_of

LAG_MAX: Final = 50_000
"""Views further behind than this many events are not shown to anybody as the present."""

router = APIRouter(tags=["health"], dependencies=[Anyone])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request, response: Response) -> dict[str, object]:
    """The database answers and the views are close behind the log; else 503."""
    try:
        lag = service_of(request).views.lag()
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready
        response.status_code = 503
        return {"status": "unavailable", "detail": type(error).__name__}
    behind = {feed: events for feed, events in lag.items() if events > LAG_MAX}
    if behind:
        response.status_code = 503
    return {"status": "behind" if behind else "ready", "lag": lag}
