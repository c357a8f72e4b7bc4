"""`wattledger recharge`: money in, and its reversal."""

from typing import Annotated

import typer

from adapters.cli.account_text import money_shown, units_shown
from adapters.cli.amounts import amount_minor
from adapters.cli.inputs import AccountNo, Reason, made, moment
from adapters.cli.opening import opened
from adapters.cli.output import Shown
from adapters.cli.verbs import standing_for, topic, verb
from ledger.commands import recharge, reverse_recharge

TO = "to"
"""The command that `recharge ACCOUNT AMOUNT` stands for; `recharge to import 5` pays an account
that is called `import`."""
HELP = "Book payments: ACCOUNT AMOUNT --channel C --txn T"
group = topic("recharge", HELP, cls=standing_for(TO))


@verb(group, TO, ignore_unknown_options=True)
def book(
    account: AccountNo,
    amount: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Decimal, in major units such as 100.00.")
    ],
    channel: Annotated[str, typer.Option(help="Who took the money: cash, wechat, …")],
    txn: Annotated[str, typer.Option(help="The channel's own id of the payment.")],
    paid_at: Annotated[str | None, typer.Option(help="When it was paid (RFC 3339).")] = None,
    currency: Annotated[str | None, typer.Option(help="Default: the ledger's.")] = None,
    point: Annotated[
        str | None, typer.Option(help="Service point whose units are bought, of several.")
    ] = None,
    *,
    preview: Annotated[bool, typer.Option("--preview", help="Tell, and book nothing.")] = False,
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
                "service_point": point,
            },
        )
        book_or_tell = recharge.preview if preview else recharge.handle
        answer = book_or_tell(command, here.ledger, here.context)
    receipt = answer.body["receipt_no"] or "none: a preview"
    return money_shown(answer, {"receipt": receipt, **units_shown(answer.body, currency)})


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
    return money_shown(answer, {"receipt": f"{receipt}, reversed"})
