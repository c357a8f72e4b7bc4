"""Tiers under a draft (试算阶梯): what points of one kind counted, and what that comes to."""

from ledger.events import account as facts
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable
from ledger.pricing.bills import GoingOn, Place, bill_from, in_bill
from ledger.pricing.context import Context
from ledger.pricing.hours import counted
from ledger.pricing.side_by_side import OpenWindows, amounts_of

Quantities = tuple[int, ...]


class Tiers:
    """What was counted under the tariff that the draft would replace, and charged by the draft."""

    __slots__ = (
        "_begun_us",
        "_draft",
        "_fixed_at_us",
        "_going_on",
        "_intervals",
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
        self._going_on: dict[Place, GoingOn] = {}
        """Meters that went on in the bill of the one before, by their first intervals."""
        self._through_us = self._posted = self._fixed_at_us = 0

    def take(
        self, place: Place, at_us: int, quantities: Quantities, context: Context | None
    ) -> int:
        """Charge one more interval: all anew where it cannot be the next under the draft."""
        self._intervals[place] = at_us, quantities
        if at_us < self._through_us:
            return self._charged(self._total(context))
        self._through_us = at_us
        known = self._known(place, context) if self._going_on else context
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
            new, old = event.new_meter_no, event.old_meter_no
            self._going_on[new, at_us] = GoingOn(new, at_us, old, event.bill_from_us)

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
        start = self._draft.start(min([self._begun_us, *(from_us for _, from_us, _, _ in ordered)]))
        told = [
            (from_us, to_us, quantities, self._known((meter_no, from_us), context))
            for to_us, from_us, meter_no, quantities in ordered
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

    def _known(self, place: Place, context: Context | None) -> Context | None:
        """What an interval is rated by: in the bill of the meter before, where that goes on."""
        since_us = bill_from(self._going_on, place, self._begun)
        return in_bill(context, self._draft.timezone, place[1], since_us)

    def _begun(self, meter_no: str, to_us: int) -> int | None:
        """When the interval began with which a meter ended."""
        for (each_no, from_us), (end_us, _) in self._intervals.items():
            if (each_no, end_us) == (meter_no, to_us):
                return from_us
        return None
