"""Tariffs, control policies, groups, sites, meters and gateways."""

from typing import Annotated, Any

from pydantic import Field

from api.answers import (
    AccountNo,
    Count,
    Currency,
    GatewayId,
    Group,
    Level,
    MeterNo,
    Minor,
    Page,
    PointName,
    PolicyId,
    Position,
    Positions,
    Quantity,
    Sha256,
    Site,
    TariffId,
    Time,
    Told,
    Unit,
)
from api.answers.accounts import ServicePoint

Document = Annotated[dict[str, Any], Field(examples=[{"tariff_id": "residential"}])]
Terms = Annotated[dict[str, Any], Field(examples=[{"policy_id": "standard"}])]
Actor = Annotated[str, Field(examples=["user:anna"])]


class TariffRow(Told):
    """A published tariff without its text."""

    tariff_id: TariffId
    version: Count
    """So often it was published."""
    published_at: Time
    sha256: Sha256
    position: Position


class Tariffs(Page[TariffRow]):
    """Published tariffs."""


class TariffShown(TariffRow):
    """A published tariff with its text."""

    document: Document


class TariffVersions(Page[dict[str, Any]]):
    """The versions of a tariff as its document tells them, in order of their first days."""

    items: Annotated[list[dict[str, Any]], Field(examples=[[{"effective_from": "2026-01-01"}]])]


class TariffPublished(Told):
    """A tariff that takes effect, or waits as a draft for a second person."""

    tariff_id: TariffId
    version: Count
    """Of the publication, or the draft's number where it waits."""
    changed: bool
    waits_for_approval: bool = False
    positions: Positions


class TariffApproved(Told):
    """A draft that takes effect."""

    tariff_id: TariffId
    version: Count
    changed: bool
    draft: Count
    approved_by: Actor
    positions: Positions


class Draft(Told):
    """A proposed tariff document that waits for a second person."""

    draft: Count
    drafted_at: Time
    drafted_by: Actor
    sha256: Sha256
    position: Position
    document: Document


class Drafts(Page[Draft]):
    """Drafts of a tariff that wait; the cursor is null."""


class AccountDifference(Told):
    """What an account would have paid otherwise."""

    account_no: AccountNo
    before_minor: Minor
    after_minor: Minor
    difference_minor: Minor


class UnitsDifference(Told):
    """What payments bought, less what went back, and would have bought."""

    before: Quantity
    after: Quantity
    difference: Quantity


class AccountUnits(UnitsDifference):
    """The same of an account."""

    account_no: AccountNo


class UnitsBought(UnitsDifference):
    """The same of all accounts that buy units, and of those that differ most."""

    accounts: Count
    largest: list[AccountUnits]


class Crossed(Told):
    """How many accounts fell so low in the span, before and after; and which would, or would not.

    Nobody is cut whom a no-cut window, a grace, a guarantee, a dispute or protection spares.
    """

    before: Count
    after: Count
    newly: list[AccountNo]
    no_longer: list[AccountNo]


class Distribution(Told):
    """The difference that so many of a hundred accounts do not exceed."""

    p0: Minor
    p5: Minor
    p25: Minor
    p50: Minor
    p75: Minor
    p95: Minor
    p100: Minor


class Preview(Told):
    """What a draft would change on real history; nothing was written."""

    tariff_id: TariffId
    """The tariff whose place the draft takes."""
    currency: Currency
    unit: Unit
    """Of quantities."""
    accounts: Count
    intervals: Count
    refused: Annotated[dict[str, Count], Field(examples=[{"no_price": 1}])]
    """Accounts that the draft cannot rate, by reason."""
    before_minor: Minor
    after_minor: Minor
    difference_minor: Minor
    winners: Count
    losers: Count
    unchanged: Count
    distribution: Distribution
    largest_gains: list[AccountDifference]
    largest_losses: list[AccountDifference]
    units: UnitsBought | None
    """Null where nobody buys units."""
    warned: Crossed
    disconnected: Crossed


class PolicyRow(Told):
    """A control policy without its text."""

    policy_id: PolicyId
    version: Count
    published_at: Time
    sha256: Sha256
    position: Position


class Policies(Page[PolicyRow]):
    """Control policies."""


class PolicyShown(PolicyRow):
    """A control policy with its text."""

    document: Terms


class PolicyPublished(Told):
    """A control policy in force for every decision from now on."""

    policy_id: PolicyId
    version: Count
    changed: bool
    positions: Positions


class Named(Told):
    """A name that accounts share."""

    name: Annotated[str, Field(examples=["East"])]
    accounts: Count


class Names(Page[Named]):
    """Names with the number of their accounts."""


class Meter(ServicePoint):
    """An installed meter, and the account that it counts for."""

    account_no: AccountNo
    site: Site
    group: Group
    alert_level: Level


class Meters(Page[Meter]):
    """Installed meters by their accounts."""


class Line(Told):
    """Where a meter is reached."""

    gateway_id: GatewayId
    unit: Annotated[int, Field(ge=1, le=247, examples=[7])]
    model: Annotated[str, Field(examples=["DDSY1352"])]


class MeterShown(Meter):
    """An installed meter, and the line to it."""

    line: Line | None
    commands: Annotated[list[str], Field(examples=[["close", "recall", "trip"]])]
    """What its model can be ordered to do."""


class MeterConnected(Line):
    """A meter right after it was said where it is reached."""

    meter_no: MeterNo
    account_no: AccountNo
    service_point: PointName
    changed: bool
    positions: Positions


class GatewayRow(Told):
    """A line to meters."""

    gateway_id: GatewayId
    url: Annotated[str, Field(examples=["rtu+tcp://10.0.0.7:502"])]
    site: Site


class Gateway(GatewayRow):
    """The same with what hangs on it."""

    meters: Count
    registered_at: Time


class Gateways(Page[Gateway]):
    """Gateways in order of their ids."""


class GatewayRegistered(GatewayRow):
    """A gateway right after it was registered."""

    changed: bool
    positions: Positions
