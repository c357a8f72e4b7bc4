"""Whatever people do, no fen and no watt-hour is made or lost: checked by plain reckoning."""

from datetime import date, timedelta
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.commands.late_readings import Reading
from ledger.store import Contradiction
from ledger.values import MICROS_PER_DAY
from tests.harness.desk import ACTOR, Desk, Json, at_us, point
from tests.harness.documents import energy, policy, tariff, version
from tests.harness.reckoning import check_all
from tests.properties.naive import HOUR, NaiveAccount, NaiveMeter, NaiveTariff

NEW_YEAR = at_us("2026-01-01")
ACCOUNTS = st.sampled_from(["A0", "A1", "A4"])
AMOUNTS = st.one_of(st.integers(1, 30_00), st.just(999_999_99))
LINES = {"remind": 20_00, "warn": 10_00, "trip": 0}


def later(days: Fraction) -> int:
    """The time so many days after New Year."""
    return NEW_YEAR + int(days * MICROS_PER_DAY)


def _day(days: int) -> date:
    return date(2026, 1, 1) + timedelta(days=days)


def _document(tariff_id: str, known: NaiveTariff) -> Json:
    """The tariff as its author writes it."""
    ends = [begins.isoformat() for begins, _ in known.versions[1:]]
    return tariff(
        tariff_id,
        *(
            version(
                energy(prices),
                bounds=[str(bound) for bound in known.bounds_kwh],
                effective_from=begins.isoformat(),
                effective_to=end,
            )
            for (begins, prices), end in zip(known.versions, [*ends, None], strict=True)
        ),
    )


