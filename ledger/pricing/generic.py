"""Rating in exact fractions over any border: the rule itself, and its derivation."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from ledger.pricing.arithmetic import Expression, Number, Product, Sum
from ledger.pricing.calendar import day_at, month_of
from ledger.pricing.charges import FixedCharge
from ledger.pricing.computed import MAJOR, Window, deducted, derived_line
from ledger.pricing.exact import PRICE_DIGITS, QUANTITY_DIGITS
from ledger.pricing.pieces import Piece
from ledger.pricing.standing import Standing
from ledger.pricing.terms import MONTHLY, Version
from ledger.pricing.tiers import TierPart, tier_parts

Quantity = Fraction | int
Formulas = dict[int, list[Expression]]


class LineStep(NamedTuple):
    """How one line came from one accrual to the next, and what that made in money."""

    line: int
    accrued_before: Fraction
    accrued_after: Fraction
    posted_before: int
    posted_after: int
    arithmetic: Expression
    """What comes to the difference of the accruals, in major units."""


class Step(NamedTuple):
    """One piece of an interval as it was rated (推导)."""

    piece: Piece
    share: Fraction
    """Of the interval's quantities."""
    used_before: Fraction
    used_after: Fraction
    bounds: tuple[Fraction, ...]
    """In force for this piece, of all tiers but the last."""
    tiers: tuple[TierPart, ...]
    lines: tuple[LineStep, ...]


