"""What a customer draws by time of day and week, in closed form: no tick, only differences."""

from array import array
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

from adapters.devices.park.draws import draw

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
SLOT_US: Final = 900 * SECOND_US
SLOTS_PER_DAY: Final = 96
DAYS: Final = 35
"""The load repeats after five weeks, so that no two weeks of a month look alike."""
SLOTS: Final = DAYS * SLOTS_PER_DAY
ROUND_US: Final = SLOTS * SLOT_US
MONDAY_US: Final = 4 * SLOTS_PER_DAY * SLOT_US
"""The first Monday after 1970-01-01, a Thursday."""

MILLIWATT_US_PER_WH: Final = 1000 * HOUR_US
"""A watt-hour in the unit of the counters: milliwatt-microseconds, exact for any instant."""

REGISTERS: Final = ("sharp", "peak", "flat", "valley")
SHARP, PEAK, FLAT, VALLEY = range(4)

Energies = tuple[int, int, int, int]
"""Milliwatt-microseconds by register, in the order of `REGISTERS`."""
NOTHING: Final[Energies] = (0, 0, 0, 0)

DAY_HOURS: Final = (
    *(VALLEY,) * 7,
    *(FLAT,) * 1,
    *(PEAK,) * 3,
    *(FLAT,) * 7,
    *(SHARP,) * 3,
    *(PEAK,) * 1,
    *(FLAT,) * 1,
    *(VALLEY,) * 1,
)
"""The register that counts in each hour of the local day."""
COUNTING: Final = tuple(register for register in DAY_HOURS for _ in range(4))
"""The same for each quarter of an hour."""

WATTS: Final = {
    kind: tuple(map(int, hours.split()))
    for kind, hours in {
        "household": "90 80 80 75 75 90 220 380 260 180 170 210"
        " 330 240 190 190 220 380 720 860 780 620 380 180",
        "shop": "120 120 120 120 120 140 240 520 1100 1500 1650 1700"
        " 1750 1700 1650 1600 1600 1650 1700 1600 1300 700 250 140",
        "office": "160 160 160 160 160 160 200 600 1900 2400 2500 2400"
        " 2100 2400 2500 2400 2300 1700 800 400 260 200 180 160",
        "night_shift": "700 720 680 640 600 520 300 160 110 100 100 100"
        " 110 120 140 160 190 260 380 480 520 560 620 680",
    }.items()
}
"""Mean watts in each hour of the local day, by kind of customer."""
KINDS: Final = tuple(WATTS)
WEEKEND_PERCENT: Final = {"office": (55, 35), "shop": (100, 70)}
"""Saturday and Sunday beside a working day."""


class LoadShape(NamedTuple):
    """Five weeks of load in quarters of an hour, with its sums so far by register."""

    watts: "array[int]"
    sums: "tuple[array[int], ...]"
    """Watt-slots before each slot, by register; one more than there are slots."""
    offset_us: int
    """Local time minus UTC."""

    def place(self, at_us: int) -> tuple[int, int, int]:
        """How many rounds are over, the slot of this round, and microseconds into the slot."""
        rounds, in_round_us = divmod(at_us + self.offset_us - MONDAY_US, ROUND_US)
        slot, in_slot_us = divmod(in_round_us, SLOT_US)
        return rounds, slot, in_slot_us

    def watts_at(self, at_us: int) -> int:
        """The load at an instant."""
        return self.watts[self.place(at_us)[1]]

    def drawn(self, at_us: int) -> Energies:
        """What was drawn since the first Monday, in watt-microseconds by register."""
        rounds, slot, in_slot_us = self.place(at_us)
        sharp, peak, flat, valley = self.sums
        drawn = [
            (rounds * sharp[-1] + sharp[slot]) * SLOT_US,
            (rounds * peak[-1] + peak[slot]) * SLOT_US,
            (rounds * flat[-1] + flat[slot]) * SLOT_US,
            (rounds * valley[-1] + valley[slot]) * SLOT_US,
        ]
        drawn[COUNTING[slot % SLOTS_PER_DAY]] += self.watts[slot] * in_slot_us
        return (drawn[0], drawn[1], drawn[2], drawn[3])


@cache
def load_shape(kind: str, seed: int, offset_us: int) -> LoadShape:
    """The load of a kind of customer; each seed has its own habits, good days and bad days."""
    hours = WATTS[kind]
    week = (100,) * 5 + WEEKEND_PERCENT.get(kind, (110, 115))
    habits = [80 + draw(41, seed, kind, "habit", slot) for slot in range(7 * SLOTS_PER_DAY)]
    days = [week[day % 7] * (75 + draw(51, seed, kind, "day", day)) // 100 for day in range(DAYS)]
    return shape_of(
        (
            hours[slot % SLOTS_PER_DAY // 4]
            * days[slot // SLOTS_PER_DAY]
            * habits[slot % len(habits)]
            // 10_000
            for slot in range(SLOTS)
        ),
        offset_us,
    )


def shape_of(watts: Iterable[int], offset_us: int) -> LoadShape:
    """Five weeks of given loads, one for each quarter of an hour from a Monday on."""
    loads = array("q", watts)
    counting = COUNTING * DAYS
    sums = tuple(
        array("q", accumulate(_only(loads, counting, register), initial=0))
        for register in range(len(REGISTERS))
    )
    return LoadShape(loads, sums, offset_us)


def _only(loads: Iterable[int], counting: Iterable[int], register: int) -> Iterator[int]:
    return (load if counts == register else 0 for load, counts in zip(loads, counting, strict=True))
