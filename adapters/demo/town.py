"""The town's meters in the park, and what can be known of a customer between two readings."""

from typing import Final, NamedTuple

from adapters.demo.catalogue import BUSINESS, HOMES
from adapters.demo.people import Customer, townspeople
from adapters.devices.park import Park, ParkClock, SimulatedMeter
from adapters.devices.park.draws import draw
from adapters.devices.park.load import MILLIWATT_US_PER_WH, REGISTERS, load_shape
from ledger.commands.late_readings import Reading

KINDS: Final = {HOMES: ("household", "household", "night_shift"), BUSINESS: ("shop", "office")}
SHAPES: Final = 8
WH_AT_START: Final = 4_000_000
STARTS: Final = {HOMES: ("flat",), BUSINESS: REGISTERS}


class Inhabitant(NamedTuple):
    """A customer and the meter on their wall."""

    customer: Customer
    meter: SimulatedMeter
    size_permille: int

    def wh_between(self, begin_us: int, end_us: int) -> int:
        """What the customer usually draws in that time."""
        drawn = sum(self.meter.shape.drawn(end_us)) - sum(self.meter.shape.drawn(begin_us))
        return drawn * self.size_permille // MILLIWATT_US_PER_WH

    def reading(self, at_us: int) -> Reading:
        """What a walk past the meter would note; the registers are those of the tariff."""
        shown = self.meter.registers_wh(at_us)
        if self.customer.tariff_id == HOMES:
            return Reading(self.customer.meter_no, at_us, {"total": shown["total"]})
        return Reading(self.customer.meter_no, at_us, {name: shown[name] for name in REGISTERS})


class Town(NamedTuple):
    """Everybody, the park of their meters, and the time."""

    clock: ParkClock
    park: Park
    people: list[Inhabitant]
    by_account: dict[str, Inhabitant]


def build(count: int, gateways: int, seed: int, start_us: int) -> Town:
    """The town at the beginning of its history; its clock stands still."""
    clock = ParkClock(start_us, speed=0)
    park = Park(clock, seed=seed)
    lines = [park.gateway() for _ in range(gateways)]
    people = []
    for customer in townspeople(count, gateways, seed):
        meter = park.meter(lines[customer.gateway], customer.meter_no, customer.model)
        kinds = KINDS[customer.tariff_id]
        kind = kinds[draw(len(kinds), seed, customer.meter_no, "kind")]
        shape = draw(SHAPES, seed, customer.meter_no, "shape")
        size_permille = 600 + draw(800, seed, customer.meter_no, "size")
        meter.draw_times(size_permille, load_shape(kind, shape, park.offset_us))
        meter.start_at(
            start_us,
            **{
                name: draw(WH_AT_START, seed, customer.meter_no, name) // 10 * 10
                for name in STARTS[customer.tariff_id]
            },
        )
        people.append(Inhabitant(customer, meter, size_permille))
    return Town(clock, park, people, {each.customer.account_no: each for each in people})
