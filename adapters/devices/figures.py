"""What a monitor reads of the buses and the poller."""

from collections.abc import Sequence
from typing import Final

from adapters.devices.bus import BusStatus
from adapters.devices.poller import PollerStatus
from ledger.service import Figure

BUSES: Final = {
    "is_connected": ("bus_connected", "Whether the gateway is reached."),
    "queued": ("bus_queued", "Jobs that wait for the bus."),
    "passed_by_max": ("bus_passed_by_max", "Reads of sweeps before a waiting command, at worst."),
}
OUTCOMES: Final = ("answered", "refused", "unanswered", "garbled", "offline")
POLLER: Final = {
    "meters": "Connected meters.",
    "in_flight": "Meters whose read was asked for.",
    "held": "Readings that wait for the ledger.",
    "silent": "Meters whose last read brought no state.",
    "clocks_wrong": "Meters whose clock is off by more than five minutes.",
}


def device_figures(buses: Sequence[BusStatus], poller: PollerStatus) -> list[Figure]:
    """All figures of one process that talks to meters."""
    found = [
        Figure(name, meaning, int(getattr(bus, field)), {"gateway": bus.gateway})
        for bus in buses
        for field, (name, meaning) in BUSES.items()
    ]
    found += [
        Figure(
            "bus_outcomes",
            "Requests by what came of them.",
            getattr(bus, outcome),
            {"gateway": bus.gateway, "outcome": outcome},
        )
        for bus in buses
        for outcome in OUTCOMES
    ]
    found += [
        Figure(
            "bus_silent_units",
            "Meters that sweeps leave alone for a while.",
            len(bus.silent_units),
            {"gateway": bus.gateway},
        )
        for bus in buses
    ]
    found += [
        Figure(f"poller_{field}", meaning, getattr(poller, field), {})
        for field, meaning in POLLER.items()
    ]
    found += [
        Figure("poller_readings", "States by what became of them.", count, {"result": result})
        for result, count in poller.tally._asdict().items()
    ]
    return found
