"""Routes by area; each names the scope it needs, or says that it is open to all."""

from typing import Final

from fastapi import APIRouter

from api.routers import health, session

ROUTERS: Final[tuple[APIRouter, ...]] = (health.router, session.router)
