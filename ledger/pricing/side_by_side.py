"""Meters side by side (并列计量): their intervals count towards the same tiers."""

from fractions import Fraction

import msgspec

from ledger.pricing.calendar import instants_of_midnight, month_of
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.context import NOTHING_KNOWN, Context
from ledger.pricing.gaps import Borne
from ledger.pricing.generic import Quantity, Step, Tally
from ledger.pricing.hours import by_register
from ledger.pricing.pieces import Piece
from ledger.pricing.position import CLOSED_WINDOW, NotRateable, Position
from ledger.values import local_day


class OpenWindows:
    """The window of every piece, open at once: meters side by side may come back to an old one."""

    def __init__(
        self, tariff: CompiledTariff, start: Position, context: Context | None = None
    ) -> None:
        self.by_window: dict[tuple[int, int], tuple[Tally, list[Step]]] = {}
        """Tally and steps by the version that opened the window anew, and by its first day."""
        self._tariff = tariff
        self._context = context or NOTHING_KNOWN
        self._opened = start.window_from
        self._start = start
        self._days = Borne(start.fixed_through, start.fixed_gaps)
        self._months = Borne(start.months_through, start.month_gaps)

    def take(
        self,
        from_us: int,
        to_us: int,
        quantities: tuple[Quantity, ...],
        known: Context | None = None,
    ) -> tuple[Step, ...]:
        """Charge the next interval in order of their ends; raises NotRateable.

        `known` is said of this interval alone, as since when its bill runs.
        """
        tariff = self._tariff
        counted = by_register(tariff.hours, from_us, to_us, quantities)
        exact = [Fraction(quantity) for quantity in counted]
        start, end, pieces = tariff.pieces(self._start, from_us, to_us, known or self._context)
        steps = []
        for piece in pieces:
            # A later version may count over a longer window, which it opens anew.
            is_later = piece.version.number > self._start.version
            if piece.window_from < self._opened and not is_later:
                raise NotRateable(CLOSED_WINDOW, "The interval begins before the open window.")
            tally, history = self._window(piece)
            self._lend(tally)
            step = tally.consume(piece, exact, start, end)
            self._days, self._months = tally.days, tally.months
            self._start = msgspec.structs.replace(self._start, peaks=tally.remembered_peaks())
            history.append(step)
            steps.append(step)
        return tuple(steps)

    def position(self) -> Position:
        """Where the newest window stands."""
        if not self.by_window:
            return self._start
        tally, _ = self.by_window[max(self.by_window)]
        self._lend(tally)
        return msgspec.structs.replace(tally.position(), peaks=self._start.peaks)

    def _lend(self, tally: Tally) -> None:
        """Days and months are charged once, whichever window is entered next."""
        tally.days, tally.months = self._days, self._months

    def _window(self, piece: Piece) -> tuple[Tally, list[Step]]:
        """Tally of the piece's window; a version that resets opens the window once more."""
        upto = self._tariff.versions[: piece.version.number + 1]
        reset_by = max((version.number for version in upto if version.resets), default=0)
        return self.by_window.setdefault(
            (reset_by, piece.window_from), (self._tariff.tally(self._start, self._context), [])
        )


def amounts_of(steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Minor units by line."""
    by_line = zip(*(step.lines for step in steps), strict=True)
    return tuple(sum(line.posted_after - line.posted_before for line in lines) for lines in by_line)


def opened_us(tariff: CompiledTariff, position: Position) -> int:
    """UTC time from which on a position can take what meters counted."""
    resets = (each.from_day for each in tariff.versions[: position.version + 1] if each.resets)
    day = max(position.window_from, position.in_service_from, *resets)
    return instants_of_midnight(tariff.timezone, day)[0]


def counts_in_any_order(
    tariff: CompiledTariff, position: Position, from_us: int, to_us: int, context: Context | None
) -> bool:
    """Whether an interval comes to the same before and after others in the position's window."""
    if tariff.tables.fixed_tracks or len(tariff.registers) > 1 or tariff.asks(context):
        return False
    version = tariff.versions[position.version]
    first, last = position.window_from, position.window_to
    return (
        not version.is_billed
        and version.from_day <= first
        and last <= version.to_day
        and (not version.is_monthly or month_of(first) == month_of(last - 1))
        and first <= local_day(tariff.timezone, from_us)
        and local_day(tariff.timezone, to_us - 1) < last
    )
