"""The books' side: what accounts held, moved and were charged for on days of booking."""

from typing import Annotated, Literal

from pydantic import Field

from api.answers import (
    AccountNo,
    Currency,
    Day,
    Group,
    Level,
    Minor,
    Page,
    Quantity,
    Site,
    Switch,
    Told,
)


class DayRow(Told):
    """An account over the days that were asked for, by when its facts were booked.

    `closing = opening + recharged - reversed + adjusted - charged + granted_used + units_used
    - units_bought`, to the last minor unit; the same holds for the granted wallet.
    """

    account_no: AccountNo
    site: Site
    group: Group
    status: Literal["open", "closed"]
    currency: Currency
    from_: Annotated[Day, Field(alias="from")]
    to: Day
    opening_minor: Minor
    recharged_minor: Minor
    reversed_minor: Minor
    charged_minor: Minor
    """What was charged, whoever paid it: the balance, granted money, or units held."""
    adjusted_minor: Minor
    granted_minor: Minor
    granted_used_minor: Minor
    units_bought_minor: Minor
    units_used_minor: Minor
    closing_minor: Minor
    granted_opening_minor: Minor
    granted_closing_minor: Minor
    quantity_kwh: Quantity
    """What the charges are for."""
    quantity_m3: Quantity
    alert_level: Level
    """As it is now, like the supply."""
    supply_intended: Literal["", "on", "off"]
    """Off where any point is; empty where nothing is supplied."""
    supply_actual: Literal["", Switch]


class Days(Page[DayRow]):
    """Accounts that were booked to by the last of these days."""
