"""Tiers under a draft (试算阶梯): what points of one kind counted, and what that comes to."""

from bisect import insort

from ledger.events import account as facts
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable
from ledger.pricing.bills import End, beside, closed, with_bills
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.pricing.side_by_side import OpenWindows, amounts_of
from ledger.values import local_us

Quantities = tuple[int, ...]
Place = tuple[str, int]
"""A meter, and when an interval of it began."""


class Tiers:
    """What was counted under the tariff that the draft would replace, and charged by the draft."""

    __slots__ = (
        "_begun_us",
        "_bills",
        "_draft",
        "_fixed_at_us",
        "_going_on",
        "_intervals",
        "_is_amid_a_bill",
        "_position",
        "_posted",
        "_through_us",
    )

    def __init__(self, draft: CompiledTariff, begun_us: int) -> None:
        self._draft = draft
        self._begun_us = begun_us
        self._position = draft.start(begun_us)
        self._intervals: dict[Place, tuple[int, Quantities]] = {}
        """By meter and beginning: the end, and what was counted."""
        self._going_on: set[End] = set()
        """Meters that were replaced within a bill, and when."""
        self._bills: list[int] = []
        self._is_amid_a_bill = False
        """A replaced meter left a bill open: it is rated as a whole once it closes."""
        self._through_us = self._posted = self._fixed_at_us = 0

    def take(
        self, place: Place, at_us: int, quantities: Quantities, context: Context | None
    ) -> int:
        """Charge one more interval: all anew where it cannot be the next under the draft."""
        self._intervals[place] = at_us, quantities
        if at_us < self._through_us or self._is_amid_a_bill:
            return self._charged(self._total(context))
        self._through_us = at_us
        known = context
        if self._draft.tables.is_billed:
            self._note_bill(at_us)
            known = self._known(place[1], at_us, context)
        try:
            self._position, amounts = self._draft.rate(
                self._position, place[1], at_us, quantities, known
            )
        except NotRateable as reason:
            if reason.code != CLOSED_WINDOW:
                raise
            return self._charged(self._total(context))
        amount = sum(amounts)
        self._posted += amount
        return amount

    def replace(self, event: facts.MeterReplaced, at_us: int) -> None:
        """Another meter counts; it may go on in the same bill."""
        if event.bill_from_us:
            self._going_on.add((event.old_meter_no, at_us))
            self._find_bills()
            self._is_amid_a_bill = self._draft.tables.is_billed

    def correct(self, event: facts.ChargeCorrected, context: Context | None) -> int:
        """Charge the difference where intervals became others."""
        for gone in event.replaced:
            self._intervals.pop((gone.meter_no, gone.from_us), None)
        for come in event.intervals:
            taken = counted(self._draft, come.registers)
            self._intervals[come.meter_no, come.from_us] = come.to_us, taken
        return self._charged(self._total(context))

    def stay_silent(self, at_us: int, context: Context | None) -> int:
        """Charge what a silent meter owes up to a time."""
        self._fixed_at_us = max(self._fixed_at_us, at_us)
        return self._charged(self._posted + self._silent_days(context))

    def _charged(self, total: int) -> int:
        amount, self._posted = total - self._posted, total
        return amount

    def _total(self, context: Context | None) -> int:
        ordered = sorted(
            (to_us, from_us, meter_no, quantities)
            for (meter_no, from_us), (to_us, quantities) in self._intervals.items()
        )
        self._through_us = ordered[-1][0] if ordered else 0
        self._is_amid_a_bill = False
        self._find_bills()
        start = self._draft.start(min([self._begun_us, *(from_us for _, from_us, _, _ in ordered)]))
        told = [
            (from_us, to_us, quantities, self._known(from_us, to_us, context))
            for to_us, from_us, _, quantities in ordered
        ]
        total, position = 0, start
        try:
            for each in told:
                position, amounts = self._draft.rate(position, *each)
                total += sum(amounts)
        except NotRateable as reason:
            if reason.code != CLOSED_WINDOW:
                raise
            windows = OpenWindows(self._draft, start, context)
            steps = [windows.take(*each) for each in told]
            total, position = sum(sum(amounts_of(each)) for each in steps), windows.position()
        self._position = position
        return total + (self._silent_days(context) if self._fixed_at_us else 0)

    def _silent_days(self, context: Context | None) -> int:
        self._position, amounts = self._draft.to_fixed_only(
            self._position, self._fixed_at_us, context
        )
        return sum(amounts)

    def _known(self, from_us: int, to_us: int, context: Context | None) -> Context | None:
        """What an interval is rated by: the bills that it lies over, where tiers count so."""
        if not self._draft.tables.is_billed:
            return context
        return with_bills(context, beside(self._bills, from_us, to_us, self._draft.timezone))

    def _note_bill(self, at_us: int) -> None:
        """The next bill ends with a reading, until the meter turns out to be replaced."""
        bill = local_us(self._draft.timezone, at_us)
        if bill not in self._bills[-1:]:
            insort(self._bills, bill)

    def _find_bills(self) -> None:
        if self._draft.tables.is_billed:
            pairs = self._intervals.items()
            ends = [(meter_no, to_us) for (meter_no, _), (to_us, _) in pairs]
            self._bills = sorted(closed(ends, self._going_on, self._draft.timezone))
