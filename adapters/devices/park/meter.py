"""One simulated meter: counters in closed form, a relay with its physics, and its faults."""

from threading import RLock
from typing import Final, Literal, NamedTuple

from adapters.devices.park.clock import ParkClock
from adapters.devices.park.load import (
    MILLIWATT_US_PER_WH,
    NOTHING,
    REGISTERS,
    Energies,
    LoadShape,
)
from adapters.devices.park.prepayment import Prepayment

Fault = Literal["silent", "slow", "write_unanswered", "stuck_relay", "bit_flip", "busy"]
"""No answer; an answer after the time-out; a write done but not answered; a relay that does not
move; an answer with a flipped bit; an exception instead of an answer."""
Lamp = Literal["off", "steady", "blinking"]
"""The trip lamp: off while supplied, steady while cut, blinking while a button may close it."""

WRAP_WH: Final = 1_000_000_000
"""Eight digits of 0.01 kWh."""
ALWAYS: Final = -1


class Glance(NamedTuple):
    """Everything about a meter at one instant."""

    at_us: int
    wh: tuple[int, int, int, int]
    """By register, in the order of `REGISTERS`; they wrap as on the meter."""
    total_wh: int
    watts: int
    is_closed: bool
    is_forced: bool
    is_forced_open: bool
    lamp: Lamp
    own: Prepayment