class Tally(Standing):
    """A position while it is being moved, piece by piece, with the derivation of each."""

    def consume(self, piece: Piece, quantities: Sequence[Fraction], start: int, end: int) -> Step:
        """Charge a piece of the interval from `start` to `end` its share of the quantities."""
        self.enter(piece)
        share = Fraction(piece.end - piece.start, end - start) if end > start else Fraction(1)
        used_before, posted_before = self.used, list(self.posted)
        chosen_before = self.block_in_force(piece.version)
        self._note_powers(piece, quantities, is_last=piece.end == end)
        passed = [quantities[register] * share for register in self.tables.energy]
        self.used += sum(passed, Fraction(0))
        parts = [
            self._consume_plan(piece, number, passed, used_before)
            for number in range(len(piece.version.plans))
        ]
        formulas: list[Formulas] = [formulas for _, _, formulas in parts]
        self._count_registers(piece.version, passed)
        # Where a silent meter's fixed charges are ahead, this piece has borne its own already.
        is_current = self.fixed_window == (piece.version.number, piece.window_from)
        is_current = is_current or self.goes_back(piece, day_at(start))
        if is_current and end > start:
            self._take_fixed(piece, day_at(start), formulas)
        self._count_reactive(quantities, share)
        self._follow(piece, formulas, is_whole=end > start)
        lines = self.tables.all_lines if is_current else self.tables.consumption_lines
        chosen = self.plan_in_force(piece.version)
        self.post(piece.version, chosen, lines)
        bounds, tiers, _ = parts[chosen]
        self.has_one_price = self.household.flat_price(piece) is not None
        self.bounds = self._bounds_shown(piece, chosen, bounds)
        return Step(
            piece,
            share,
            used_before,
            self.used,
            tuple(bounds),
            tuple(tiers),
            self._line_steps(chosen_before, chosen, posted_before, formulas[chosen]),
        )

    def take_silent_days(self, piece: Piece) -> Step | None:
        """Charge what the piece's whole days owe without a reading; consumption stays behind."""
        if self.tables.is_simple:
            self.enter_fixed(piece)
        elif self.window[0] != piece.window_from or self.version != piece.version.number:
            return None  # What other lines follow from waits for the reading that closes it.
        before, posted_before = self.block_in_force(piece.version), list(self.posted)
        formulas: list[Formulas] = [{} for _ in piece.version.plans]
        self._take_fixed(piece, self.days.through, formulas)
        lines = self.tables.fixed_lines
        if not self.tables.is_simple:
            self._follow(piece, formulas, is_whole=True)
            lines = self.tables.all_lines
        chosen = self.plan_in_force(piece.version)
        self.post(piece.version, chosen, lines)
        steps = self._line_steps(before, chosen, posted_before, formulas[chosen])
        return Step(piece, Fraction(0), self.used, self.used, (), (), steps)

    # ------------------------------------------------------------ consumption

    def _consume_plan(
        self, piece: Piece, number: int, passed: Sequence[Fraction], used: Fraction
    ) -> tuple[list[Fraction], list[TierPart], Formulas]:
        plan = piece.version.plans[number]
        bounds = self._bounds(piece, number)
        excess = [
            None if charge.over is None else self.household.excess(charge.over, piece)
            for charge in plan.consumption
        ]
        begins = [used] if not piece.version.by_register else self._used_by(len(passed))
        parts = tier_parts(
            begins,
            passed,
            bounds,
            {over for over in excess if over is not None},
            deducted(plan, self.household, piece),
        )
        formulas: Formulas = {}
        flat = self.household.flat_price(piece)
        for charge, over in zip(plan.consumption, excess, strict=True):
            if not self.household.holds(charge.condition, piece.asked_at):
                continue
            prices = charge.prices[piece.season]
            for part in parts:
                if over is None or part.start >= over:
                    row = prices[part.tier]
                    if flat is not None and charge.is_tiered:
                        row = (flat,) * len(row)
                    self._add(number, charge.line, _priced(part.quantities, row), formulas)
        return bounds, parts, formulas

    def _bounds(self, piece: Piece, number: int) -> list[Fraction]:
        """Bounds in force; the same household in the same window has the same ones."""
        context = self.household.context
        key = (
            piece.version.number,
            number,
            piece.season,
            piece.window_from,
            piece.window_to,
            self.in_service_from,
            context.attributes,
            context.known(piece.asked_at),
        )
        bounds = self.tables.bounds_known.get(key)
        if bounds is None:
            bounds = self.household.bounds(piece.version.plans[number], piece)
            self.tables.remember(key, bounds)
        return bounds

    def _used_by(self, registers: int) -> list[Fraction]:
        self.used_by = self.used_by or [Fraction(0)] * registers
        return self.used_by

    def _count_registers(self, version: Version, passed: Sequence[Fraction]) -> None:
        if version.counts_registers:
            pairs = zip(self._used_by(len(passed)), passed, strict=True)
            self.used_by = [used + more for used, more in pairs]

    def _bounds_shown(self, piece: Piece, plan: int, bounds: Sequence[Fraction]) -> list[Fraction]:
        """Bounds of the window's whole quantity, where the household has others than everyone."""
        if self.has_one_price or self._is_plain(piece, bounds):
            return []
        free = deducted(piece.version.plans[plan], self.household, piece)
        return [bound + free for bound in bounds]

    def _is_plain(self, piece: Piece, bounds: Sequence[Fraction]) -> bool:
        """Whether the bounds are those of every household, which nobody need remember."""
        if not piece.version.is_simple:
            return False
        limits, den = piece.version.bounds(piece.season, piece.window_from, self.in_service_from)
        return [Fraction(limit, den) for limit in limits] == bounds

    def _count_reactive(self, quantities: Sequence[Fraction], share: Fraction) -> None:
        if self.tables.reactive_track is not None:
            passed = sum((quantities[each] * share for each in self.tables.reactive), Fraction(0))
            for block in self.blocks:
                block[self.tables.reactive_track] += passed

    def _note_powers(self, piece: Piece, quantities: Sequence[Fraction], *, is_last: bool) -> None:
        """Keep the month's highest power: the one that the reading closing it shows."""
        month = month_of(max(day_at(piece.end - 1), piece.window_from))
        if piece.version.is_billed:
            month = month_of(piece.window_to - 1)
        for register in self.tables.demand if is_last else ():
            peak = max(self.peaks.get((register, month), 0), int(quantities[register]))
            self.peaks[register, month] = peak
        if self.peaks:
            oldest = month - self.tables.months_remembered
            self.peaks = {key: peak for key, peak in self.peaks.items() if key[1] >= oldest}

    # ------------------------------------------------------------ fixed and computed

    def _take_fixed(self, piece: Piece, first_due: int, formulas: list[Formulas]) -> None:
        """Accrue what falls due in the piece: days, months or windows."""
        done = day_at(piece.end)
        days = self.days.due(first_due, done)
        month = month_of(max(day_at(piece.start), done - 1))
        # A bill bears its months as one: none is left to another meter.
        began = month if piece.version.is_billed else month_of(self.in_service_from)
        known = self.months._replace(through=max(self.months.through, began))
        for number, plan in enumerate(piece.version.plans):
            for charge in plan.fixed:
                self._take_charge(piece, number, charge, days, formulas[number])
        if self.tables.fixed_tracks:
            self.days = self.days.after(first_due, done)
        if any(charge.per in MONTHLY for plan in piece.version.plans for charge in plan.fixed):
            self.months = known.after(month, month + 1)

    def _take_charge(
        self, piece: Piece, number: int, charge: FixedCharge, days: int, formulas: Formulas
    ) -> None:
        is_new = not self.blocks[number][charge.line]
        if charge.per == "day":
            due, at = days, piece.start
        elif charge.per == "period":
            due, at = int(is_new), self.household.opened(piece)
        elif piece.version.is_billed:
            due, at = is_new * self.household.months(piece), self.household.opened(piece)
        else:
            month = month_of(day_at(piece.start))
            due, at = self.months.due(month, month + 1), piece.start
        if due and self.household.holds(charge.condition, at):
            amount: Expression = Number(charge.amount / MAJOR)
            if charge.times is not None:
                amount = Product(Number(self.household.number(charge.times, at)), amount)
            self._add(number, charge.line, Product(Number(Fraction(due)), amount), formulas)

    def _follow(self, piece: Piece, formulas: list[Formulas], *, is_whole: bool) -> None:
        """Reckon the lines that follow from others, from the window, or from its peaks."""
        opened = self.household.opened(piece)
        for number, plan in enumerate(piece.version.plans):
            window = Window(
                piece,
                self.household,
                self._bounds(piece, number),
                self.blocks[number],
                self.used,
                self._reactive(number),
                self.peaks,
                formulas[number],
                is_whole,
            )
            for charge in plan.computed:
                if self.household.holds(charge.condition, opened):
                    found = derived_line(charge, window)
                    self._add(number, charge.line, found, formulas[number])

    def _reactive(self, number: int) -> Fraction | None:
        track = self.tables.reactive_track if self.tables.reactive else None
        return None if track is None else self.blocks[number][track]

    def _add(self, number: int, line: int, more: Expression, formulas: Formulas) -> None:
        value = more.value
        if value:
            self.blocks[number][line] += value * MAJOR
            formulas.setdefault(line, []).append(more)

    def _line_steps(
        self, before: list[Fraction], plan: int, posted: list[int], formulas: Formulas
    ) -> tuple[LineStep, ...]:
        steps = []
        for line in range(self.tables.lines):
            after = self.blocks[plan][line]
            terms = formulas.get(line, [])
            arithmetic: Expression = Sum(tuple(terms))
            if arithmetic.value * MAJOR != after - before[line]:
                # Another schedule took over, or the bill was rounded anew: from one to the other.
                arithmetic = self._changed(before[line], after, terms)
            steps.append(
                LineStep(line, before[line], after, posted[line], self.posted[line], arithmetic)
            )
        return tuple(steps)

    def _changed(self, before: Fraction, after: Fraction, terms: list[Expression]) -> Expression:
        so_far = after - sum((term.value for term in terms), Fraction(0)) * MAJOR
        known = [Number(so_far / MAJOR)] if so_far else []
        taken = [Number(-before / MAJOR)] if before else []
        return Sum((*known, *terms, *taken))


def _priced(quantities: Sequence[Fraction], prices: Sequence[int]) -> Expression:
    terms = [
        Product(Number(quantity / 10**QUANTITY_DIGITS), Number(Fraction(price, 10**PRICE_DIGITS)))
        for quantity, price in zip(quantities, prices, strict=True)
        if quantity and price
    ]
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))
