"""Frame after frame: an interval over borders in integers, where only consumption is charged."""

from fractions import Fraction
from operator import add, sub

import msgspec

from ledger.pricing.accrual import consumed, reduced
from ledger.pricing.calendar import day_at, midnight
from ledger.pricing.frames import Frame, Frames
from ledger.pricing.position import Position

Amounts = tuple[int, ...]


def entered(position: Position, frame: Frame, zeros: Amounts) -> Position | None:
    """The position in the frame's window, at zero if that is new; None if more is to decide."""
    if (
        position.window_from == frame.window_from
        and position.version == frame.version_number
        and len(position.accrued) == len(zeros)
    ):
        return position
    if (
        position.window_to > frame.window_from
        or position.version > frame.version_number
        or position.fixed_window
        or position.fixed_gaps
    ):
        return None
    return Position(
        frame.version_number,
        frame.window_from,
        frame.window_to,
        position.in_service_from,
        0,
        zeros,
        zeros,
        position.fixed_through,
        1,
        frame.season,
        position.months_through,
    )


def through_frames(
    frames: Frames, position: Position, start: int, end: int, quantities: tuple[int, ...]
) -> tuple[Position, Amounts] | None:
    """Rate from one wall-clock time to another, each frame its share; None if more is to decide."""
    span, at = end - start, start
    zeros = amounts = (0,) * len(frames.versions[0].rounding)
    while at < end:
        frame = frames.of(day_at(at))
        stop = min(end, midnight(frame.days.stop))
        before = entered(position, frame, zeros)
        if before is None:
            return None
        position = _with_share(frame, before, quantities, Fraction(stop - at, span))
        amounts = tuple(map(add, amounts, map(sub, position.posted, before.posted)))
        at = stop
    return position, amounts


def _with_share(
    frame: Frame, before: Position, quantities: tuple[int, ...], share: Fraction
) -> Position:
    whole = share.denominator
    wider = msgspec.structs.replace(
        before,
        used=before.used * whole,
        accrued=tuple([units * whole for units in before.accrued]),
        den=before.den * whole,
    )
    used, accrued, den = reduced(*consumed(frame, wider, quantities, before.den * share.numerator))
    return Position(
        frame.version_number,
        frame.window_from,
        frame.window_to,
        before.in_service_from,
        used,
        accrued,
        frame.posted(accrued, den),
        before.fixed_through,
        den,
        frame.season,
        before.months_through,
    )
