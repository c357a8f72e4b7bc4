"""`wattledger bench poll`: the poller's speed against the limits of the design."""

from typing import Annotated, Final

import typer

from adapters.bench.polling import measure_poll
from adapters.bench.scratch import scratch_ledger
from adapters.cli.bench import group
from adapters.cli.output import Shown, facts, say
from adapters.cli.problems import InputError
from adapters.cli.verbs import verb
from adapters.devices.park.park import UNITS_MAX
from adapters.wiring import read_settings

MOST: Final[dict[str, float]] = {
    "sweep_s": 60,
    "cpu_ms": 0.4,
    "passed_by": 1,
    "unread": 0,
    "uncharged": 0,
}
"""What each figure may be at most; CPU is that of this process for each read of 48 registers."""


@verb(group)
def poll(
    meters: Annotated[int, typer.Option(min=1, help="Simulated meters.")] = 5_000,
    gateways: Annotated[int, typer.Option(min=1, max=1_000, help="Gateways.")] = 50,
    sweeps: Annotated[int, typer.Option(min=1, help="Sweeps with commands.")] = 3,
    baud: Annotated[
        int | None, typer.Option(min=300, max=115_200, help="Speed of each bus (default: at once).")
    ] = None,
) -> Shown:
    """Sweep a park of simulated meters over loopback sockets while commands are sent."""
    if meters > gateways * UNITS_MAX:
        raise InputError("too_many_meters", f"A gateway has at most {UNITS_MAX} meters.")
    say(f"Sweeping {meters} simulated meters behind {gateways} gateways.")
    with scratch_ledger(read_settings().database_url) as scratch:
        body = measure_poll(scratch, gateways, meters, sweeps, baud)
    # On a slow bus a process mostly wakes up: its CPU is then that of waiting, not of reading.
    limits = {name: most for name, most in MOST.items() if baud is None or name != "cpu_ms"}
    body["limits"] = limits
    body["missed"] = [name for name, most in limits.items() if body[name] > most]
    human = facts({**body, "limits": None, "missed": ", ".join(body["missed"])})
    return Shown(body=body, human=human)
