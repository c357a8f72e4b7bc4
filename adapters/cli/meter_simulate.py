"""`wattledger meter simulate`: a park of simulated meters on loopback, until told to stop."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Final

import typer

from adapters.cli.fault_shares import Faults, shares_of
from adapters.cli.meter import group
from adapters.cli.meter_wire import require_model
from adapters.cli.output import Stream, say
from adapters.cli.problems import InputError, UnreachableError
from adapters.cli.verbs import verb
from adapters.devices.acrel_modbus import MODELS
from adapters.devices.park import Park, ParkClock, ParkFault, running, spread
from adapters.devices.park.park import UNITS_MAX, ParkThread
from adapters.wiring import now_us
from ledger.commands import Json

PORTS_MAX: Final = 65_535


@verb(group)
def simulate(
    gateways: Annotated[int, typer.Option(min=1, max=1000, help="Gateways.")] = 1,
    meters: Annotated[int, typer.Option(min=1, max=100_000, help="Meters, all in all.")] = 10,
    port: Annotated[
        int, typer.Option(min=0, max=PORTS_MAX, help="Port of the first; 0 draws them.")
    ] = 5020,
    speed: Annotated[
        int, typer.Option(min=1, max=100_000, help="How fast time runs in the park.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Draws loads, sizes and faults.")] = 1,
    baud: Annotated[
        int | None,
        typer.Option(min=300, max=115_200, help="Bits a second; without it, at once."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help=f"One of {', '.join(MODELS)}; without it, a mixture."),
    ] = None,
    fault: Faults = None,
) -> Stream:
    """Serve simulated meters (Modbus RTU over TCP) and print where each is reached."""
    if meters > gateways * UNITS_MAX:
        raise InputError("too_many_meters", f"A gateway has at most {UNITS_MAX} meters.")
    if port and port + gateways - 1 > PORTS_MAX:
        raise InputError("port_invalid", f"{gateways} gateways do not fit above port {port}.")
    shares = shares_of(fault or ())
    if model is not None:
        require_model(model)
    clock = ParkClock(now_us(), speed)
    park = Park(clock, seed=seed).fill(gateways, meters, port, baud=baud, model=model)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    return Stream(lines=_served(park, shares, stopping), human=_human)


def _served(park: Park, shares: dict[ParkFault, int], stopping: threading.Event) -> Iterator[Json]:
    with _listening(park) as thread:
        found = thread.call(spread(park, shares))
        for address in park.addresses():
            faults = [
                fault
                for fault, whom in found.items()
                if address.meter_no in whom or address.gateway in whom
            ]
            yield {**address._asdict(), "faults": faults}
        sys.stdout.flush()
        say(f"{len(park)} meters behind {len(park.gateways)} gateways. Ctrl-C stops.")
        stopping.wait()


@contextmanager
def _listening(park: Park) -> Iterator[ParkThread]:
    with ExitStack() as stack:
        try:
            thread = stack.enter_context(running(park))
        except OSError as error:
            ports = ", ".join(str(gateway.port) for gateway in park.gateways[:3])
            detail = f"The gateways cannot listen from port {ports} on: {error.strerror}."
            raise UnreachableError("port_taken", detail) from error
        yield thread


def _human(line: Json) -> str:
    faults = " ".join(line["faults"])
    told = f"--gateway {line['gateway']} --unit {line['unit']} --model {line['model']}"
    return f"{line['meter_no']}  {told}  {faults}".rstrip()
