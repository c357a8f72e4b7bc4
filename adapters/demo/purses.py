"""What each customer has and spends, as the ledger told it, and when they pay again."""

import threading
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from adapters.demo.catalogue import REMIND_MINOR
from adapters.demo.town import Inhabitant
from ledger.commands import recharge
from ledger.events import Recorded
from ledger.events.account import AccountCharged, AccountCredited
from ledger.store import Context, Ledger
from ledger.values import instant

CASHIER: Final = Context("demo:cashier")
CHANNELS: Final = ("wechat", "alipay", "cash", "pos")
STEP_MINOR: Final = 10_00
USUAL_DAYS: Final = 24
THRIFTY_DAYS: Final = 5
"""Who will be short of money pays for so few days at a time."""


class Money(NamedTuple):
    """An account between two readings."""

    balance_minor: int = 0
    day_minor: int = 0
    """What a day costs, by the last seven."""


class Purses:
    """Follows the commits of a ledger of one shard, and pays at its counter."""

    def __init__(self, ledger: Ledger, mark: str, before: "Purses | None" = None) -> None:
        self._ledger = ledger
        self._mark = mark
        """Begins the transaction ids of these payments."""
        self._payments = 0
        self.money: dict[str, Money] = dict(before.money) if before else {}
        """By account, as of the last commit that was seen."""
        self._seen = 0
        self._has_seen = threading.Condition()
        ledger.watch(self._see)

    def money_of(self, each: Inhabitant) -> Money:
        """What somebody has."""
        return self.money.get(each.customer.account_no, Money())

    def await_position(self, position: int) -> None:
        """Wait until what was committed there has been seen."""
        with self._has_seen:
            self._has_seen.wait_for(lambda: self._seen >= position)

    def wanted(self, each: Inhabitant) -> int:
        """What a customer pays who looks at the balance now and then; mostly nothing."""
        money = self.money_of(each)
        spare_minor = REMIND_MINOR if each.customer.fate == "well" else 0
        if money.balance_minor > money.day_minor * 2 + spare_minor:
            return 0
        return rounded_up(money.day_minor * days_paid(each))

    def credit(self, payments: Iterable[tuple[Inhabitant, int]], at_us: int) -> None:
        """Book payments; returns when all are durable."""
        answers = []
        for each, amount_minor in payments:
            self._payments += 1
            command = recharge.Recharge(
                account_no=each.customer.account_no,
                amount_minor=amount_minor,
                currency="CNY",
                channel=CHANNELS[self._payments % len(CHANNELS)],
                channel_txn_id=f"{self._mark}{self._payments:06d}",
                paid_at=instant(at_us),
            )
            answers.append(recharge.submit(command, self._ledger, CASHIER))
        for answer in answers:
            answer.result()

    def _see(self, recorded: Sequence[Recorded]) -> None:
        for item in recorded:
            match item.event:
                case AccountCharged() as charged:
                    self.money[charged.account_no] = Money(
                        charged.balance_after_minor, charged.week_minor // 7
                    )
                case AccountCredited() as credited:
                    day_minor = self.money.get(credited.account_no, Money()).day_minor
                    self.money[credited.account_no] = Money(credited.balance_after_minor, day_minor)
                case _:
                    pass
        with self._has_seen:
            self._seen = recorded[-1].position
            self._has_seen.notify_all()


def days_paid(each: Inhabitant) -> int:
    """For how many days a customer pays at a time."""
    return USUAL_DAYS if each.customer.fate == "well" else THRIFTY_DAYS


def rounded_up(amount_minor: int) -> int:
    """The next amount that people pay."""
    return -(-max(amount_minor, 1) // STEP_MINOR) * STEP_MINOR
