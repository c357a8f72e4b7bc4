"""Rating in exact fractions over any border: the rule itself, and its derivation."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import NamedTuple

from ledger.pricing.calendar import day_at, month_of
from ledger.pricing.pieces import Piece
from ledger.pricing.position import Position
from ledger.pricing.terms import Version

Quantity = Fraction | int


class TierPart(NamedTuple):
    """What of a piece fell into one tier."""

    tier: int
    bound: Fraction | None
    quantities: tuple[Fraction, ...]
    """Of each register, in Wh or litres."""


class LineStep(NamedTuple):
    """How one line came from one accrual to the next, and what that made in money."""

    line: int
    accrued_before: Fraction
    accrued_after: Fraction
    posted_before: int
    posted_after: int
    fixed_units: int
    """Days, months or windows of a fixed charge."""


class Step(NamedTuple):
    """One piece of an interval as it was rated (推导)."""

    piece: Piece
    share: Fraction
    """Of the interval's quantities."""
    used_before: Fraction
    used_after: Fraction
    tiers: tuple[TierPart, ...]
    lines: tuple[LineStep, ...]


class Tally:
    """A position while it is being moved: fractions instead of integers over one denominator."""

    def __init__(
        self, versions: tuple[Version, ...], fixed_lines: frozenset[int], position: Position
    ) -> None:
        lines = len(versions[0].rounding)
        missing = lines - len(position.accrued)  # A later version brought new lines.
        den = position.den
        self.versions = versions
        self.version = position.version
        self.window = position.window_from, position.window_to
        self.in_service_from = position.in_service_from
        self.used = Fraction(position.used, den)
        self.accrued = [Fraction(units, den) for units in position.accrued]
        self.accrued += [Fraction(0)] * missing
        self.posted = [*position.posted, *([0] * missing)]
        self.fixed_through = position.fixed_through
        self.season = position.season
        self.months_through = position.months_through
        self.fixed_window = position.fixed_window or (position.version, position.window_from)
        self.amounts = [0] * lines
        self.fixed_lines = fixed_lines
        self.consumption_lines = frozenset(range(lines)) - fixed_lines

    def position(self) -> Position:
        """The position in integers over the smallest common denominator."""
        den = lcm(self.used.denominator, *(units.denominator for units in self.accrued))
        fixed_window = self.fixed_window
        return Position(
            self.version,
            *self.window,
            self.in_service_from,
            int(self.used * den),
            tuple(int(units * den) for units in self.accrued),
            tuple(self.posted),
            self.fixed_through,
            den,
            self.season,
            self.months_through,
            () if fixed_window == (self.version, self.window[0]) else fixed_window,
        )

    def consume(self, piece: Piece, quantities: Sequence[Fraction], start: int, end: int) -> Step:
        """Charge a piece of the interval from `start` to `end` its share of the quantities."""
        self._enter(piece)
        share = Fraction(piece.end - piece.start, end - start) if end > start else Fraction(1)
        used_before = self.used
        before = list(self.accrued), list(self.posted)
        tiers = self._tiers(piece, [quantity * share for quantity in quantities])
        for part in tiers:
            prices = piece.version.terms[piece.season].prices[part.tier]
            for line, of_registers in enumerate(prices):
                pairs = zip(part.quantities, of_registers, strict=True)
                self.accrued[line] += sum((used * price for used, price in pairs), Fraction(0))
        self._post(piece.version, self.consumption_lines)
        units: dict[int, int] = {}
        # Where a silent meter's fixed charges are ahead, this piece has borne its own already.
        if self.fixed_window == (piece.version.number, piece.window_from):
            units = self._take_fixed(piece, day_at(start)) if end > start else {}
            self._post(piece.version, self.fixed_lines)
        steps = self._line_steps(*before, units)
        return Step(piece, share, used_before, self.used, tuple(tiers), steps)

    def take_silent_days(self, piece: Piece) -> None:
        """Charge what the piece's whole days owe without a reading; consumption stays behind."""
        self._enter_fixed(piece)
        self._take_fixed(piece, self.fixed_through)
        self._post(piece.version, self.fixed_lines)

    def _enter(self, piece: Piece) -> None:
        """Move on to the piece's window: what the old one counted is closed."""
        self._enter_fixed(piece)
        if self._starts_anew(self.version, self.window[0], piece):
            self.used = Fraction(0)
            self._clear(self.consumption_lines)
        self.window = piece.window_from, piece.window_to
        self.version = piece.version.number
        self.season = piece.season

    def _enter_fixed(self, piece: Piece) -> None:
        version, window_from = self.fixed_window
        if (version, window_from) <= (piece.version.number, piece.window_from):
            if self._starts_anew(version, window_from, piece):
                self._clear(self.fixed_lines)
            self.fixed_window = piece.version.number, piece.window_from

    def _starts_anew(self, version: int, window_from: int, piece: Piece) -> bool:
        """Another window, or a version between that says so."""
        if window_from != piece.window_from:
            return True
        return any(later.resets for later in self.versions[version + 1 : piece.version.number + 1])

    def _clear(self, lines: Iterable[int]) -> None:
        for line in lines:
            self.accrued[line] = Fraction(0)
            self.posted[line] = 0

    def _tiers(self, piece: Piece, quantities: Sequence[Fraction]) -> list[TierPart]:
        """Parts of the quantity by tier; each has the registers' shares of the whole."""
        total = sum(quantities, Fraction(0))
        numerators, den = piece.version.bounds(
            piece.season, piece.window_from, self.in_service_from
        )
        bounds = [*(Fraction(numerator, den) for numerator in numerators), None]
        start, self.used = self.used, self.used + total
        parts = []
        for tier, bound in enumerate(bounds):
            end = self.used if bound is None else min(bound, self.used)
            if end > start:
                share = (end - start) / total
                of_registers = tuple(quantity * share for quantity in quantities)
                parts.append(TierPart(tier, bound, of_registers))
                start = end
        return parts

    def _take_fixed(self, piece: Piece, first_due: int) -> dict[int, int]:
        """Accrue what falls due in the piece; how many days, months or windows per line."""
        units: dict[int, int] = {}
        done = day_at(piece.end)
        days = max(done - max(self.fixed_through, first_due), 0)
        month = month_of(day_at(piece.start))
        for charge in piece.version.fixed:
            if charge.per == "day":
                due = days
            elif charge.per == "month":
                due = int(self.months_through <= month)
            else:
                due = int(not self.accrued[charge.line])
            if due:
                units[charge.line] = due
                self.accrued[charge.line] += due * charge.amount
        if self.fixed_lines:
            self.fixed_through = max(self.fixed_through, done)
        if any(charge.per == "month" for charge in piece.version.fixed):
            self.months_through = max(self.months_through, month + 1)
        return units

    def _post(self, version: Version, lines: Iterable[int]) -> None:
        for line in lines:
            accrued = self.accrued[line]
            rounded = version.rounding[line].minor(accrued.numerator, accrued.denominator)
            self.amounts[line] += rounded - self.posted[line]
            self.posted[line] = rounded

    def _line_steps(
        self, accrued: list[Fraction], posted: list[int], units: dict[int, int]
    ) -> tuple[LineStep, ...]:
        return tuple(
            LineStep(
                line,
                accrued[line],
                self.accrued[line],
                posted[line],
                self.posted[line],
                units.get(line, 0),
            )
            for line in range(len(posted))
        )
