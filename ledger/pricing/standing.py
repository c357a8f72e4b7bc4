"""Where a point stands while it is being moved: its windows, its accruals, its money."""

from collections.abc import Iterable
from fractions import Fraction
from math import lcm

from ledger.pricing.bounds import Household
from ledger.pricing.calendar import day_at, month_of
from ledger.pricing.context import Context
from ledger.pricing.gaps import Borne, Gaps
from ledger.pricing.pieces import Piece
from ledger.pricing.position import CLOSED_WINDOW, NotRateable, Position
from ledger.pricing.tables import Tables
from ledger.pricing.terms import Version


class Standing:
    """A position in fractions instead of integers over one denominator."""

    def __init__(self, tables: Tables, position: Position, context: Context) -> None:
        self.tables = tables
        self.household = Household(context, position.in_service_from)
        self.version = position.version
        self.window = position.window_from, position.window_to
        self.in_service_from = position.in_service_from
        den = position.den
        self.used = Fraction(position.used, den)
        self.used_by = [Fraction(used, den) for used in position.used_by]
        self.blocks = tables.blocks_of(position)
        self.posted = [*position.posted, *([0] * (tables.lines - len(position.posted)))]
        self.days = Borne(position.fixed_through, position.fixed_gaps)
        self.months = Borne(position.months_through, position.month_gaps)
        """Which of them have borne their fixed charges."""
        self.bill_goes_on = position.bill_goes_on
        self.bills = position.bills
        self.season = position.season
        self.fixed_window = position.fixed_window or (position.version, position.window_from)
        self.has_one_price = position.limits_den == 0
        self.bounds = [Fraction(limit, position.limits_den) for limit in position.limits]
        self.peaks = {(register, month): peak for register, month, peak in position.peaks}
        self.amounts = [0] * tables.lines

    def position(self) -> Position:
        """The position in integers over the smallest common denominator."""
        accrued = [units for block in self.blocks for units in block]
        den = lcm(
            self.used.denominator,
            *(used.denominator for used in self.used_by),
            *(units.denominator for units in accrued),
        )
        limits_den = lcm(*(bound.denominator for bound in self.bounds))
        fixed_window = self.fixed_window
        return Position(
            self.version,
            *self.window,
            self.in_service_from,
            int(self.used * den),
            tuple(int(units * den) for units in accrued),
            tuple(self.posted),
            self.days.through,
            den,
            self.season,
            self.months.through,
            () if fixed_window == (self.version, self.window[0]) else fixed_window,
            tuple(int(bound * limits_den) for bound in self.bounds),
            0 if self.has_one_price else limits_den,
            tuple(int(used * den) for used in self.used_by),
            self.remembered_peaks(),
            fixed_gaps=self._open(self.days, self.window[0]),
            month_gaps=self._open(self.months, month_of(self.window[0])),
            bill_goes_on=self.bill_goes_on,
            bills=self.bills,
        )

    def _open(self, borne: Borne, opened: int) -> Gaps:
        """What may still be borne."""
        by_end = self.tables.versions[self.version].windows_by_reading_end
        return borne.gaps if by_end else borne.since(opened)

    def remembered_peaks(self) -> tuple[tuple[int, int, int], ...]:
        """(register, month, W) of the peaks that may still be asked for."""
        return tuple((register, month, peak) for (register, month), peak in self.peaks.items())

    # ------------------------------------------------------------ windows

    def enter(self, piece: Piece) -> None:
        """Move on to the piece's window: what the old one counted is closed."""
        self.enter_fixed(piece)
        if self._starts_anew(self.version, self.window[0], piece):
            self.used = Fraction(0)
            self.used_by = []
            self._clear(self.tables.consumption_tracks)
        self.window = piece.window_from, piece.window_to
        self.version = piece.version.number
        self.season = piece.season
        self.bill_goes_on = False

    def enter_fixed(self, piece: Piece) -> None:
        version, window_from = self.fixed_window
        if (version, window_from) <= (piece.version.number, piece.window_from):
            if self._starts_anew(version, window_from, piece):
                self._clear(self.tables.fixed_tracks)
            self.fixed_window = piece.version.number, piece.window_from

    def goes_back(self, piece: Piece, first: int) -> bool:
        """Whether days were left that the piece bears; NotRateable where their window is closed."""
        done = day_at(piece.end)
        if not Borne(done, self.days.gaps).due(first, done):
            return False
        version, window_from = self.fixed_window
        since = self.tables.versions[piece.version.number + 1 : version + 1]
        if window_from != piece.window_from or any(later.resets for later in since):
            raise NotRateable(CLOSED_WINDOW, "Days left to this meter lie in a closed window.")
        return True

    def _starts_anew(self, version: int, window_from: int, piece: Piece) -> bool:
        """Another window, or a version between that says so."""
        if window_from != piece.window_from:
            return True
        between = self.tables.versions[version + 1 : piece.version.number + 1]
        return any(later.resets for later in between)

    def _clear(self, tracks: Iterable[int]) -> None:
        for track in tracks:
            for block in self.blocks:
                block[track] = Fraction(0)
            if track < self.tables.lines:
                self.posted[track] = 0

    # ------------------------------------------------------------ money

    def plan_in_force(self, version: Version) -> int:
        """Number of the schedule that the window's total chooses."""
        for number, plan in enumerate(version.plans):
            if plan.upto is None or self.used <= plan.upto:
                return number
        return len(version.plans) - 1

    def block_in_force(self, version: Version) -> list[Fraction]:
        return list(self.blocks[self.plan_in_force(version)])

    def post(self, version: Version, plan: int, lines: Iterable[int]) -> None:
        block = self.blocks[plan]
        before = list(self.posted)
        for line in lines:
            accrued = block[line]
            self.posted[line] = version.rounding[line].minor(accrued.numerator, accrued.denominator)
        rounding = self.tables.rounding_line
        if rounding is not None:
            total = sum(self.posted) - self.posted[rounding]
            rounded = total
            for ladder in version.bill_rounding:
                rounded = ladder.of_minor(rounded)
            self.posted[rounding] = rounded - total
            for each in self.blocks:
                each[rounding] = Fraction((rounded - total) * self.tables.minor_unit)
        for line, posted in enumerate(self.posted):
            self.amounts[line] += posted - before[line]
