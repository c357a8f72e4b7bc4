"""The console: pages made on the server over the same doors and questions as the JSON API."""

from typing import Final

from fastapi import APIRouter, FastAPI

from api.console import (
    account,
    alerts,
    assets,
    batch,
    batches,
    catalogue,
    command,
    commands,
    daily_report,
    guide,
    live,
    login,
    monitor,
    recharge,
    trips,
)
from api.console.failures import Presented
from api.console.names import Names
from api.console.sums import SumBook
from ledger.service import Service

ROUTERS: Final[tuple[APIRouter, ...]] = (
    assets.router,
    login.router,
    monitor.router,
    account.router,
    recharge.router,
    command.router,
    commands.router,
    trips.router,
    batch.router,
    batches.router,
    alerts.router,
    catalogue.router,
    daily_report.router,
    live.router,
    guide.router,
)


def install(app: FastAPI, service: Service) -> None:
    """Add the pages; problems of any route are then shown to browsers as a page."""
    app.state.names = Names(service.ledger)
    app.state.sums = SumBook(service.queries)
    guide.install(app, None)
    app.add_middleware(Presented)
    for router in ROUTERS:
        app.routes.extend(router.routes)
