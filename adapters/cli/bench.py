"""`wattledger bench`: the design's speeds, measured as ratios in one run on a store of its own."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from adapters.bench.commits import measure_commits
from adapters.bench.growth import measure_growth
from adapters.bench.http import measure_http
from adapters.bench.readings import measure_readings
from adapters.bench.rebuild import measure_rebuild
from adapters.bench.replay import measure_replay
from adapters.bench.scratch import Scratch, scratch_ledger
from adapters.cli.output import Shown, facts, say
from adapters.cli.verbs import topic, verb
from adapters.wiring import open_engine, read_settings

group = topic("bench", "Measure speed")

LIMITS: Final[dict[tuple[str, str], dict[str, float]]] = {
    ("readings", "postgresql"): {"rate": 25_000, "ratio": 0.20},
    ("readings", "sqlite"): {"rate": 15_000},
    ("replay", "postgresql"): {"rate": 200_000},
    ("replay", "sqlite"): {"rate": 200_000},
    ("preview", "postgresql"): {"rate_per_cpu_second": 50_000},
    ("preview", "sqlite"): {"rate_per_cpu_second": 50_000},
    ("growth", "postgresql"): {"growth_ratio": 0.90},
    ("growth", "sqlite"): {"growth_ratio": 0.90},
    ("rebuild", "postgresql"): {"rate": 33_334},
    ("rebuild", "sqlite"): {"rate": 33_334},
    ("commits", "postgresql"): {"rate": 1_500, "hot_ratio": 0.50},
    ("http", "postgresql"): {"rate": 1_000},
}
"""What each figure must reach at least; the ratio counts, a rate is that of two quiet cores."""
MOST: Final[dict[tuple[str, str], dict[str, float]]] = {("http", "postgresql"): {"p99_ms": 100}}
"""What a figure may be at most."""

Accounts = Annotated[int, typer.Option(min=1, help="Accounts to seed.")]


@verb(group)
def readings(
    accounts: Accounts = 100_000,
    sweeps: Annotated[int, typer.Option(min=1, help="Days on which every meter is read.")] = 3,
    shards: Annotated[int, typer.Option(min=1, max=64, help="Shards of the log.")] = 1,
) -> Shown:
    """Readings from decision to front views, against a bare copy of the same event rows."""
    return measured(lambda scratch: measure_readings(scratch, accounts, sweeps), shards)


@verb(group)
def replay(
    events: Annotated[int, typer.Option(min=1_000, help="Events of the account.")] = 35_000,
) -> Shown:
    """Decode and fold one long account; read it at moments of its past."""
    return measured(lambda scratch: measure_replay(scratch, events))


@verb(group)
def growth(
    accounts: Annotated[
        int, typer.Option(min=1, help="Accounts to seed; 1000000 is full size.")
    ] = 200_000,
    events: Annotated[
        int, typer.Option(min=1, help="Events the log grows to; 10000000 is full size.")
    ] = 2_000_000,
    small: Annotated[
        int, typer.Option(min=1, help="Accounts of the first run; 100000 is full size.")
    ] = 20_000,
) -> Shown:
    """The reading path with few accounts and events, then with many; full size takes minutes."""
    return measured(lambda scratch: measure_growth(scratch, accounts, events, small))


@verb(group)
def rebuild(
    accounts: Accounts = 100_000,
    events: Annotated[
        int, typer.Option(min=1, help="Events the log grows to; 10000000 is full size.")
    ] = 1_000_000,
) -> Shown:
    """All views made anew from the first event; the limit is ten million events in 300 seconds."""
    return measured(lambda scratch: measure_rebuild(scratch, accounts, events))


@verb(group)
def commits(
    accounts: Accounts = 20_000,
    threads: Annotated[int, typer.Option(min=1, max=512, help="Customers at once.")] = 64,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="Length of each run.")] = 8.0,
) -> Shown:
    """Recharges one at a time from many threads: on random accounts, then all on one."""
    return measured(lambda scratch: measure_commits(scratch, accounts, threads, seconds))


@verb(group)
def http(
    accounts: Accounts = 20_000,
    clients: Annotated[int, typer.Option(min=1, max=512, help="Connections at once.")] = 64,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="Length of the run.")] = 8.0,
) -> Shown:
    """Recharges over HTTP from many connections, against the served application."""
    return measured(lambda scratch: measure_http(scratch, accounts, clients, seconds))


def measured(measure: Callable[[Scratch], dict[str, Any]], shards: int = 1) -> Shown:
    """Run a measurement on a scratch store and compare it with its limits."""
    settings = read_settings()
    open_engine(settings).dispose()  # Says what is wrong with the URL, before anything is made.
    say("Measuring on a scratch store beside the configured one; it is dropped at the end.")
    with scratch_ledger(settings.database_url, shards) as scratch:
        body = measure(scratch)
    which = (body["bench"], body["store"])
    least, most = LIMITS.get(which, {}), MOST.get(which, {})
    body["limits"] = {**least, **most}
    body["missed"] = [name for name, limit in least.items() if body[name] < limit] + [
        name for name, limit in most.items() if body[name] > limit
    ]
    return Shown(
        body=body, human=facts({**body, "limits": None, "missed": ", ".join(body["missed"])})
    )
