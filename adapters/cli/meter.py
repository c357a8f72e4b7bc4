"""`wattledger meter`: install, replace, remove."""

from typing import Annotated

import typer

from adapters.cli.account_forms import (
    Initial,
    InstalledAt,
    MeterForm,
    Multiplier,
    Policy,
    ServiceKind,
    Wrap,
    change,
    moment_or_now,
)
from adapters.cli.inputs import AccountNo, PointName, Reason, registers
from adapters.cli.output import Shown
from adapters.cli.verbs import topic, verb
from ledger.commands import meters

group = topic("meter", "Meters")
MeterNo = Annotated[str, typer.Argument(metavar="METER", help="Meter number.")]
Final_ = Annotated[
    list[str],
    typer.Option("--final", metavar="REGISTER=VALUE", help="Last value on the meter."),
]
At = Annotated[str | None, typer.Option("--at", help="When it was done (RFC 3339; default: now).")]


@verb(group)
def install(  # noqa: PLR0913, PLR0917 - the options of one form
    account: AccountNo,
    meter: MeterNo,
    tariff: Annotated[str, typer.Option(help="Tariff that rates it.")],
    kind: ServiceKind = "electricity",
    policy: Policy = None,
    installed_at: InstalledAt = None,
    initial: Initial = None,
    wrap: Wrap = None,
    multiplier: Multiplier = None,
) -> Shown:
    """Add a service point with its meter to an account."""
    form = MeterForm(kind, meter, tariff, policy, installed_at, initial, wrap, multiplier)
    return change(
        meters.InstallMeter,
        meters.install_meter,
        lambda here: {"account_no": account, **form.body(here)},
    )


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
    return change(
        meters.ReplaceMeter,
        meters.replace,
        lambda here: {
            "account_no": account,
            "service_point": point,
            "replaced_at": moment_or_now(here, at),
            "final": registers(final),
            "meter_no": meter,
            "initial": registers(initial or []),
            "wrap": wrap,
            "multiplier": multiplier,
            "reason": reason,
        },
    )


@verb(group)
def remove(
    account: AccountNo,
    final: Final_,
    reason: Reason,
    point: PointName = None,
    at: At = None,
) -> Shown:
    """Charge to the meter's last registers, then stop charging the service point."""
    return change(
        meters.RemoveMeter,
        meters.remove,
        lambda here: {
            "account_no": account,
            "service_point": point,
            "removed_at": moment_or_now(here, at),
            "final": registers(final),
            "reason": reason,
        },
        hint=f"wattledger account close {account} --reason …",
    )
