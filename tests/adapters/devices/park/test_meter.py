"""The physics of a simulated meter: energy, relay, its own prepayment, the lamp and the button."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from adapters.devices.park import ParkClock, Prepayment, SimulatedMeter
from adapters.devices.park.load import HOUR_US, KINDS, REGISTERS, ROUND_US, SLOT_US, load_shape
from tests.adapters.devices.park.conftest import MONDAY_NOON_US, HandTime

OFFSET_US = 8 * HOUR_US
SHAPES = st.builds(load_shape, st.sampled_from(KINDS), st.integers(0, 3), st.just(OFFSET_US))
TIMES = st.integers(MONDAY_NOON_US, MONDAY_NOON_US + 2 * ROUND_US)


def meter(time: HandTime, **own: int) -> SimulatedMeter:
    made = SimulatedMeter(
        "M1",
        "DDSY1352",
        1,
        ParkClock(MONDAY_NOON_US, monotonic_ns=time),
        load_shape("shop", 1, OFFSET_US),
    )
    if own:
        made.prepay(Prepayment(is_on=True, prices=(8000, 7000, 5000, 3000), **own))  # type: ignore[arg-type]
    return made


@given(st.integers(0, 3), TIMES, TIMES)
def test_the_closed_form_is_the_sum_of_the_loads(seed: int, one: int, other: int) -> None:
    shape = load_shape("household", seed, OFFSET_US)
    begin, end = sorted((one, other))
    drawn = sum(shape.drawn(end)) - sum(shape.drawn(begin))
    summed, at = 0, begin
    while at < end:
        step = min(SLOT_US - (at + OFFSET_US) % SLOT_US, end - at)
        summed += shape.watts_at(at) * step
        at += step
    assert drawn == summed


@given(SHAPES, st.lists(TIMES, min_size=2, max_size=9))
def test_no_register_ever_runs_backward(shape: object, times: list[int]) -> None:
    drawn = [shape.drawn(at) for at in sorted(times)]  # type: ignore[attr-defined]
    for before, after in pairwise(drawn):
        assert all(b <= a for b, a in zip(before, after, strict=True))


def test_looking_often_changes_nothing() -> None:
    often, seldom = HandTime(), HandTime()
    one, other = meter(often), meter(seldom)
    for _ in range(500):
        often.go(hours=0.1)
        one.glance()
    seldom.go(hours=50)
    assert one.glance()[1:4] == other.glance()[1:4]


def test_every_register_counts_within_a_day() -> None:
    time = HandTime()
    seen = meter(time)
    time.go(hours=24)
    shown = seen.registers_wh()
    assert all(shown[name] > 0 for name in REGISTERS)
    assert 0 <= shown["total"] - sum(shown[name] for name in REGISTERS) <= 40


def test_an_open_relay_counts_nothing() -> None:
    time = HandTime()
    seen = meter(time)
    time.go(hours=1)
    seen.force(is_on=True, is_open=True)
    before = seen.registers_wh()
    time.go(hours=100)
    assert seen.registers_wh() == before
    assert seen.glance().watts == 0
    assert seen.lamp == "steady"


def test_its_own_balance_opens_the_relay_at_the_instant_it_ends() -> None:
    time = HandTime()
    seen = meter(time, credited_minor=100)
    time.go(hours=48)
    once = seen.glance()
    assert not once.is_closed
    assert once.own.balance_minor == 0
    price_floor, price_ceiling = 30, 80
    assert 100 * 1000 // price_ceiling <= once.total_wh <= 100 * 1000 // price_floor
    time.go(hours=48)
    assert seen.glance().total_wh == once.total_wh


def test_a_purchase_closes_the_relay_again() -> None:
    time = HandTime()
    seen = meter(time, credited_minor=100)
    time.go(hours=48)
    assert not seen.is_closed
    seen.prepay(Prepayment(is_on=True, credited_minor=5000, purchase_count=1))
    assert seen.is_closed


def test_forced_closed_supplies_without_a_balance() -> None:
    time = HandTime()
    seen = meter(time, credited_minor=100)
    seen.force(is_on=True, is_open=False)
    time.go(hours=48)
    assert seen.is_closed
    assert seen.own.balance_minor < 0
    seen.force(is_on=False, is_open=False)
    assert not seen.is_closed


def test_a_permit_waits_for_the_button_with_a_blinking_lamp() -> None:
    seen = meter(HandTime())
    seen.needs_button = True
    seen.force(is_on=True, is_open=True)
    assert (seen.lamp, seen.press_button()) == ("steady", False)
    seen.force(is_on=False, is_open=False)
    assert (seen.is_closed, seen.lamp) == (False, "blinking")
    assert seen.press_button()
    assert (seen.is_closed, seen.lamp) == (True, "off")


def test_registers_wrap_at_eight_digits() -> None:
    time = HandTime()
    seen = meter(time)
    begin_us = seen.glance().at_us
    seen.start_at(begin_us, **dict.fromkeys(REGISTERS, seen.wrap_wh - 10))
    time.go(hours=24)
    assert all(value < 100_000 for name, value in seen.registers_wh().items() if name != "total")


def test_a_meter_counts_on_from_where_a_history_ends() -> None:
    time = HandTime()
    seen = meter(time)
    start_us = MONDAY_NOON_US - 90 * 24 * HOUR_US
    seen.start_at(start_us, flat=1_000_000)
    days = [seen.registers_wh(start_us + day * 24 * HOUR_US) for day in range(91)]
    assert days[0]["total"] == 1_000_000
    assert seen.registers_wh() == days[-1]
    assert all(before["total"] < after["total"] for before, after in pairwise(days))


def test_the_clock_of_the_park_runs_at_its_speed() -> None:
    time = HandTime()
    clock = ParkClock(0, 60, monotonic_ns=time)
    time.go(seconds=10)
    assert clock.now_us() == 600_000_000
    clock.run_at(1)
    time.go(seconds=10)
    assert clock.now_us() == 610_000_000
