"""A tariff ready to rate (计费): integers inside a frame, exact fractions over its borders."""

from collections.abc import Collection, Iterator
from fractions import Fraction
from operator import sub
from typing import Final

from ledger.pricing.accrual import consumed, with_fixed
from ledger.pricing.borders import entered, through_frames
from ledger.pricing.bounds import Household
from ledger.pricing.calendar import instants_of_midnight, midnight
from ledger.pricing.context import NOTHING_KNOWN, Condition, Context
from ledger.pricing.document import TariffDocument
from ledger.pricing.frames import Frame, Frames
from ledger.pricing.generic import Quantity, Step, Tally
from ledger.pricing.hours import by_register, hours_of
from ledger.pricing.households import Allowance, allowance, rate_allowed
from ledger.pricing.lines import demand_registers, energy_registers, lines_of
from ledger.pricing.lint import checked
from ledger.pricing.pieces import Piece, cut, cut_at_windows, version_at
from ledger.pricing.position import CLOSED_WINDOW, SOLD_IN_UNITS, NotRateable, Position
from ledger.pricing.tables import REMEMBERED_MAX, Tables
from ledger.pricing.terms import conditions_of
from ledger.values import local_day, local_us

Rated = tuple[Position, tuple[int, ...]]


class CompiledTariff:
    """What a service point on this tariff owes for an interval between two readings.

    Pure: the same position, interval and quantities give the same amounts, at any time.
    """

    def __init__(self, document: TariffDocument) -> None:
        self.tariff_id: Final = document.tariff_id
        self.service_kind: Final = document.service_kind
        self.unit: Final = document.unit
        self.currency: Final = document.currency
        self.timezone: Final = document.timezone
        self.registers: Final = tuple(document.registers)
        self.energy_registers: Final = energy_registers(document)
        """Registers whose quantities have prices."""
        self.lines: Final = lines_of(document)
        self.tables: Final = Tables(document)
        self.versions: Final = self.tables.versions
        self.power_registers: Final = demand_registers(document)
        """Registers whose reading is a highest power, not a count that goes on."""
        self.hours: Final = hours_of(document)
        """How what a single register counted is split; None where the calendar leaves that open."""
        self.vending: Final = document.vending
        self.tax_rate: Final = Fraction(document.tax.rate or 0)
        self.is_taxed_outside: Final = document.tax.treatment == "exclusive"
        self._conditions = frozenset[Condition]().union(*map(conditions_of, self.versions))
        self._is_plain = self.tables.is_simple and not self._conditions
        self._fixed_lines = self.tables.fixed_tracks
        self._waits_for_readings = any(
            version.by_reading_end or version.windows_by_reading_end for version in self.versions
        )
        self._register_count = len(self.registers)
        self._zeros = (0,) * len(self.lines)
        self._allowances: dict[tuple[object, ...], Allowance | None] = {}
        self._frames = Frames(self.versions, self.timezone)
        self._frame = self._frames.of(self.versions[0].from_day)

    def start(self, at_us: int) -> Position:
        """Position of a point supplied from `at_us` (UTC) on; NotRateable before the tariff."""
        day = local_day(self.timezone, at_us)
        version = version_at(self.versions, day)
        window_from, window_to = version.window.around(day)
        accrued = (0,) * (self.tables.tracks * self.tables.block_count)
        season = version.season(day)
        return Position(
            version.number, window_from, window_to, day, 0, accrued, self._zeros, day, 1, season
        )

    def rate(
        self,
        position: Position,
        from_us: int,
        to_us: int,
        quantities: tuple[int, ...],
        context: Context | None = None,
    ) -> Rated:
        """Position after an interval and its amounts in minor units, in the order of `lines`.

        Quantities are in Wh or litres, in the order of `registers`. Raises NotRateable.
        """
        if not self._is_plain and self.asks(context):
            return self._rate_household(position, from_us, to_us, quantities, context)
        frame = self._frame
        if not frame.from_us <= from_us < to_us <= frame.to_us:
            found = self._frames.around(from_us, to_us)
            if found is None:
                return self._rate_over_borders(position, from_us, to_us, quantities)
            frame = self._frame = found
        before = entered(position, frame, self._zeros)
        if before is None:
            return self._rate_over_borders(position, from_us, to_us, quantities)
        if len(quantities) != self._register_count or min(quantities) < 0:
            return self._rate_over_borders(position, from_us, to_us, quantities)  # It refuses.
        after, accrued, den = consumed(frame, before, quantities, before.den)
        fixed_through = before.fixed_through
        if self._fixed_lines:
            fixed = with_fixed(frame, before, accrued, den, from_us, to_us)
            if fixed is None:
                return self._rate_over_borders(position, from_us, to_us, quantities)
            accrued, fixed_through = fixed
        posted = frame.posted(accrued, den)
        return (
            Position(
                frame.version_number,
                frame.window_from,
                frame.window_to,
                before.in_service_from,
                after,
                accrued,
                posted,
                fixed_through,
                den,
                frame.season,
                before.months_through,
            ),
            tuple(map(sub, posted, before.posted)),
        )

    def tier(self, position: Position) -> tuple[int, int | None]:
        """Tier (from 1) of the window's quantity and the last whole Wh or litre in it."""
        bounds, parts = position.limits, position.limits_den
        version = self.versions[position.version]
        if parts and not bounds:
            bounds, parts = version.bounds(
                position.season, position.window_from, position.in_service_from
            )
        used = position.used
        if version.by_register:
            used = max(position.used_by, default=used)
        for number, bound in enumerate(bounds, start=1):
            if used * parts <= bound * position.den:
                return number, bound // parts
        return len(bounds) + 1, None

    def to_fixed_only(
        self, position: Position, at_us: int, context: Context | None = None
    ) -> Rated:
        """Fixed charges of the whole local days up to `at_us` that have borne none yet.

        For a meter that is silent: consumption stays where it was, and a later interval
        charges only the days that are still due.
        """
        after, amounts, _ = self.derive_fixed_only(position, at_us, context)
        return after, amounts

    def derive_fixed_only(
        self, position: Position, at_us: int, context: Context | None = None
    ) -> tuple[Position, tuple[int, ...], tuple[Step, ...]]:
        """The same with every step of the derivation."""
        today = local_day(self.timezone, at_us)
        if today <= position.fixed_through or not self._fixed_lines:
            return position, self._zeros, ()
        version_at(self.versions, today - 1)
        tally = self.tally(position, context)
        start, end = midnight(position.fixed_through), midnight(today)
        pieces = cut_at_windows(self.versions, start, end)
        steps = [tally.take_silent_days(piece) for piece in pieces]
        taken = tuple(step for step in steps if step is not None)
        return tally.position(), tuple(tally.amounts), taken

    def derive(
        self,
        position: Position,
        from_us: int,
        to_us: int,
        quantities: tuple[Quantity, ...],
        context: Context | None = None,
    ) -> tuple[Position, tuple[int, ...], tuple[Step, ...]]:
        """The same as `rate`, in fractions throughout, with every step of the derivation."""
        quantities = by_register(self.hours, from_us, to_us, quantities)
        self._refuse_nonsense(from_us, to_us, quantities)
        if self.versions[0].by_purchase:
            message = "The tariff sells units; what a meter counts is paid already."
            raise NotRateable(SOLD_IN_UNITS, message)
        start, end, pieces = self.pieces(position, from_us, to_us, context)
        exact = [Fraction(quantity) for quantity in quantities]
        tally = self.tally(position, context)
        steps = []
        for piece in pieces:
            if self._is_closed(piece, position):
                raise NotRateable(CLOSED_WINDOW, "The interval begins before the open window.")
            steps.append(tally.consume(piece, exact, start, end))
        return tally.position(), tuple(tally.amounts), tuple(steps)

    def pieces(
        self, position: Position, from_us: int, to_us: int, context: Context | None = None
    ) -> tuple[int, int, Iterator[Piece]]:
        """Wall-clock times of an interval, which never run backwards, and what it is cut into."""
        start = local_us(self.timezone, from_us)
        opened = midnight(position.window_from)
        if start < opened:
            earliest, _ = instants_of_midnight(self.timezone, position.window_from)
            if from_us >= earliest:
                start = opened  # A clock set back over midnight opens no closed window again.
        end = max(local_us(self.timezone, to_us), start)
        return start, end, cut(self.versions, position, start, end, context or NOTHING_KNOWN)

    def tally(self, position: Position, context: Context | None = None) -> Tally:
        """The position in fractions, to be moved piece by piece."""
        return Tally(self.tables, position, context or NOTHING_KNOWN)

    def _is_closed(self, piece: Piece, position: Position) -> bool:
        """Whether the position has left the piece's window, or begun it anew by a later version."""
        if piece.window_to <= position.window_from:
            return True
        are_bills = piece.version.is_billed and self.versions[position.version].is_billed
        if are_bills and piece.window_from < position.window_from:
            return True  # Bills of meters side by side may overlap.
        since = self.versions[piece.version.number + 1 : position.version + 1]
        return any(version.resets for version in since)

    def rerates_for(self, attributes: Collection[str]) -> bool:
        """Whether the open window is rated again when one of these attributes changes (R8)."""
        return any(
            modifier.rerates and modifier.condition.attribute in attributes
            for version in self.versions
            for modifier in version.modifiers
        )

    def asks(self, context: Context | None) -> bool:
        """Whether the tariff has more than prices and fixed amounts for this household."""
        if not self.tables.is_simple:
            return True
        return context is not None and any(
            condition.attribute == name and condition.holds(value)
            for condition in self._conditions
            for _, name, value in context.attributes
        )

    def _rate_household(
        self,
        position: Position,
        from_us: int,
        to_us: int,
        quantities: tuple[int, ...],
        context: Context | None,
    ) -> Rated:
        """For a household with more than prices: in integers if it has only allowances."""
        rated = None
        is_sound = len(quantities) == self._register_count and min(quantities) >= 0
        frame = self._frames.around(from_us, to_us) if self.tables.is_simple else None
        if frame is not None and context is not None and is_sound:
            before = entered(position, frame, self._zeros)
            if before is not None:
                own = self._allowance(frame, before, from_us, context)
                times, has_fixed = (from_us, to_us), bool(self._fixed_lines)
                rated = own and rate_allowed(
                    frame, before, times, quantities, own, has_fixed=has_fixed
                )
        return rated or self.derive(position, from_us, to_us, quantities, context)[:2]

    def _allowance(
        self, frame: Frame, before: Position, from_us: int, context: Context
    ) -> Allowance | None:
        household = Household(context, before.in_service_from)
        start = local_us(self.timezone, from_us)
        key = (frame.window_from, frame.season, household.in_service_from)
        known = (frame.version_number, *key, context.attributes, context.known(start))
        if known not in self._allowances:
            if len(self._allowances) >= REMEMBERED_MAX:
                self._allowances.clear()
            self._allowances[known] = allowance(frame, household, start)
        return self._allowances[known]

    def _rate_over_borders(
        self, position: Position, from_us: int, to_us: int, quantities: tuple[int, ...]
    ) -> Rated:
        if self.hours is not None and len(quantities) == 1:
            split = self.hours.quantities(from_us, to_us, quantities[0])
            return self.rate(position, from_us, to_us, split)
        self._refuse_nonsense(from_us, to_us, quantities)
        if not self._fixed_lines and not self._waits_for_readings and from_us < to_us:
            start, end = local_us(self.timezone, from_us), local_us(self.timezone, to_us)
            rated = through_frames(self._frames, position, start, end, quantities)
            if rated is not None:
                return rated
        position, amounts, _ = self.derive(position, from_us, to_us, quantities)
        return position, amounts

    def _refuse_nonsense(self, from_us: int, to_us: int, quantities: tuple[Quantity, ...]) -> None:
        if to_us < from_us:
            raise NotRateable("backward", "The interval ends before it begins.")
        if len(quantities) != len(self.registers):
            names = ", ".join(self.registers)
            raise NotRateable("registers", f"The tariff needs a quantity for each of: {names}.")
        if min(quantities) < 0:
            raise NotRateable("negative", "A quantity is below zero.")


def compile_tariff(document: bytes | dict[str, object]) -> CompiledTariff:
    """Tables of a publishable tariff; TariffInvalid names everything that is wrong with it."""
    return CompiledTariff(checked(document))
