"""`wattledger account`: open, show, list, assign, close."""

from typing import Annotated

import typer

from adapters.cli.account_text import account_list, account_text, wallets
from adapters.cli.inputs import AccountNo, PointName, Reason, made, moment, registers
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from ledger.aggregates import Refused
from ledger.commands import Json, assign, close_account, open_account
from ledger.values import instant

group = topic("account", "Accounts: open, show, list, import, assign, close.")
ServiceKind = Annotated[
    str, typer.Option("--kind", help="electricity, water, hot_water, gas, heat.")
]
InstalledAt = Annotated[
    str | None, typer.Option(help="When the meter began to count (RFC 3339) [now].")
]
Initial = Annotated[
    list[str] | None,
    typer.Option(metavar="REGISTER=VALUE", help="First value on the meter, such as total=0."),
]
Wrap = Annotated[str | None, typer.Option(help="Where the meter begins anew [1000000].")]
Multiplier = Annotated[str | None, typer.Option(help="Transformer ratio [1].")]


def point_body(  # noqa: PLR0913 - the fields of one form
    now_us: int,
    timezone: str,
    *,
    kind: str,
    meter: str,
    tariff: str | None,
    policy: str | None,
    installed_at: str | None,
    initial: list[str] | None,
    wrap: str | None,
    multiplier: str | None,
) -> Json:
    """A service point as the API takes it."""
    body = {
        "service_kind": kind,
        "meter_no": meter,
        "tariff_id": tariff,
        "policy_id": policy,
        "installed_at": moment(installed_at, timezone) or instant(now_us),
        "initial": registers(initial or []),
        "wrap": wrap,
        "multiplier": multiplier,
    }
    return {name: value for name, value in body.items() if value is not None}


@verb(group, "open")
def open_(  # noqa: PLR0913, PLR0917 - the options of one form
    account: AccountNo,
    name: Annotated[str | None, typer.Option(help="Sealed, never in an event.")] = None,
    phone: Annotated[str | None, typer.Option(help="Sealed.")] = None,
    address: Annotated[str | None, typer.Option(help="Sealed.")] = None,
    site: Annotated[str | None, typer.Option()] = None,
    group: Annotated[str | None, typer.Option(help="User group.")] = None,
    currency: Annotated[str | None, typer.Option(help="Default: the ledger's.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Default: the ledger's.")] = None,
    meter: Annotated[str | None, typer.Option(help="Number of the first meter.")] = None,
    kind: ServiceKind = "electricity",
    tariff: Annotated[str | None, typer.Option(help="Tariff of the first meter.")] = None,
    policy: Annotated[str | None, typer.Option(help="Control policy [standard].")] = None,
    installed_at: InstalledAt = None,
    initial: Initial = None,
    wrap: Wrap = None,
    multiplier: Multiplier = None,
) -> Shown:
    """Open an account, with its first meter where one is given."""
    with opened() as here:
        body: Json = {
            "account_no": account,
            "name": name,
            "phone": phone,
            "address": address,
            "site": site,
            "group": group,
            "currency": currency,
            "timezone": timezone,
        }
        if meter is not None:
            point = point_body(
                here.ledger.clock(),
                timezone or here.terms.timezone,
                kind=kind,
                meter=meter,
                tariff=tariff,
                policy=policy,
                installed_at=installed_at,
                initial=initial,
                wrap=wrap,
                multiplier=multiplier,
            )
            body["service_points"] = [point]
        command = made(open_account.OpenAccount, body)
        answer = open_account.handle(command, here.ledger, here.context)
    hint = f"wattledger recharge {account} 100 --channel cash --txn T1"
    return Shown(body=answer.body, human=account_text(answer.body), hint=hint)


@verb(group)
def show(account: AccountNo) -> Shown:
    """Show an account as it stands, with the names that are sealed."""
    with opened() as here:
        found = here.views().account(account)
        if found is None:
            raise Refused("account_unknown", f"There is no account {account}.")
        body = {**found, **here.ledger.vault.unseal(here.ledger.shard_of(account), account)}
    return Shown(body=body, human=account_text(body), hint=f"wattledger replay {account}")


@verb(group, "list")
def list_(
    after: Annotated[str | None, typer.Option(help="Begin behind this account.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> Shown:
    """List accounts in order of their numbers."""
    with opened() as here:
        items = here.views().accounts(after, limit)
    cursor = items[-1]["account_no"] if len(items) == limit else None
    return Shown(
        body={"items": items, "cursor": cursor},
        human=account_list(items),
        hint=f"wattledger account list --after {cursor}" if cursor else "",
    )


@verb(group)
def close(account: AccountNo, reason: Reason) -> Shown:
    """Close an account whose meters are removed and whose balance is zero."""
    with opened() as here:
        command = made(close_account.CloseAccount, {"account_no": account, "reason": reason})
        answer = close_account.handle(command, here.ledger, here.context)
    return Shown(body=answer.body, human=facts({**wallets(answer.body), "status": "closed"}))


@verb(group)
def set_tariff(
    account: AccountNo,
    tariff: Annotated[str, typer.Argument(metavar="TARIFF")],
    point: PointName = None,
) -> Shown:
    """Rate a service point by another tariff, from its last reading on."""
    body = {"account_no": account, "tariff_id": tariff, "service_point": point}
    with opened() as here:
        command = made(assign.AssignTariff, body)
        answer = assign.assign_tariff(command, here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body))


@verb(group)
def set_policy(
    account: AccountNo,
    policy: Annotated[str, typer.Argument(metavar="POLICY")],
    point: PointName = None,
) -> Shown:
    """Let another control policy decide about a service point."""
    body = {"account_no": account, "policy_id": policy, "service_point": point}
    with opened() as here:
        command = made(assign.AssignPolicy, body)
        answer = assign.assign_policy(command, here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body))


@verb(group)
def set_group(account: AccountNo, name: Annotated[str, typer.Argument(metavar="GROUP")]) -> Shown:
    """Move an account to another user group."""
    with opened() as here:
        command = made(assign.AssignGroup, {"account_no": account, "group": name})
        answer = assign.assign_group(command, here.ledger, here.context)
    return Shown(body=answer.body, human=account_text(answer.body))
