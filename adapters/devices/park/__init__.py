"""A park of simulated meters on real sockets: Modbus RTU over TCP, relays, loads and faults."""

from adapters.devices.park.clock import ParkClock
from adapters.devices.park.faults import PARK_FAULTS, ParkFault, spread
from adapters.devices.park.gateway import Gateway
from adapters.devices.park.meter import Fault, Glance, Lamp, SimulatedMeter
from adapters.devices.park.park import Park, ParkThread, running
from adapters.devices.park.prepayment import Prepayment

__all__ = [
    "PARK_FAULTS",
    "Fault",
    "Gateway",
    "Glance",
    "Lamp",
    "Park",
    "ParkClock",
    "ParkFault",
    "ParkThread",
    "Prepayment",
    "SimulatedMeter",
    "running",
    "spread",
]
