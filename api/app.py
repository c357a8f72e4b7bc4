"""The web application around a service; it knows no adapter."""

from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from api import console, metrics, openapi
from api.auth import require_guards
from api.mailbox import Mailboxes
from api.metrics import Metrics
from api.middleware import Porter
from api.problems import tell_problems
from api.routers import ROUTERS
from api.stream import Stream
from ledger.access import Users
from ledger.problems import Meaning
from ledger.service import Service

SILENT: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
"""The framework's own spans and figures; ours are in `api.metrics`."""


def create_app(service: Service, users: Users, meanings: Sequence[Meaning] = ()) -> FastAPI:
    """All routes over a service; `meanings` are those of its drivers' errors."""
    app = FastAPI(
        title="Wattledger", openapi_url=None, docs_url=None, redoc_url=None, telemetry=SILENT
    )
    app.state.service = service
    app.state.users = users
    app.state.metrics = Metrics()
    app.state.running = set()
    app.state.mail = Mailboxes()
    app.state.stream = Stream(service.queries)
    tell_problems(app, meanings)
    app.add_middleware(Porter, new_id=service.ledger.new_id, metrics=app.state.metrics)
    for router in (*ROUTERS, metrics.router, openapi.router):
        app.routes.extend(router.routes)  # Plain routes: nothing is looked up twice.
    console.install(app, service)
    openapi.describe(app)
    require_guards(app)
    return app
