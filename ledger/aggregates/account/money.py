"""Money decisions: open, credit, reverse, adjust, close."""

from ledger.aggregates import Refused
from ledger.aggregates.account.state import Account
from ledger.events import account as facts

AMOUNT_MAX_MINOR = 10**14
"""A single movement above this is a typing error, not a payment."""


def require_amount(amount_minor: int) -> None:
    """Refuse what is not a sensible positive amount."""
    if amount_minor <= 0:
        raise Refused("amount_not_positive", "The amount must be greater than zero.")
    if amount_minor > AMOUNT_MAX_MINOR:
        raise Refused("amount_too_large", "The amount is larger than any single payment can be.")


def require_currency(account: Account, currency: str) -> None:
    """Refuse money of another currency than the account's."""
    if currency != account.currency:
        raise Refused(
            "wrong_currency",
            f"The account {account.account_no} is kept in {account.currency}, not {currency}.",
        )


def credit(
    account: Account,
    *,
    receipt_no: str,
    channel: str,
    channel_txn_id: str,
    currency: str,
    amount_minor: int,
) -> facts.AccountCredited:
    """Book a settled payment to the paid wallet."""
    account.require_open()
    require_currency(account, currency)
    require_amount(amount_minor)
    return facts.AccountCredited(
        account_no=account.account_no,
        receipt_no=receipt_no,
        channel=channel,
        channel_txn_id=channel_txn_id,
        currency=currency,
        amount_minor=amount_minor,
        balance_after_minor=account.balance_minor + amount_minor,
        granted_after_minor=account.granted_minor,
    )


def reverse_credit(
    account: Account, credited: facts.AccountCredited, reason: str
) -> facts.CreditReversed:
    """Take a booked payment back in full; the balance may become negative."""
    account.require_open()
    return facts.CreditReversed(
        account_no=account.account_no,
        receipt_no=credited.receipt_no,
        channel=credited.channel,
        channel_txn_id=credited.channel_txn_id,
        currency=credited.currency,
        amount_minor=credited.amount_minor,
        reason=reason,
        balance_after_minor=account.balance_minor - credited.amount_minor,
        granted_after_minor=account.granted_minor,
    )


def adjust(
    account: Account, *, amount_minor: int, currency: str, wallet: str, reason: str
) -> facts.AccountAdjusted:
    """Correct the paid or the granted wallet by a signed amount."""
    account.require_open()
    require_currency(account, currency)
    if amount_minor == 0:
        raise Refused("amount_zero", "An adjustment of zero changes nothing.")
    require_amount(abs(amount_minor))
    paid, granted = (amount_minor, 0) if wallet == "paid" else (0, amount_minor)
    if account.granted_minor + granted < 0:
        raise Refused("granted_negative", "Granted credit cannot become negative.")
    return facts.AccountAdjusted(
        account_no=account.account_no,
        wallet=wallet,
        currency=currency,
        amount_minor=amount_minor,
        reason=reason,
        balance_after_minor=account.balance_minor + paid,
        granted_after_minor=account.granted_minor + granted,
    )


def close(account: Account, reason: str) -> facts.AccountClosed:
    """Close an account whose money is settled and whose meters are removed."""
    account.require_open()
    if account.points:
        names = ", ".join(point.name for point in account.points)
        raise Refused("service_points_left", f"Remove the meters of these points first: {names}.")
    if account.balance_minor != 0:
        raise Refused(
            "balance_not_zero",
            f"The balance is {account.balance_minor} minor units of {account.currency}; "
            "refund or collect it first.",
        )
    return facts.AccountClosed(
        account_no=account.account_no,
        reason=reason,
        balance_after_minor=account.balance_minor,
        granted_after_minor=account.granted_minor,
    )
