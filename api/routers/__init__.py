"""Routes by area; each names the scope it needs, or says that it is open to all."""

from typing import Final

from fastapi import APIRouter

from api.routers import (
    account_changes,
    accounts,
    batches,
    catalogue,
    control,
    corrections,
    finance,
    health,
    money,
    readings,
    session,
    tariff_drafts,
    trips,
    watch,
)

ROUTERS: Final[tuple[APIRouter, ...]] = (
    money.router,  # First: most requests are recharges and readings.
    readings.router,
    accounts.router,
    account_changes.router,
    control.router,
    batches.router,
    trips.router,
    corrections.router,
    tariff_drafts.router,
    catalogue.router,
    finance.router,
    watch.router,
    session.router,
    health.router,
)
