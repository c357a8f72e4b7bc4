"""What happens to one account, decided by its rules and told in facts: no log, no clock."""

from typing import Final

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import charge
from ledger.aggregates.account.control import decide_level
from ledger.aggregates.account.money import adjust, credit, reverse_credit
from ledger.aggregates.account.points import add_point, assign_policy, replace_meter
from ledger.events import Event
from ledger.events import account as facts
from ledger.pricing import compile_tariff
from ledger.values import stream_id
from tests.harness.desk import at_us
from tests.harness.documents import TOU, WATER, policy

HOUR_US: Final = 3_600_000_000
LATER_US: Final = at_us("2100-01-01")
TARIFFS: Final = {"tou": compile_tariff(TOU), "water": compile_tariff(WATER)}
TERMS: Final = {
    "standard": policy(hysteresis_minor=2_00).terms(1),
    "wet": policy("wet", remind_days=9, cuts=("electricity", "water")).terms(1),
}


class Story:
    """An open account with electricity by peak and valley, and cold water."""

    def __init__(self, account_no: str = "A1") -> None:
        self.account = Account(0, stream_id("account", account_no))
        self.past: list[tuple[Event, int]] = []
        self.refusals: list[str] = []
        self._now_us = at_us("2026-01-01")
        self._credits: list[facts.AccountCredited] = []
        self._add(facts.AccountOpened(account_no, "CNY", "Asia/Shanghai", "", "", {}, {}))
        self._install("electricity", "tou")
        self._install("water", "water")

    def pay(self, amount_minor: int) -> None:
        number = len(self._credits)
        fact = credit(
            self.account,
            receipt_no=f"0-{number}",
            channel="cash",
            channel_txn_id=f"T{number}",
            currency="CNY",
            amount_minor=amount_minor,
        )
        self._credits.append(fact)
        self._move(fact)

    def reverse(self, number: int) -> None:
        if number < len(self._credits):
            self._move(reverse_credit(self.account, self._credits.pop(number), "mistyped"))

    def adjust(self, amount_minor: int, wallet: str) -> None:
        try:
            fact = adjust(
                self.account,
                amount_minor=amount_minor,
                currency="CNY",
                wallet=wallet,
                reason="goodwill",
            )
        except Refused as refusal:
            self.refusals.append(refusal.code)
        else:
            self._move(fact)

    def read(self, which: int, hours: int, quantity: int) -> None:
        point = self.account.points[which]
        at = max(self._now_us, point.last_at_us + 1) + hours * HOUR_US
        registers = {name: value + quantity for name, value in point.named_registers().items()}
        tariff = TARIFFS[point.tariff_id]
        fact = charge(self.account, point, at, registers, tariff, 1, LATER_US)
        if isinstance(fact, facts.AccountCharged):
            self._now_us = at
            self._move(fact)
        else:
            self.refusals.append(fact.code)

    def swap(self, which: int, hours: int) -> None:
        self.read(which, hours, 7)
        point = self.account.points[which]
        fact = replace_meter(
            self.account,
            point,
            at_us=point.last_at_us,
            new_meter_no=f"{point.meter_no}x",
            registers=dict.fromkeys(point.register_names, 3),
            wrap=10**8,
            multiplier_milli=1_500,
            reason="worn out",
            tariff=TARIFFS[point.tariff_id],
        )
        self._add(fact)

    def assign(self, which: int, policy_id: str) -> None:
        fact = assign_policy(self.account, self.account.points[which], policy_id)
        if fact is not None:
            self._move(fact)

    def _install(self, service_kind: str, tariff_id: str) -> None:
        tariff = TARIFFS[tariff_id]
        fact = add_point(
            self.account,
            service_kind=service_kind,
            meter_no=f"M-{service_kind}",
            tariff=tariff,
            tariff_version=1,
            policy_id="standard",
            installed_at_us=self._now_us,
            registers=dict.fromkeys(tariff.registers, 0),
            wrap=10**9,
            multiplier_milli=1_000,
        )
        self._add(fact)

    def _move(self, fact: Event) -> None:
        self._add(fact)
        for point in self.account.points:
            for level in decide_level(self.account, point, TERMS[point.policy_id], self._now_us):
                self._add(level)

    def _add(self, fact: Event) -> None:
        self.past.append((fact, self._now_us))
        self.account.evolve(fact, self._now_us)
