"""A recharge buys units of a point that holds such, and what it was taken for adds up."""

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store.engine import create_engine
from ledger.aggregates import Refused
from ledger.aggregates.account import Account, Point
from ledger.commands import accrue_fixed, correct_reading, recharge
from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.commands.correct_reading import CorrectReading
from ledger.commands.recharge import Recharge
from ledger.events.account import AccountCharged, ChargeCorrected, UnitsReturned, UnitsSold
from ledger.events.registry import encode
from ledger.projections.postings import LIABILITY, RECEIVABLE, UNITS, postings
from tests.harness.desk import ACTOR, Desk, Json, moment, point, water
from tests.harness.documents import policy, sold
from tests.harness.reckoning import check_all
from tests.harness.tampering import smuggle

KWH = 1_000


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A1 buys units for its meter M1."""
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    return desk


_numbers = count(1)


def held(desk: Desk, account_no: str = "A1") -> Point:
    return desk.account(account_no).points[0]


def books(desk: Desk) -> Counter[str]:
    totals: Counter[str] = Counter()
    for item in desk.recorded():
        entries = postings(item.event)
        assert sum(amount for _, amount in entries) == 0
        for account, amount in entries:
            totals[account] += amount
    return totals


def check(desk: Desk) -> None:
    """The books hold what the accounts hold, nothing is found wrong, views say the same."""
    totals = books(desk)
    numbers = {getattr(item.event, "account_no", "") for item in desk.recorded()} - {""}
    accounts = [desk.account(number) for number in numbers]
    assert -totals[LIABILITY] == sum(max(each.balance_minor, 0) for each in accounts)
    assert totals[RECEIVABLE] == sum(max(-each.balance_minor, 0) for each in accounts)
    worth = [line.amount_minor for each in accounts for line in _lines(each)]
    assert -totals[UNITS] == sum(worth)
    assert desk.views.verify() == []
    desk.views.catch_up()
    check_all(desk)


def _lines(account: Account) -> Iterator[Any]:
    for each in account.points:
        for units in each.units:
            yield from units.lines


def test_a_payment_is_taken_apart_to_the_last_minor_unit(shop: Desk) -> None:
    answer = shop.recharge("A1", 398_00)
    bought = answer["units"]
    # 398 − 98 = 300: 50 × 0.98 and 251 / 1.27 = 197.64 more: 247.6 in tenths.
    assert (bought["sold"], bought["prepaid"], bought["remainder_minor"]) == ("247.6", "247.6", 5)
    assert {line["id"]: line["amount_minor"] for line in bought["lines"]} == {
        "basic": 98_00,
        "energy": 300_00,
    }
    assert bought["vat_minor"] == 11_27 + 34_51
    assert (answer["balance_minor"], answer["alert_level"]) == (0, "none")
    assert shop.topics()[-3:] == [
        "account.credited.v1",
        "account.units_sold.v1",
        "payment.settled.v1",
    ]
    assert (held(shop).units_left, held(shop).units_minor) == (247_600, 300_00)
    totals = books(shop)
    assert totals["1012/cash"] == 398_00
    assert totals["6001"] == -(98_00 - 11_27)  # what the units were bought for is not earned yet
    check(shop)


def test_the_second_purchase_of_a_month_bears_no_basic_charge(shop: Desk) -> None:
    shop.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    second = shop.recharge("A1", 130_05, paid_at=moment("2026-03-20T09:00"))["units"]
    assert (second["sold"], second["prepaid"]) == ("102.4", "350")
    third = shop.recharge("A1", 147_00, paid_at=moment("2026-04-01"))["units"]
    assert (third["sold"], third["lines"][0]["id"]) == ("50", "basic")
    check(shop)


def test_what_a_meter_counts_is_taken_from_the_units_at_their_own_price(shop: Desk) -> None:
    shop.recharge("A1", 147_00, paid_at=moment("2026-03-05T09:00"))  # 50 kWh for 49.00
    shop.recharge("A1", 127_00, paid_at=moment("2026-03-06T09:00"))  # 100 kWh for 127.00
    assert shop.read("M1", "2026-03-10", 20 * KWH)["accepted"] == 1
    assert (held(shop).units_left, held(shop).units_minor) == (130_000, 29_40 + 127_00)
    shop.read("M1", "2026-03-11", 60 * KWH)
    charged = shop.facts("A1")[-1]
    assert isinstance(charged, AccountCharged)
    assert charged.amount_minor == 29_40 + 12_70
    assert charged.balance_after_minor == 0
    shop.read("M1", "2026-03-12", 150 * KWH)
    assert (held(shop).units_left, held(shop).units_minor) == (0, 0)
    totals = books(shop)
    assert totals[UNITS] == 0
    assert totals["6001"] + totals["2221"] == -(98_00 + 49_00 + 127_00)
    check(shop)


def test_supply_follows_what_the_units_are_worth(shop: Desk) -> None:
    shop.recharge("A1", 225_00)  # 98 + 49 + 78: 111.4 kWh
    shop.read("M1", "2026-01-02", 100 * KWH)
    answer = shop.recharge("A1", 10_00)
    assert answer["alert_level"] == "none" or held(shop).units_minor <= 20_00
    shop.read("M1", "2026-01-03", 130 * KWH)
    assert held(shop).level == "trip"
    assert (held(shop).units_left, held(shop).units_minor) == (-10_700, 0)
    shop.recharge("A1", 127_00)
    assert (held(shop).level, held(shop).units_left) == ("none", 89_300)
    # What was used beyond comes off the next units.
    shop.read("M1", "2026-01-04", 130 * KWH + 89_300)
    assert (held(shop).units_left, held(shop).units_minor) == (0, 0)
    check(shop)


def test_a_share_of_each_recharge_goes_to_what_is_owed(shop: Desk) -> None:
    shop.adjust("A1", -500_00)
    answer = shop.recharge("A1", 400_00)
    assert (answer["balance_minor"], answer["units"]["arrears_minor"]) == (-400_00, 100_00)
    assert held(shop).units_minor == 202_00
    again = shop.recharge("A1", 40_00, "T9")
    assert (again["balance_minor"], again["units"]["arrears_minor"]) == (-390_00, 10_00)
    check(shop)


def test_what_does_not_cover_the_basic_charge_stays_money_and_buys_with_the_next(
    shop: Desk,
) -> None:
    small = shop.recharge("A1", 97_99)
    assert small["units"] == {
        "service_point": "electricity",
        "unit": "kWh",
        "sold": "0",
        "reason": "payment_too_small",
    }
    assert small["balance_minor"] == 97_99
    more = shop.recharge("A1", 49_01)
    assert (more["units"]["sold"], more["balance_minor"]) == ("50", 0)
    check(shop)


def test_what_is_less_than_a_quantum_is_told_and_not_carried_on(shop: Desk) -> None:
    answer = shop.recharge("A1", 98_04)
    assert (answer["units"]["sold"], answer["balance_minor"]) == ("0", 0)
    lines = {line["id"]: line["amount_minor"] for line in answer["units"]["lines"]}
    assert lines == {"basic": 98_00, "rounding": 4}
    check(shop)


def test_the_fee_of_a_channel_comes_first(shop: Desk) -> None:
    answer = shop.recharge("A1", 149_00, channel_fee_minor=2_00)
    assert answer["units"]["sold"] == "50"
    assert books(shop)["2241.02/channel_fee"] == -2_00
    check(shop)


def test_the_same_payment_again_answers_as_the_first_time(shop: Desk) -> None:
    first = shop.recharge("A1", 398_00, "T1")
    heads = shop.heads()
    shop.restart()
    assert shop.recharge("A1", 398_00, "T1") == first
    assert shop.heads() == heads


def test_a_preview_tells_what_the_recharge_then_does(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    heads, before = shop.heads(), shop.account("A1")
    command = Recharge(
        account_no="A1", amount_minor=130_00, currency="CNY", channel="cash", channel_txn_id="T7"
    )
    told = recharge.preview(command, shop.ledger, ACTOR).body
    assert (shop.heads(), shop.account("A1")) == (heads, before)
    booked = shop.recharge("A1", 130_00, "T7")
    assert told["preview"] is True
    assert told["units"] == booked["units"]
    assert told["balance_minor"] == booked["balance_minor"]


def test_a_reversal_leaves_nothing_of_a_purchase(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.read("M1", "2026-01-02", 10 * KWH)
    before, was = shop.account("A1"), books(shop)
    receipt = shop.recharge("A1", 300_00)["receipt_no"]
    answer = shop.reverse(receipt)
    assert answer["units"]["returned"] == "236.2"
    after = shop.account("A1")
    after.version, after.has_moved = before.version, before.has_moved
    assert after == before
    assert +books(shop) == +was
    assert -books(shop) == -was
    check(shop)


def test_a_reversed_first_purchase_of_a_month_leaves_the_basic_charge_to_the_next(
    shop: Desk,
) -> None:
    first = shop.recharge("A1", 200_00)["receipt_no"]
    assert "basic" not in str(shop.recharge("A1", 50_00)["units"]["lines"])
    shop.reverse(first)
    assert "basic" in str(shop.recharge("A1", 200_00)["units"]["lines"])
    check(shop)


def test_used_units_of_a_reversed_purchase_stay_charged(shop: Desk) -> None:
    receipt = shop.recharge("A1", 147_00)["receipt_no"]
    shop.read("M1", "2026-01-02", 20 * KWH)
    answer = shop.reverse(receipt)
    # 20 kWh at 0.98 are used; the basic charge goes back with the rest.
    assert (answer["balance_minor"], answer["units"]["returned"]) == (-19_60, "30")
    assert held(shop).units == ()
    check(shop)


def test_a_late_reading_changes_nothing_of_what_was_sold(shop: Desk) -> None:
    shop.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    shop.read("M1", "2026-03-20", 100 * KWH)
    before = held(shop)
    assert shop.read("M1", "2026-03-10", 30 * KWH)["accepted"] == 1
    corrected = shop.facts("A1")[-1]
    assert isinstance(corrected, ChargeCorrected)
    assert (corrected.amount_minor, corrected.lines) == (0, ())
    assert (held(shop).units, held(shop).position) == (before.units, before.position)
    check(shop)


@pytest.mark.parametrize(("right", "left"), [(80, 167_600), (120, 127_600), (0, 247_600)])
def test_a_corrected_reading_puts_units_back_or_takes_more(
    shop: Desk, right: int, left: int
) -> None:
    shop.recharge("A1", 398_00, paid_at=moment("2026-03-05T09:00"))
    shop.read("M1", "2026-03-20", 100 * KWH)
    command = CorrectReading(
        meter_no="M1", at=moment("2026-03-20"), registers={"total": str(right)}, reason="misread"
    )
    correct_reading.handle(command, shop.ledger, ACTOR)
    assert held(shop).units_left == left
    used = books(shop)
    assert -used[UNITS] + -(used["6001"] + used["2221"]) == 398_00
    check(shop)


def test_two_points_need_the_name_of_the_one_that_is_paid_for(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"), water("W1"))
    with pytest.raises(Refused) as refusal:
        desk.recharge("A1", 147_00)
    assert refusal.value.code == "service_point_unknown"
    assert "units" not in desk.recharge("A1", 10_00, service_point="water")
    assert desk.recharge("A1", 137_00, service_point="electricity")["units"]["sold"] == "50"
    assert desk.account("A1").balance_minor == 0


def test_a_point_that_sells_no_units_any_more_gives_them_back(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.read("M1", "2026-01-02", 10 * KWH)
    assign_tariff(AssignTariff(account_no="A1", tariff_id="flat"), shop.ledger, ACTOR)
    account = shop.account("A1")
    assert (account.balance_minor, account.points[0].units) == (39_20, ())
    assert isinstance(shop.facts("A1")[-2], UnitsReturned)
    assert shop.recharge("A1", 10_00)["balance_minor"] == 49_20
    check(shop)


def test_a_removed_meter_gives_its_units_back(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.remove("A1", "2026-01-02", {"total": "10"})
    assert shop.account("A1").balance_minor == 39_20
    check(shop)


def test_an_account_without_such_a_point_is_recharged_as_ever(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    assert "units" not in desk.recharge("A1", 50_00)


def test_a_tariff_that_sells_units_charges_no_silent_days(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    assert accrue_fixed.handle(["A1"], shop.ledger, ACTOR)["days"] == 0


def test_a_policy_for_units_counts_what_they_were_bought_for(desk: Desk) -> None:
    desk.publish(sold(), policy("careful", remind=30_00, warn=20_00, trip=0))
    desk.open("A1", point("M1", "sold", policy_id="careful"))
    desk.recharge("A1", 147_00)
    for kwh, level in ((10, "none"), (20, "remind"), (30, "warn"), (50, "trip")):
        desk.read("M1", f"2026-01-{kwh // 10 + 1:02}", kwh * KWH)
        assert held(desk).level == level
    check(desk)


Moves = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1_00, 400_00)),
        st.tuples(st.just("read"), st.integers(0, 150 * KWH)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("owe"), st.integers(1, 50_00)),
    ),
    max_size=10,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(Moves)
def test_no_minor_unit_and_no_watt_hour_is_ever_lost(
    sqlite_url: str, moves: list[tuple[str, int]]
) -> None:
    number = next(_numbers)
    is_new = number == 1
    desk = Desk.at(sqlite_url) if is_new else Desk(create_engine(sqlite_url))
    desk.publish(sold())
    account_no, meter_no = f"A{number}", f"M{number}"
    desk.open(account_no, point(meter_no, "sold"))
    register, day, receipts = 0, 1, []
    for kind, value in moves:
        if kind == "pay":
            txn = f"T{next(_numbers)}"
            receipts.append(desk.recharge(account_no, value, txn)["receipt_no"])
        elif kind == "read":
            day, register = day + 1, register + value
            desk.read(meter_no, f"2026-01-{day:02}", register)
        elif kind == "reverse" and receipts:
            desk.reverse(receipts.pop(value % len(receipts)))
        elif kind == "owe":
            desk.adjust(account_no, -value)
    check(desk)
    facts = desk.facts(account_no)
    bought = sum(fact.units.quantity for fact in facts if isinstance(fact, UnitsSold))
    back = sum(fact.units.quantity for fact in facts if isinstance(fact, UnitsReturned))
    assert held(desk, account_no).units_left == bought - back - register
    desk.close()


def test_a_sale_that_does_not_follow_from_the_log_is_found(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    account = shop.account("A1")
    sale = next(fact for fact in shop.facts("A1") if isinstance(fact, UnitsSold))
    more = msgspec.structs.replace(
        sale,
        amount_minor=0,
        lines=(),
        units=msgspec.structs.replace(sale.units, quantity=9 * KWH, lines=()),
        balance_after_minor=account.balance_minor,
    )
    smuggle(shop, 0, account.stream_id, more.TOPIC, encode(more).decode())
    assert "sale" in {item["check"] for item in shop.views.verify()}


def test_the_body_of_an_account_tells_its_units(shop: Desk) -> None:
    shop.recharge("A1", 147_00)
    shop.views.catch_up()
    body: Json = shop.views.account("A1") or {}
    assert body["service_points"][0]["prepaid"] == {"quantity": "50", "amount_minor": 49_00}
