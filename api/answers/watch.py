"""What happens, who is signed in, and whether all is well."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Count,
    Currency,
    Group,
    Minor,
    Page,
    Site,
    Told,
)
from api.answers.accounts import Decision

UserId = Annotated[str, Field(examples=["anna"])]
Role = Literal[
    "operator",
    "cashier",
    "engineer",
    "tariff_manager",
    "finance",
    "auditor",
    "admin",
    "customer",
]
Feeds = Annotated[dict[str, int], Field(examples=[{"front": 0, "detail": 12}])]


class Alert(Decision):
    """A level that holds now."""

    site: Site
    group: Group
    available_minor: Minor
    currency: Currency


class Alerts(Page[Alert]):
    """Levels that hold now, the newest first."""


class Levels(Told):
    """Accounts by their highest level."""

    none: Count
    remind: Count
    warn: Count
    trip: Count


class BalanceSum(Told):
    """All balances of a currency."""

    currency: Currency
    balance_minor: Minor


class Totals(Told):
    """Sums of everything in reach."""

    accounts: Count
    service_points: Count
    supply_off: Count
    alert_levels: Levels
    balances: list[BalanceSum]


class SignedIn(Told):
    """Who has signed in."""

    user_id: UserId
    role: Role


class Session(SignedIn):
    """Who is signed in, and what is granted."""

    scopes: Annotated[list[str], Field(examples=[["accounts:read"]])]
    sites: list[Site]
    """Empty where every site is in reach."""
    account_no: AccountNo | None
    csrf_token: Annotated[str | None, Field(examples=["c0ffee"])]
    """Null for an API token, which needs none."""


class Alive(Told):
    """The process answers."""

    status: Literal["ok"]


class Ready(Told):
    """The database answers and the views are close behind the log."""

    status: Literal["ready"]
    lag: Feeds


class NotReady(Told):
    """Why nobody should be sent here now."""

    status: Literal["behind", "unavailable"]
    lag: Feeds = Field(default_factory=dict)
    """Events that each feed has not seen yet, where the database answers."""
    detail: Annotated[str, Field(examples=["OperationalError"])] = ""


Contract = Annotated[dict[str, Any], Field(examples=[{"openapi": "3.1.0"}])]
