"""`wattledger meter`: install, replace, remove."""

from typing import Annotated

import typer

from adapters.cli.account import (
    Initial,
    InstalledAt,
    Multiplier,
    ServiceKind,
    Wrap,
    point_body,
)
from adapters.cli.account_text import account_text
from adapters.cli.inputs import AccountNo, PointName, Reason, made, moment, registers
from adapters.cli.opening import opened
from adapters.cli.output import Shown
from adapters.cli.verbs import topic, verb
from ledger.commands import meters
from ledger.values import instant

group = topic("meter", "Meters: install, replace, remove, simulate.")
MeterNo = Annotated[str, typer.Argument(metavar="METER", help="Meter number.")]
Final_ = Annotated[
    list[str],
    typer.Option("--final", metavar="REGISTER=VALUE", help="Last value on the meter."),
]
At = Annotated[str | None, typer.Option("--at", help="When it was done (RFC 3339) [now].")]


@verb(group)
def install(  # noqa: PLR0913, PLR0917 - the options of one form
    account: AccountNo,
    meter: MeterNo,
    tariff: Annotated[str, typer.Option(help="Tariff that rates it.")],
    kind: ServiceKind = "electricity",
    policy: Annotated[str | None, typer.Option(help="Control policy [standard].")] = None,
    installed_at: InstalledAt = None,
    initial: Initial = None,
    wrap: Wrap = None,
    multiplier: Multiplier = None,
) -> Shown:
    """Add a service point with its meter to an account."""
    with opened() as here:
        point = point_body(
            here.ledger.clock(),
            here.terms.timezone,
            kind=kind,
            meter=meter,
            tariff=tariff,
            policy=policy,
            installed_at=installed_at,
            initial=initial,
            wrap=wrap,
            multiplier=multiplier,
        )
        command = made(meters.InstallMeter, {"account_no": account, **point})
        answer = meters.install_meter(command, here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body))


@verb(group)
def replace(  # noqa: PLR0913, PLR0917 - the options of one form
    account: AccountNo,
    meter: Annotated[str, typer.Argument(metavar="METER", help="Number of the new meter.")],
    final: Final_,
    reason: Reason,
    initial: Initial = None,
    point: PointName = None,
    at: At = None,
    wrap: Wrap = None,
    multiplier: Multiplier = None,
) -> Shown:
    """Charge to the old meter's last registers, then count on with another meter."""
    with opened() as here:
        body = {
            "account_no": account,
            "service_point": point,
            "replaced_at": moment(at, here.terms.timezone) or instant(here.ledger.clock()),
            "final": registers(final),
            "meter_no": meter,
            "initial": registers(initial or []),
            "wrap": wrap,
            "multiplier": multiplier,
            "reason": reason,
        }
        command = made(meters.ReplaceMeter, body)
        answer = meters.replace(command, here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body))


@verb(group)
def remove(
    account: AccountNo,
    final: Final_,
    reason: Reason,
    point: PointName = None,
    at: At = None,
) -> Shown:
    """Charge to the meter's last registers, then stop charging the service point."""
    with opened() as here:
        body = {
            "account_no": account,
            "service_point": point,
            "removed_at": moment(at, here.terms.timezone) or instant(here.ledger.clock()),
            "final": registers(final),
            "reason": reason,
        }
        answer = meters.remove(made(meters.RemoveMeter, body), here.ledger, here.context)
    hint = f"wattledger account close {account} --reason …"
    return Shown(body=answer.body, human=account_text(answer.body), hint=hint)
