"""Forms about an account: the options of a meter, and how any of them is handed over and shown."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, NamedTuple

import typer

from adapters.cli.account_text import account_text
from adapters.cli.inputs import CommandType, made, moment, registers
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown
from ledger.commands import Json
from ledger.store import Answer, Context, Ledger
from ledger.values import instant

ServiceKind = Annotated[
    str, typer.Option("--kind", help="electricity, water, hot_water, gas, heat.")
]
Policy = Annotated[str | None, typer.Option(help="Control policy (default: standard).")]
InstalledAt = Annotated[
    str | None, typer.Option(help="When the meter began to count (RFC 3339; default: now).")
]
Initial = Annotated[
    list[str] | None,
    typer.Option(metavar="REGISTER=VALUE", help="First value on the meter, such as total=0."),
]
Wrap = Annotated[str | None, typer.Option(help="Where the meter begins anew (default: 1000000).")]
Multiplier = Annotated[str | None, typer.Option(help="Transformer ratio (default: 1).")]

Handle = Callable[[CommandType, Ledger, Context], Answer]


class MeterForm(NamedTuple):
    """The options of a meter that begins to count, as they were given."""

    service_kind: str
    meter_no: str
    tariff_id: str | None
    policy_id: str | None
    installed_at: str | None
    initial: list[str] | None
    wrap: str | None
    multiplier: str | None

    def body(self, here: Opened, timezone: str | None = None) -> Json:
        """A service point as the API takes it; times without a zone are those of `timezone`."""
        filled = {
            **self._asdict(),
            "installed_at": moment_or_now(here, self.installed_at, timezone),
            "initial": registers(self.initial or []),
        }
        return {name: value for name, value in filled.items() if value is not None}


def moment_or_now(here: Opened, text: str | None, timezone: str | None = None) -> datetime:
    """A stated time, or now."""
    stated: datetime | None = moment(text, timezone or here.terms.timezone)
    return stated or instant(here.ledger.clock())


def change(
    command: type[CommandType],
    handle: Handle[CommandType],
    body: Callable[[Opened], Json],
    hint: str = "",
) -> Shown:
    """Fill in a form, hand it over, and show the account as it is then."""
    with opened() as here:
        answer = handle(made(command, body(here)), here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body), hint=hint)