class TheLedger(RuleBasedStateMachine):
    """Rules are what people do; invariants are what must hold after each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk.at("sqlite://", shards=2)
        self.accounts: dict[str, NaiveAccount] = {}
        self.meters: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.payments: dict[str, tuple[str, int, Json]] = {}
        self.reversed: set[str] = set()
        self.readings: list[tuple[str, Fraction, int]] = []
        self.lines = dict(LINES)
        self.count = 0
        self.now = Fraction(20)
        self.desk.clock.now_us = later(self.now)
        self.tariffs = {
            "flat": NaiveTariff([], [(date(2020, 1, 1), ["0.5"])]),
            "tiered": NaiveTariff([100, 300], [(date(2020, 1, 1), ["0.5", "0.6", "0.9"])]),
        }

    def teardown(self) -> None:
        self.desk.views.catch_up()
        check_all(self.desk)
        assert self.desk.views.differences() == []
        assert self.desk.views.verify() == []
        self.desk.close()

    # ------------------------------------------------------------ what people do

    @initialize(first=st.sampled_from(["flat", "tiered"]))
    def begin(self, first: str) -> None:
        self.open("A0", first)

    @rule(account_no=ACCOUNTS, tariff_id=st.sampled_from(["flat", "tiered"]))
    def open(self, account_no: str, tariff_id: str) -> None:
        if account_no not in self.accounts:
            self.desk.open(account_no, point(f"M-{account_no}", tariff_id))
            self.accounts[account_no] = NaiveAccount(NaiveMeter(self.tariffs[tariff_id]))
            self.meters[account_no] = f"M-{account_no}"
            self.owners[f"M-{account_no}"] = account_no

    @rule(account_no=ACCOUNTS, amount=AMOUNTS)
    def recharge(self, account_no: str, amount: int) -> None:
        txn = f"P{len(self.payments)}"
        if account_no not in self.accounts:
            self._refused("account_unknown", self.desk.recharge, account_no, amount, txn)
            return
        answer = self.desk.recharge(account_no, amount, txn)
        self.payments[txn] = (account_no, amount, answer)
        self._move(account_no, amount)

    @precondition(lambda self: self.payments)
    @rule(data=st.data())
    def pay_again(self, data: st.DataObject) -> None:
        txn = data.draw(st.sampled_from(sorted(self.payments)))
        account_no, amount, answer = self.payments[txn]
        assert self.desk.recharge(account_no, amount, txn) == answer

    @precondition(lambda self: self.payments)
    @rule(data=st.data(), more=st.integers(1, 9))
    def contradict_a_payment(self, data: st.DataObject, more: int) -> None:
        txn = data.draw(st.sampled_from(sorted(self.payments)))
        account_no, amount, _ = self.payments[txn]
        code = "payment_contradiction"
        self._refused(code, self.desk.recharge, account_no, amount + more, txn)

    @precondition(lambda self: self.payments)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        txn = data.draw(st.sampled_from(sorted(self.payments)))
        account_no, amount, answer = self.payments[txn]
        if txn in self.reversed:
            self._refused("already_reversed", self.desk.reverse, answer["receipt_no"])
            return
        self.desk.reverse(answer["receipt_no"])
        self.reversed.add(txn)
        self._move(account_no, -amount)

    @rule(account_no=ACCOUNTS, amount=AMOUNTS, is_more=st.booleans(), is_gift=st.booleans())
    def adjust(self, account_no: str, amount: int, *, is_more: bool, is_gift: bool) -> None:
        account = self.accounts.get(account_no)
        if account is None:
            return
        signed = amount if is_more else -amount
        if is_gift and account.granted + signed < 0:
            self._refused("granted_negative", self.desk.adjust, account_no, signed, "granted")
            return
        self.desk.adjust(account_no, signed, "granted" if is_gift else "paid")
        self._move(account_no, 0 if is_gift else signed, signed if is_gift else 0)

    @rule(account_no=ACCOUNTS, hours=st.integers(1, 24 * 45), wh=st.integers(0, 400_000))
    def read(self, account_no: str, hours: int, wh: int) -> None:
        account = self.accounts.get(account_no)
        at = self._next_reading(account, hours)
        if account is None or at is None:
            return
        shown = account.meter.shown_wh + wh
        answer = self._send(self.meters[account_no], at, shown)
        assert (answer["accepted"], answer["quarantined"]) == (1, [])
        self.readings.append((self.meters[account_no], at, shown))
        account.charge(account.meter.read(at, shown))
        account.decide(self.lines)

    @precondition(lambda self: self.readings)
    @rule(data=st.data())
    def read_again(self, data: st.DataObject) -> None:
        answer = self._send(*data.draw(st.sampled_from(self.readings)))
        assert (answer["accepted"], answer["duplicate"]) == (0, 1)

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), more=st.integers(1, 9))
    def contradict_a_reading(self, data: st.DataObject, more: int) -> None:
        meter_no, at, shown = data.draw(st.sampled_from(self.readings))
        answer = self._send(meter_no, at, shown + more)
        assert {item["code"] for item in answer["quarantined"]} <= {"contradiction"}
        assert answer["accepted"] == 0

    @precondition(lambda self: self.readings)
    @rule(data=st.data(), minutes=st.integers(1, 59))
    def read_late(self, data: st.DataObject, minutes: int) -> None:
        meter_no, at, shown = data.draw(st.sampled_from(self.readings))
        late = at - Fraction(minutes, 24 * 60)
        answer = self._send(meter_no, late, shown)
        assert answer["quarantined"] == []
        if answer["accepted"]:
            owner = self.owners[meter_no]
            account = self.accounts[owner]
            gift = account.granted - self._remembered(owner).granted_minor
            account.correct(account.meter.read_late(late, shown), gift)
            account.decide(self.lines)

    @rule(
        account_no=ACCOUNTS,
        hours=st.integers(1, 48),
        wh=st.integers(0, 90_000),
        double=st.booleans(),
    )
    def replace(self, account_no: str, hours: int, wh: int, *, double: bool) -> None:
        account = self.accounts.get(account_no)
        at = self._next_reading(account, hours)
        if account is None or at is None:
            return
        meter, self.count = account.meter, self.count + 1
        shown, fresh = meter.shown_wh + wh, f"R{self.count}"
        self.desk.replace_at(
            account_no, later(at), {"total": f"{shown / 1000:.3f}"}, fresh, {"total": "0.25"},
            multiplier="2.5" if double else "1",
        )  # fmt: skip
        self.readings.append((self.meters[account_no], at, shown))
        account.charge(meter.read(at, shown))
        account.decide(self.lines)
        meter.shown_wh, meter.multiplier = 250, Fraction(5, 2) if double else Fraction(1)
        self.meters[account_no] = fresh
        self.owners[fresh] = account_no

    @rule(trip=st.integers(-5_00, 9_00))
    def publish_a_policy(self, trip: int) -> None:
        self.lines = {**LINES, "trip": trip}
        self.desk.publish(policy(trip=trip))

    @rule(tariff_id=st.sampled_from(["flat", "tiered"]), fen=st.integers(1, 99))
    def publish_a_version(self, tariff_id: str, fen: int) -> None:
        """Other prices from tomorrow on."""
        known, tomorrow = self.tariffs[tariff_id], floor(self.now) + 1
        if known.versions[-1][0] < _day(tomorrow):
            rates = [f"{index}.{fen:02}" for index in range(len(known.versions[0][1]))]
            known.versions.append((_day(tomorrow), rates))
            self.desk.publish(_document(tariff_id, known))

    @rule(days=st.integers(1, 45))
    def wait(self, days: int) -> None:
        self.now += days
        self.desk.clock.now_us = later(self.now)

    @rule(account_no=ACCOUNTS)
    def close(self, account_no: str) -> None:
        known = account_no in self.accounts
        code = "service_points_left" if known else "account_unknown"
        self._refused(code, self.desk.close_account, account_no)

    @rule()
    def restart(self) -> None:
        self.desk.restart()

    # ------------------------------------------------------------ what must hold

    @invariant()
    def wallets_levels_and_tiers_are_as_reckoned(self) -> None:
        for account_no, expected in self.accounts.items():
            account = self._remembered(account_no)
            assert (account.balance_minor, account.granted_minor) == (
                expected.balance,
                expected.granted,
            )
            (point,) = account.points
            assert point.level == expected.level
            assert point.supply_intended == ("off" if expected.level == "trip" else "on")
            assert point.last_at_us == later(expected.meter.read_at)
            if expected.meter.read_at:
                used = Fraction(point.position.used, point.position.den)
                assert used == expected.meter.used_wh()

    def _remembered(self, account_no: str) -> Account:
        """The account as the ledger holds it in memory."""
        found: list[Account] = []

        def look(session: Any) -> Json:  # noqa: ANN401 - a session of the ledger
            found.append(session.account(account_no).clone())
            return {}

        self.desk.ledger.decide(look, ACTOR, accounts=(account_no,))
        return found[0]

    def _next_reading(self, account: NaiveAccount | None, hours: int) -> Fraction | None:
        """A time between the last reading and now, if there is an hour."""
        passed = 0 if account is None else floor((self.now - account.meter.read_at) / HOUR)
        return account.meter.read_at + (1 + hours % passed) * HOUR if account and passed else None

    def _move(self, account_no: str, paid: int, granted: int = 0) -> None:
        account = self.accounts[account_no]
        account.balance += paid
        account.granted += granted
        account.has_moved = True
        account.decide(self.lines)

    def _send(self, meter_no: str, at: Fraction, shown_wh: int) -> Json:
        return self.desk.read_all(Reading(meter_no, later(at), {"total": shown_wh}))

    def _refused(self, code: str, door: Any, *args: Any) -> None:  # noqa: ANN401 - any door
        heads = self.desk.heads()
        with pytest.raises(Refused) as refusal:
            door(*args)
        assert refusal.value.code == code
        assert (refusal.type is Contradiction) == (code == "payment_contradiction")
        assert self.desk.heads() == heads


TheLedger.TestCase.settings = settings(max_examples=15, stateful_step_count=40)
TestConservation = TheLedger.TestCase
