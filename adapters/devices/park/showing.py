"""What a simulated meter shows, as counts by the names of its register map.

A value that stands in two places of a map has the address of the second in its name there
(`balance_0414`); here it has its plain name alone.
"""

from datetime import UTC, datetime
from typing import Final

from adapters.devices.park.load import REGISTERS, SECOND_US
from adapters.devices.park.meter import Glance, SimulatedMeter

MODEL_CODES: Final = {"DDSY1352": 7, "DTSY1352": 5, "ADF300L": 10}
VOLTS_TENTH: Final = 2_300
VOLTS_TENTH_MIN: Final = 1_900
POWER_FACTOR_MILLI: Final = 950
REACTIVE_MILLI: Final = 329
"""Reactive power to active power, at that factor."""

Counts = dict[str, int]


def counts_of(meter: SimulatedMeter, seen: Glance) -> Counts:
    """Every value of the summary block and of the pages beside it, as counts of the map."""
    return {
        "model_code": MODEL_CODES.get(meter.model, 0),
        "voltage_ratio": 1,
        "current_ratio": 1,
        "box_type": 0x0001 if meter.phases == 1 else 0,
        **_energy(seen),
        **_electrical(meter, seen),
        **_status(meter, seen),
        **_money(seen),
        **_clock(meter, seen),
    }


def _energy(seen: Glance) -> Counts:
    sharp, peak, flat, valley = seen.wh
    return {
        "energy_total": seen.total_wh // 10,
        "energy_sharp": sharp // 10,
        "energy_peak": peak // 10,
        "energy_flat": flat // 10,
        "energy_valley": valley // 10,
    }


def _electrical(meter: SimulatedMeter, seen: Glance) -> Counts:
    """Power shared evenly by the phases; a little voltage drop under load."""
    counts: Counts = {"active_power": seen.watts, "active_power_total": seen.watts}
    volts = max(VOLTS_TENTH_MIN, VOLTS_TENTH - seen.watts // meter.phases // 100)
    watts = seen.watts // meter.phases
    amperes = watts * 1_000_000 // POWER_FACTOR_MILLI // volts
    factor = POWER_FACTOR_MILLI if watts else 1000
    reactive = seen.watts * REACTIVE_MILLI // 1000
    counts |= {"voltage": volts, "current": amperes, "power_factor": factor}
    counts |= {"apparent_power": watts * 1000 // factor, "power_factor_total": factor}
    counts["reactive_power_total"] = reactive
    for phase in "abc"[: meter.phases]:
        counts |= {
            f"voltage_{phase}": volts,
            f"current_{phase}": amperes,
            f"active_power_{phase}": watts,
            f"reactive_power_{phase}": reactive // meter.phases,
            f"power_factor_{phase}": factor,
        }
    return counts


def _status(meter: SimulatedMeter, seen: Glance) -> Counts:
    own = seen.own
    is_low = own.is_on
    counts: Counts = {
        "force_enable": seen.is_forced,
        "force_open": seen.is_forced_open,
        "forced_mode": seen.is_forced,
        "prepaid_mode": own.is_on,
        "prepaid_on": own.is_on,
        "arrears": is_low and own.balance_minor <= 0,
        "alarm1_reached": is_low and own.balance_minor <= own.alarms_minor[0],
        "alarm2_reached": is_low and own.balance_minor <= own.alarms_minor[1],
        "fault": seen.is_forced and seen.is_closed == seen.is_forced_open,
    }
    for phase in range(1, meter.phases + 1):
        counts[f"relay_l{phase}_closed"] = seen.is_closed
        counts[f"forced_l{phase}_closed"] = seen.is_forced and not seen.is_forced_open
        counts[f"prepaid_l{phase}_closed"] = not own.is_used_up_by()
        counts[f"load_l{phase}_closed"] = counts[f"time_l{phase}_closed"] = True
    return {name: int(count) for name, count in counts.items()}


def _money(seen: Glance) -> Counts:
    own = seen.own
    counts = {
        "balance": max(own.balance_minor, 0),
        "purchase_count": own.purchase_count,
        "total_purchased": own.total_purchased_minor,
        "overdraft": own.credit_minor,
        "credit_limit": own.credit_minor,
        "alarm1": own.alarms_minor[0],
        "alarm2": own.alarms_minor[1],
    }
    for name, price in zip(REGISTERS, own.prices, strict=True):
        counts[f"price_{name}"] = price
    return counts


def _clock(meter: SimulatedMeter, seen: Glance) -> Counts:
    """The meter's own clock: local time, as wrong as it is."""
    local_us = seen.at_us + meter.shape.offset_us + meter.clock_skew_us
    local = datetime.fromtimestamp(local_us // SECOND_US, UTC)
    return {
        "clock_year_month": local.year % 100 << 8 | local.month,
        "clock_day_weekday": local.day << 8 | local.isoweekday(),
        "clock_hour_minute": local.hour << 8 | local.minute,
        "clock_second_demand_high": local.second << 8,
    }
