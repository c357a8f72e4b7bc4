"""A bar chart as SVG, made on the server: no script to load, and the same in print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

WIDTH: Final = 760
HEIGHT: Final = 220
LEFT: Final = 44
BOTTOM: Final = 24
TOP: Final = 10
TICKS: Final = 4
NICE: Final = (1, 2, 5, 10)
REGISTERS: Final = ("sharp", "peak", "flat", "valley", "total")
"""From the bottom of a bar to its top."""


class Segment(NamedTuple):
    """A piece of a bar, in units of the drawing."""

    register: str
    y: float
    height: float


class Bar(NamedTuple):
    """One day: where it stands, what it says, its pieces from the bottom up."""

    x: float
    label: str
    title: str
    is_labelled: bool
    segments: Sequence[Segment]


class Tick(NamedTuple):
    """A line of the grid with its value."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the template draws."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    bar_width: float
    registers: Sequence[str]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    floor: int = HEIGHT - BOTTOM


class Day(NamedTuple):
    """What a chart shows of a day: a label, a sentence, quantities by register."""

    label: str
    title: str
    quantities: Mapping[str, Decimal]


def draw(days: Sequence[Day]) -> Chart | None:
    """The chart of some days; None where nothing was used."""
    top = max((sum(day.quantities.values(), Decimal()) for day in days), default=Decimal())
    if not top:
        return None
    step = _step(top)
    highest = step * (top / step).to_integral_value(ROUND_CEILING)
    floor, tall = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    wide = (WIDTH - LEFT) / len(days)
    every = max(1, len(days) // 10)
    bars = []
    for number, day in enumerate(days):
        y = float(floor)
        segments = []
        for register in REGISTERS:
            height = float(day.quantities.get(register, Decimal()) / highest) * tall
            if height > 0:
                y -= height
                segments.append(Segment(register, round(y, 2), round(height, 2)))
        x = LEFT + number * wide + wide * 0.15
        bars.append(Bar(round(x, 2), day.label, day.title, number % every == 0, segments))
    ticks = [
        Tick(round(floor - float(value / highest) * tall, 2), f"{value.normalize():f}")
        for value in (step * number for number in range(int(highest / step) + 1))
    ]
    seen = {register for day in days for register, used in day.quantities.items() if used}
    return Chart(bars, ticks, round(wide * 0.7, 2), [r for r in REGISTERS if r in seen])


def _step(top: Decimal) -> Decimal:
    """A round distance of the grid's lines, so that about four of them are enough."""
    rough = top / TICKS
    magnitude = Decimal(10) ** rough.adjusted()
    return next(nice * magnitude for nice in NICE if nice * magnitude >= rough)
