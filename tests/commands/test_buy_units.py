"""A recharge buys units of a point that holds such, and what it was taken for adds up."""

from itertools import count

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store.engine import create_engine
from adapters.views.account_money import read_usage
from ledger.commands import recharge
from ledger.commands.recharge import Recharge
from ledger.events.account import AccountCharged, UnitsReturned, UnitsSold
from ledger.events.registry import encode
from ledger.projections.postings import UNITS
from tests.harness.desk import ACTOR, Desk, Json, moment, point
from tests.harness.documents import sold
from tests.harness.tampering import smuggle
from tests.harness.units import books, check, held, opened

KWH = 1_000
_numbers = count(1)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A1 buys units for its meter M1."""
    return opened(desk)


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


Moves = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(1_00, 400_00)),
        st.tuples(st.just("read"), st.integers(0, 150 * KWH)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("owe"), st.integers(1, 50_00)),
    ),
    max_size=10,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
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


def test_water_is_sold_and_used_in_the_same_unit(desk: Desk) -> None:
    desk.publish({**sold("well"), "service_kind": "water", "unit": "m3"})
    desk.open("A1", point("W1", "well", service_kind="water"))
    paid = desk.recharge("A1", 398_00, paid_at=moment("2026-03-02"))
    desk.read("W1", "2026-03-20", 50 * KWH)
    desk.views.catch_up()
    with desk.engine.connect() as connection:
        (used,) = read_usage(connection, 0, "A1", "month", "2026-03-01", "2026-03-31")
    returned = desk.reverse(paid["receipt_no"])["units"]
    assert paid["units"]["unit"] == used["unit"] == returned["unit"] == "m³"
