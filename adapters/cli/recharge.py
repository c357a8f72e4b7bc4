"""`wattledger recharge`, `adjust`: money in, and its corrections."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from adapters.cli.amounts import amount_minor, money
from adapters.cli.inputs import AccountNo, Reason, made, moment
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from ledger.commands import Json, adjust, recharge, reverse_recharge
from ledger.store import Answer

TO = "to"
"""The command that `recharge ACCOUNT AMOUNT` stands for; `recharge to import 5` pays an account
that is called `import`."""


class RechargeGroup(TyperGroup):
    """`recharge ACCOUNT AMOUNT …` beside `recharge import` and `recharge reverse`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - a private type
        """What is no command of the group is an account to be recharged."""
        is_command = not args or args[0] in {*self.commands, *self.get_help_option_names(ctx)}
        return super().parse_args(ctx, args if is_command else [TO, *args])


group = topic("recharge", "Book payments: ACCOUNT AMOUNT --channel C --txn T.", cls=RechargeGroup)


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.add_typer(group)
    verb(app, "adjust", ignore_unknown_options=True)(correct)


@verb(group, TO)
def book(
    account: AccountNo,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Decimal, in major units such as 100.00.")
    ],
    channel: Annotated[str, typer.Option(help="Who took the money: cash, wechat, …")],
    txn: Annotated[str, typer.Option(help="The channel's own id of the payment.")],
    paid_at: Annotated[str | None, typer.Option(help="When it was paid (RFC 3339).")] = None,
    currency: Annotated[str | None, typer.Option(help="Default: the ledger's.")] = None,
) -> Shown:
    """Book a settled payment; the same payment again answers as the first time."""
    with opened() as here:
        currency = currency or here.terms.currency
        command = made(
            recharge.Recharge,
            {
                "account_no": account,
                "amount_minor": amount_minor(amount, currency),
                "currency": currency,
                "channel": channel,
                "channel_txn_id": txn,
                "paid_at": moment(paid_at, here.terms.timezone),
            },
        )
        answer = recharge.handle(command, here.ledger, here.context)
    return _shown(answer, {"receipt": answer.body["receipt_no"]})


@verb(group)
def reverse(
    receipt: Annotated[
        str, typer.Argument(metavar="RECEIPT", help="Receipt number, such as 0-42.")
    ],
    reason: Reason,
) -> Shown:
    """Take a booked payment back in full, once."""
    with opened() as here:
        command = made(reverse_recharge.ReverseRecharge, {"receipt_no": receipt, "reason": reason})
        answer = reverse_recharge.handle(command, here.ledger, here.context)
    return _shown(answer, {"receipt": f"{receipt}, reversed"})


def correct(
    account: AccountNo,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Signed decimal, in major units such as -5.00.")
    ],
    reason: Reason,
    wallet: Annotated[str, typer.Option(help="paid or granted.")] = "paid",
    currency: Annotated[str | None, typer.Option(help="Default: the ledger's.")] = None,
) -> Shown:
    """Correct a wallet of an account by a signed amount."""
    with opened() as here:
        currency = currency or here.terms.currency
        command = made(
            adjust.Adjust,
            {
                "account_no": account,
                "amount_minor": amount_minor(amount, currency),
                "currency": currency,
                "reason": reason,
                "wallet": wallet,
            },
        )
        answer = adjust.handle(command, here.ledger, here.context)
    return _shown(answer, {})


def _shown(answer: Answer, first: Json) -> Shown:
    body = answer.body
    return Shown(
        body=body,
        human=facts({**first, **wallets(body), "repeat": "yes" if answer.replayed else ""}),
        hint=f"wattledger account show {body['account_no']}",
    )


def wallets(body: Json) -> Json:
    """The money of an account, for people."""
    currency = body["currency"]
    return {
        "account": body["account_no"],
        "balance": money(body["balance_minor"], currency),
        "granted": money(body["granted_minor"], currency) if body["granted_minor"] else "",
        "available": money(body["available_minor"], currency),
        "alert level": body["alert_level"],
    }
