"""`wattledger bench control`: how long a customer who pays sits in the dark."""

from typing import Annotated, Final

import typer

from adapters.bench.control import measure_control
from adapters.bench.scratch import scratch_ledger
from adapters.cli.bench import group
from adapters.cli.output import Shown, facts, say
from adapters.cli.problems import InputError
from adapters.cli.verbs import verb
from adapters.devices.park.park import UNITS_MAX
from adapters.wiring import read_settings

MOST: Final[dict[str, float]] = {"p99_ms": 2_000}
"""What a figure may be at most, on loopback meters."""


@verb(group)
def control(
    meters: Annotated[int, typer.Option(min=1, help="Simulated meters.")] = 500,
    gateways: Annotated[int, typer.Option(min=1, max=1_000, help="Gateways.")] = 10,
    every: Annotated[
        float, typer.Option(min=0.001, max=60, help="Seconds between two payments.")
    ] = 0.1,
) -> Shown:
    """From a payment to the relay verified closed, while the poller sweeps."""
    if meters > gateways * UNITS_MAX:
        raise InputError("too_many_meters", f"A gateway has at most {UNITS_MAX} meters.")
    say(f"Cutting and restoring {meters} simulated meters behind {gateways} gateways.")
    with scratch_ledger(read_settings().database_url) as scratch:
        body = measure_control(scratch, gateways, meters, every)
    body["limits"] = MOST
    body["missed"] = [name for name, most in MOST.items() if body[name] > most]
    human = facts({**body, "limits": None, "missed": ", ".join(body["missed"])})
    return Shown(body=body, human=human)
