"""Ninety days of the town, told through the real doors: openings, payments and readings in time.

The ledger, of one shard, is given the town's clock, so each fact is recorded when it happened.
"""

from collections.abc import Callable
from typing import Final

from adapters.demo.catalogue import publish
from adapters.demo.people import GROUPS, Fate
from adapters.demo.purses import Money, Purses, days_paid, rounded_up
from adapters.demo.town import Inhabitant, Town
from ledger.commands import open_account, record_readings
from ledger.store import Context, Ledger
from ledger.values import instant

POLLER: Final = Context("demo:poller")
CLERK: Final = Context("demo:clerk")
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
DAYS: Final = 90
HOURLY_DAYS: Final = 3
OFFSET_US: Final = 8 * HOUR_US
"""Local midnights are those of China."""
END_MINOR: Final[dict[Fate, int]] = {
    "low": 15_00,
    "warned": 6_50,
    "about_to_trip": 1_20,
    "cut_off": -15,
}
"""Where the balance stands when the history ends."""
SHARE_MAX: Final = 8_000
MINOR_PER_MWH: Final = 54_000
"""About what homes pay, for those who plan ahead."""
Progress = Callable[[int, int | None], None]


def hours_of(now_us: int) -> int:
    """The last full hour, where the history ends."""
    return now_us // HOUR_US * HOUR_US


def start_of(now_us: int) -> int:
    """The local midnight at which the history begins."""
    begin_us = hours_of(now_us) - DAYS * DAY_US
    return (begin_us + OFFSET_US) // DAY_US * DAY_US - OFFSET_US


class History:
    """Lives through the days up to the last full hour before `now_us`."""

    def __init__(self, town: Town, ledger: Ledger, now_us: int) -> None:
        self._town = town
        self._ledger = ledger
        self._end_us = hours_of(now_us)
        self.purses = Purses(ledger, "H")

    def live(self, advance: Progress) -> int:
        """Open all accounts and let the days pass; how many readings were recorded."""
        publish(self._ledger, CLERK)
        self._move_in()
        times = self._reading_times()
        for done, at_us in enumerate(times, 1):
            self._town.clock.skip(at_us - self._town.clock.now_us())
            self._read(at_us)
            if self._is_pay_time(at_us):
                self._pay(at_us)
            advance(done, len(times))
        for each in self._town.people:
            each.meter.draw_times(each.size_permille)
        return len(times) * len(self._town.people)

    def _reading_times(self) -> list[int]:
        """Every midnight, and every hour of the last days."""
        hourly_us = self._end_us - HOURLY_DAYS * DAY_US
        daily = range(self._town.clock.now_us() + DAY_US, hourly_us, DAY_US)
        return [*daily, *range(hourly_us, self._end_us + 1, HOUR_US)]

    def _move_in(self) -> None:
        start = instant(self._town.clock.now_us())
        answers = []
        for each in self._town.people:
            customer = each.customer
            shown = each.reading(self._town.clock.now_us()).registers
            body = {
                "account_no": customer.account_no,
                "name": customer.name,
                "phone": customer.phone,
                "address": customer.address,
                "site": customer.site,
                "group": GROUPS[customer.tariff_id],
                "service_points": [
                    {
                        "service_kind": "electricity",
                        "meter_no": customer.meter_no,
                        "tariff_id": customer.tariff_id,
                        "installed_at": start,
                        "initial": {name: _kwh(wh) for name, wh in shown.items()},
                    }
                ],
            }
            command = open_account.OpenAccount.model_validate(body)
            answers.append(open_account.submit(command, self._ledger, CLERK))
        for answer in answers:
            answer.result()
        first = [(each, self._first_payment(each)) for each in self._town.people]
        self.purses.credit(first, self._town.clock.now_us())

    def _first_payment(self, each: Inhabitant) -> int:
        """For about as many days as they will pay for later."""
        now_us = self._town.clock.now_us()
        return rounded_up(_cost(each.wh_between(now_us, now_us + DAY_US)) * days_paid(each))

    def _read(self, at_us: int) -> None:
        readings = [each.reading(at_us) for each in self._town.people]
        body = record_readings.handle(readings, self._ledger, POLLER).body
        if body["quarantined"]:
            raise AssertionError(f"the history was not charged: {body['quarantined'][0]}")
        self.purses.await_position(int(body["positions"]["0"]))

    def _is_pay_time(self, at_us: int) -> bool:
        """Every midnight; in the last days every sixth hour, at the end each."""
        left_us = self._end_us - at_us
        is_far = left_us > HOURLY_DAYS * DAY_US
        is_near = 0 < left_us <= 6 * HOUR_US
        return is_far or is_near or (left_us > 0 and left_us % (6 * HOUR_US) == 0)

    def _pay(self, at_us: int) -> None:
        """Whoever runs low pays; whoever shall be short at the end is steered there."""
        payments = []
        for each in self._town.people:
            account = self.purses.money_of(each)
            if each.customer.fate != "well" and at_us >= self._end_us - HOURLY_DAYS * DAY_US:
                amount = self._steered(each, account, at_us)
            else:
                amount = self.purses.wanted(each)
            if amount:
                payments.append((each, amount))
        self.purses.credit(payments, at_us)

    def _steered(self, each: Inhabitant, account: Money, at_us: int) -> int:
        """Use as much as the balance allows until the end; pay where that is too little."""
        spare_minor = account.balance_minor - END_MINOR[each.customer.fate]
        usual_minor = max(1, _cost(each.wh_between(at_us, self._end_us)))
        amount = 0
        if spare_minor * 2 < usual_minor:
            amount = rounded_up(usual_minor - spare_minor)
            spare_minor += amount
        share = each.size_permille * spare_minor // usual_minor
        each.meter.draw_times(max(0, min(share, SHARE_MAX)))
        return amount


def _cost(wh: int) -> int:
    return wh * MINOR_PER_MWH // 1_000_000


def _kwh(wh: int) -> str:
    return f"{wh // 1000}.{wh % 1000:03d}"
