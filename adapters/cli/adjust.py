"""`wattledger adjust`: a named person corrects a wallet."""

from typing import Annotated

import typer

from adapters.cli.account_text import money_shown
from adapters.cli.amounts import amount_minor
from adapters.cli.inputs import AccountNo, Reason, made
from adapters.cli.opening import opened
from adapters.cli.output import Shown
from adapters.cli.verbs import alone, verb
from ledger.commands import adjust

group = alone()


@verb(group, "adjust", ignore_unknown_options=True)
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
    return money_shown(answer, {})
