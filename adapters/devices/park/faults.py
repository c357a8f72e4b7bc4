"""Faults for a share of the park, drawn by its seed."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from adapters.devices.park.draws import draw
from adapters.devices.park.gateway import Gateway
from adapters.devices.park.load import REGISTERS
from adapters.devices.park.meter import Fault, SimulatedMeter
from adapters.devices.park.park import Park

ParkFault = Fault | Literal["near_wrap", "gateway_down"]
"""A fault of a meter; registers about to wrap; a gateway that cannot be reached."""
METER_FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
PARK_FAULTS: Final[tuple[str, ...]] = (*METER_FAULTS, "near_wrap", "gateway_down")
BEFORE_WRAP_WH: Final = 500


async def spread(park: Park, shares_permille: Mapping[ParkFault, int]) -> dict[str, list[str]]:
    """Give each fault to so many thousandths of the park; which meter or gateway has which."""
    found: dict[str, list[str]] = {}
    for fault, permille in shares_permille.items():
        if fault == "gateway_down":
            found[fault] = [
                gateway.address
                for number, gateway in enumerate(park.gateways)
                if draw(1000, park.seed, number, fault) < permille
            ]
            for gateway in park.gateways:
                await _down(gateway, found[fault])
        else:
            chosen = [
                meter for meter in park if draw(1000, park.seed, meter.meter_no, fault) < permille
            ]
            for meter in chosen:
                _give(meter, fault)
            found[fault] = [meter.meter_no for meter in chosen]
    return found


async def _down(gateway: Gateway, addresses: list[str]) -> None:
    if gateway.address in addresses:
        await gateway.down()


def _give(meter: SimulatedMeter, fault: Fault | Literal["near_wrap"]) -> None:
    if fault == "near_wrap":
        seen = meter.glance()
        meter.start_at(seen.at_us, **dict.fromkeys(REGISTERS, meter.wrap_wh - BEFORE_WRAP_WH))
    else:
        meter.inject(fault)
