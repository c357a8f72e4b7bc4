"""`wattledger account`: open, show, list, assign, close."""

from typing import Annotated, Final, Literal

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
from adapters.cli.pages import gathered
from adapters.cli.verbs import topic, verb
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.commands import Json, assign, close_account, open_account
from ledger.queries import AccountsAsked, Order, cursor_of

Level = Literal["none", "remind", "warn", "trip"]
Supply = Literal["on", "off"]
BY_NUMBER: Final[Order] = "account_no"

group = topic("account", "Accounts")


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
    find: Annotated[str, typer.Option(help="Part of an account's or a meter's number.")] = "",
    site: Annotated[str, typer.Option(help="At this site.")] = "",
    group: Annotated[str, typer.Option(help="Of this user group.")] = "",
    alert: Annotated[Level | None, typer.Option(help="At this alert level.")] = None,
    supply: Annotated[Supply | None, typer.Option(help="Intended to be on or off.")] = None,
    after: Annotated[str | None, typer.Option(help="Begin behind this account.")] = None,
    cursor: Annotated[str | None, typer.Option(help="Begin where a list with it ended.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
) -> Shown:
    """List accounts in order of their shards and numbers."""
    if after is not None:
        cursor = cursor_of(BY_NUMBER, after)
    asked = AccountsAsked(find, site, group, alert or "", supply or "", BY_NUMBER)
    with opened() as here:
        here.views()
        queries = SqlQueries(here.engine, here.terms)
        page = gathered(
            lambda behind, most: queries.accounts(asked._replace(cursor=behind, limit=most)),
            limit,
            cursor,
        )
    last = page.items[-1]["account_no"] if page.cursor else None
    hint = f"wattledger account list --after {last}" if last else ""
    return Shown(body=page.body(), human=account_list(page.items), hint=hint)


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
