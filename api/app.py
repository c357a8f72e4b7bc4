"""The web application around a service; it knows no adapter."""

from fastapi import FastAPI

from api.routers import health
from ledger.service import Service


def create_app(service: Service) -> FastAPI:
    """All routes over a service."""
    app = FastAPI(title="Wattledger", openapi_url="/api/v1/openapi.json", docs_url=None)
    app.state.service = service
    app.include_router(health.router)
    return app