class SimulatedMeter:
    """A meter that is only looked at: what it counted is reckoned when somebody asks."""

    __slots__ = (
        "_anchored_us",
        "_clock",
        "_closed",
        "_counted",
        "_drawn",
        "_faults",
        "_forced",
        "_forced_open",
        "_lock",
        "_share",
        "clock_skew_us",
        "meter_no",
        "model",
        "needs_button",
        "own",
        "phases",
        "shape",
        "unit",
        "wrap_wh",
        "written",
    )

    def __init__(
        self, meter_no: str, model: str, unit: int, clock: ParkClock, shape: LoadShape
    ) -> None:
        self.meter_no = meter_no
        self.model = model
        self.unit = unit
        self.phases = 3 if model == "DTSY1352" else 1
        self.shape = shape
        self.wrap_wh = WRAP_WH
        self.needs_button = False
        """Whether a person must press the button before the relay closes again."""
        self.clock_skew_us = 0
        self.own = Prepayment()
        self.written: dict[int, int] = {}
        """Registers that hold what was written to them, such as time tables."""
        self._clock = clock
        self._share = 1000
        self._anchored_us = clock.now_us()
        self._drawn = shape.drawn(self._anchored_us)
        self._counted: Energies = NOTHING
        self._closed = True
        self._forced = self._forced_open = False
        self._faults: dict[Fault, int] = {}
        self._lock = RLock()

    # ---------------------------------------------------------------- looking

    def glance(self, at_us: int | None = None) -> Glance:
        """The meter now, or at a time that is not before the last change."""
        with self._lock:
            self._settle(self._clock.now_us() if at_us is None else at_us)
            at_us = self._anchored_us
            sharp, peak, flat, valley = (
                energy // MILLIWATT_US_PER_WH % self.wrap_wh for energy in self._counted
            )
            return Glance(
                at_us,
                (sharp, peak, flat, valley),
                sum(self._counted) // MILLIWATT_US_PER_WH % self.wrap_wh,
                self.shape.watts_at(at_us) * self._share // 1000 if self._closed else 0,
                self._closed,
                self._forced,
                self._forced_open,
                self._lamp(),
                self.own,
            )

    def registers_wh(self, at_us: int | None = None) -> dict[str, int]:
        """What its registers show, as a driver would read them: in steps of 10 Wh."""
        with self._lock:
            self._settle(self._clock.now_us() if at_us is None else at_us)
            counted = self._counted
        names = zip(REGISTERS, counted, strict=True)
        return {"total": self._shown(sum(counted)), **{n: self._shown(e) for n, e in names}}

    @property
    def is_closed(self) -> bool:
        """Whether the relay supplies."""
        return self.glance().is_closed

    @property
    def lamp(self) -> Lamp:
        """The trip lamp."""
        return self.glance().lamp

    # ---------------------------------------------------------------- what people do to it

    def start_at(self, at_us: int, **wh: int) -> None:
        """Count on from given registers (`sharp`, `peak`, `flat`, `valley`) at a given time."""
        with self._lock:
            self._anchored_us, self._drawn = at_us, self.shape.drawn(at_us)
            shown = [wh.get(name, 0) * MILLIWATT_US_PER_WH for name in REGISTERS]
            self._counted = (shown[0], shown[1], shown[2], shown[3])

    def draw_times(self, share_permille: int, shape: LoadShape | None = None) -> None:
        """From now on draw so many thousandths of the shape's load, perhaps of another shape."""
        with self._lock:
            self._settle(self._clock.now_us())
            self._share = share_permille
            self.shape = shape or self.shape
            self._drawn = self.shape.drawn(self._anchored_us)

    def force(self, *, is_on: bool, is_open: bool) -> None:
        """The platform decides on the relay, or gives it back to the meter's own logic."""
        with self._lock:
            self._settle(self._clock.now_us())
            self._forced, self._forced_open = is_on, is_open
            self._obey()

    def press_button(self) -> bool:
        """A customer holds the button; whether the relay closed."""
        with self._lock:
            self._settle(self._clock.now_us())
            is_permitted = self._lamp() == "blinking" and not self.has("stuck_relay")
            self._closed = self._closed or is_permitted
            return is_permitted

    def prepay(self, own: Prepayment) -> None:
        """Set the meter's own prepayment; a purchase overwrites it as a whole."""
        with self._lock:
            self._settle(self._clock.now_us())
            self.own = own
            self._obey()

    # ---------------------------------------------------------------- faults

    def inject(self, fault: Fault, times: int = ALWAYS) -> None:
        """From now on show a fault: always, or so many times."""
        with self._lock:
            self._faults[fault] = times

    def heal(self, *faults: Fault) -> None:
        """Show these faults no more (all, where none is named)."""
        with self._lock:
            self._settle(self._clock.now_us())
            for fault in faults or tuple(self._faults):
                self._faults.pop(fault, None)
            self._obey()

    def has(self, fault: Fault) -> bool:
        """Whether it shows a fault."""
        return fault in self._faults

    def shows(self, fault: Fault) -> bool:
        """Whether it shows a fault this time; counts the times."""
        if not self._faults:
            return False
        with self._lock:
            left = self._faults.get(fault)
            if left is None:
                return False
            if left > 0:
                self._faults[fault] = left - 1
                if left == 1:
                    del self._faults[fault]
            return True

    # ---------------------------------------------------------------- physics

    def _settle(self, at_us: int) -> None:
        """Count up to an instant; a balance of its own that ends before then opens the relay."""
        if at_us <= self._anchored_us:
            return
        if self._closed and self._cuts_itself_before(at_us):
            self._count(self._end_of_balance_us(at_us))
            self._closed = False
        elif self._closed:
            self._count(at_us)
        if not self._closed:
            self._drawn = self.shape.drawn(at_us)
        self._anchored_us = at_us

    def _count(self, until_us: int) -> None:
        used, counted = self._used(until_us), self._counted
        self._counted = (
            counted[0] + used[0],
            counted[1] + used[1],
            counted[2] + used[2],
            counted[3] + used[3],
        )
        if self.own.is_on:
            self.own.spent += self.own.cost(used)
        self._anchored_us, self._drawn = until_us, self.shape.drawn(until_us)

    def _cuts_itself_before(self, at_us: int) -> bool:
        own = self.own
        if not own.is_on or self._forced or self.has("stuck_relay"):
            return False
        return own.is_used_up_by(self._used(at_us))

    def _used(self, until_us: int) -> Energies:
        before, after, share = self._drawn, self.shape.drawn(until_us), self._share
        return (
            (after[0] - before[0]) * share,
            (after[1] - before[1]) * share,
            (after[2] - before[2]) * share,
            (after[3] - before[3]) * share,
        )

    def _end_of_balance_us(self, until_us: int) -> int:
        """The first instant at which the meter's own balance is over."""
        early, late = self._anchored_us, until_us
        while late - early > 1:
            middle = (early + late) // 2
            if self.own.is_used_up_by(self._used(middle)):
                late = middle
            else:
                early = middle
        return late

    def _shown(self, energy: int) -> int:
        """Energy as the display has it: it wraps, and its last digit is 10 Wh."""
        return energy // MILLIWATT_US_PER_WH % self.wrap_wh // 10 * 10

    def _wants_closed(self) -> bool:
        if self._forced:
            return not self._forced_open
        return not self.own.is_used_up_by()

    def _obey(self) -> None:
        """Move the relay to where its logic wants it, if it can move."""
        wanted = self._wants_closed()
        if wanted == self._closed or self.has("stuck_relay"):
            return
        if not wanted or not self.needs_button:
            self._closed = wanted

    def _lamp(self) -> Lamp:
        if self._closed:
            return "off"
        return "blinking" if self.needs_button and self._wants_closed() else "steady"
