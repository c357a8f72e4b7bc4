"""`wattledger account`: open, show, list, assign, close."""

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
)
from adapters.cli.account_text import account_list, account_text, wallets
from adapters.cli.inputs import AccountNo, PointName, Reason, made
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from ledger.aggregates import Refused
from ledger.commands import Json, assign, close_account, open_account

group = topic("account", "Accounts: open, show, list, import, assign, close.")


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
    policy: Policy = None,
    installed_at: InstalledAt = None,
    initial: Initial = None,
    wrap: Wrap = None,
    multiplier: Multiplier = None,
) -> Shown:
    """Open an account, with its first meter where one is given."""
    form = (
        None
        if meter is None
        else MeterForm(kind, meter, tariff, policy, installed_at, initial, wrap, multiplier)
    )

    def body(here: Opened) -> Json:
        return {
            "account_no": account,
            "name": name,
            "phone": phone,
            "address": address,
            "site": site,
            "group": group,
            "currency": currency,
            "timezone": timezone,
            "service_points": None if form is None else [form.body(here, timezone)],
        }

    hint = f"wattledger recharge {account} 100 --channel cash --txn T1"
    return change(open_account.OpenAccount, open_account.handle, body, hint)


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
    return change(assign.AssignTariff, assign.assign_tariff, lambda _: body)


@verb(group)
def set_policy(
    account: AccountNo,
    policy: Annotated[str, typer.Argument(metavar="POLICY")],
    point: PointName = None,
) -> Shown:
    """Let another control policy decide about a service point."""
    body = {"account_no": account, "policy_id": policy, "service_point": point}
    return change(assign.AssignPolicy, assign.assign_policy, lambda _: body)


@verb(group)
def set_group(account: AccountNo, name: Annotated[str, typer.Argument(metavar="GROUP")]) -> Shown:
    """Move an account to another user group."""
    body = {"account_no": account, "group": name}
    return change(assign.AssignGroup, assign.assign_group, lambda _: body)
