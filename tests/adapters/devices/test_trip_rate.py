"""So many trips a minute behind one gateway, whoever sent them."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.devices.trip_rate import MINUTE_US, SentTrip, TripRate

NOON_US = 1_790_568_000_000_000


def test_a_gateway_has_so_many_turns_a_minute_and_the_next_when_the_oldest_is_over() -> None:
    rate = TripRate(2)
    assert [rate.take_turn("G", NOON_US + at_us) for at_us in (0, 5)] == [0, 0]
    assert rate.take_turn("G", NOON_US + 10) == NOON_US + MINUTE_US
    assert rate.take_turn("H", NOON_US + 10) == 0
    assert rate.take_turn("G", NOON_US + MINUTE_US) == 0
    assert rate.take_turn("G", NOON_US + MINUTE_US) == NOON_US + MINUTE_US + 5


def test_what_another_process_sent_counts_in_whatever_order_it_is_told() -> None:
    sent = [SentTrip("G", NOON_US), SentTrip("G", NOON_US - 30), SentTrip("G", NOON_US - MINUTE_US)]
    rate = TripRate(3, sent)
    assert rate.take_turn("G", NOON_US) == 0
    assert rate.take_turn("G", NOON_US) == NOON_US - 30 + MINUTE_US


def test_more_than_are_allowed_by_now_wait_until_few_enough_are_left() -> None:
    rate = TripRate(1, [SentTrip("G", NOON_US - 30), SentTrip("G", NOON_US)])
    assert rate.take_turn("G", NOON_US) == NOON_US + MINUTE_US


def test_a_turn_that_was_not_used_is_free_again() -> None:
    rate = TripRate(1)
    assert rate.take_turn("G", NOON_US) == 0
    rate.give_back("G")
    assert rate.take_turn("G", NOON_US) == 0


def test_a_clock_that_went_back_gives_no_further_turns_and_takes_none_for_long() -> None:
    rate = TripRate(1, [SentTrip("G", NOON_US)])
    earlier_us = NOON_US - 60 * MINUTE_US
    assert rate.take_turn("G", earlier_us) == earlier_us + MINUTE_US
    assert rate.take_turn("G", earlier_us + MINUTE_US) == 0


@given(st.integers(1, 4), st.lists(st.integers(0, MINUTE_US // 2), max_size=30), st.integers(0, 30))
def test_no_minute_has_more_whenever_a_process_takes_over(
    trips_a_minute: int, steps: list[int], falls_at: int
) -> None:
    rate, sent, now_us = TripRate(trips_a_minute), list[int](), NOON_US
    for number, step_us in enumerate(steps):
        if number == falls_at:
            rate = TripRate(trips_a_minute, [SentTrip("G", at_us) for at_us in sent])
        now_us += step_us
        if not rate.take_turn("G", now_us):
            sent.append(now_us)
    for at_us in sent:
        assert sum(at_us <= each < at_us + MINUTE_US for each in sent) <= trips_a_minute
