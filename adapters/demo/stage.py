"""The stage of the demonstration: a throwaway store, the town in it, and the park on its wires."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, event

from adapters.demo.cut import Cuts
from adapters.demo.history import CLERK, History, Progress, start_of
from adapters.demo.purses import Purses
from adapters.demo.town import Town, build
from adapters.devices.park import ParkThread, running
from adapters.settings import Settings
from adapters.store.schema import initialise
from adapters.views import Views
from adapters.views.feed import Feed
from adapters.wiring import open_engine, open_ledger, open_users, open_vault
from ledger.commands import connect_meter, register_gateway
from ledger.projections.catalogue import FRONT
from ledger.store import Ledger
from ledger.store.ledger import LedgerTerms

TERMS: Final = LedgerTerms(shards=1, timezone="Asia/Shanghai", currency="CNY")
RUSH_WH: Final = 5_000
"""What somebody who is about to be cut off draws in the first hour of the demonstration."""
APART_PERCENT: Final = 40
TAKEN_AT_ONCE: Final = 30_000
"""Events of the history that become rows together: of most, only the last of an account is kept."""


class Stage(NamedTuple):
    """The town at work: its store, its meters, and how much history was told."""

    settings: Settings
    town: Town
    park: ParkThread
    readings: int
    purses: Purses
    """What everybody had when the history ended."""


class Plan(NamedTuple):
    """How large the town is and how fast its time runs."""

    meters: int
    gateways: int
    speed: int
    seed: int


@contextmanager
def staged(settings: Settings, plan: Plan, now_us: int, advance: Progress) -> Iterator[Stage]:
    """Live through the history up to `now_us`, then let the park run while the block lasts."""
    town = build(plan.meters, plan.gateways, plan.seed, start_of(now_us))
    with running(town.park) as park:
        readings, purses = _told(settings, town, now_us, advance)
        town.clock.skip(now_us - town.clock.now_us())
        _rush(town)
        town.clock.run_at(plan.speed)
        yield Stage(settings, town, park, readings, purses)


def temporary(folder: Path, **settings: Any) -> Settings:  # noqa: ANN401 - as the settings name them
    """Settings of an embedded store that lives and dies with a folder."""
    return Settings(
        database_url=f"sqlite:///{folder / 'wattledger.db'}",
        vault_key_file=str(folder / "vault.key"),
        **settings,
    )


def _told(settings: Settings, town: Town, now_us: int, advance: Progress) -> tuple[int, Purses]:
    engine = _hasty_engine(settings)
    try:
        initialise(engine, TERMS)
        open_vault(engine, settings).prepare()
        open_users(engine, settings).prepare()
        ledger = open_ledger(settings, engine, town.clock.now_us)
        try:
            cuts = Cuts(ledger)
            history = History(town, ledger, now_us)
            readings = history.live(advance)
            _connect(town, ledger)
            cuts.carry_out(town)
        finally:
            ledger.close()
        # The rest, bills and energy by day, follows while the first page is looked at.
        front = Views(engine, TERMS).feeds[FRONT].spec
        Feed(engine, front._replace(batch_max=TAKEN_AT_ONCE)).catch_up(0)
    finally:
        engine.dispose()
    return readings, history.purses


def _hasty_engine(settings: Settings) -> Engine:
    """Nobody needs this store after a power cut, so the history does not wait for the disk."""
    engine = open_engine(settings)

    def hurry(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(engine, "connect", hurry)
    return engine


def _connect(town: Town, ledger: Ledger) -> None:
    """Tell the ledger where each meter is reached."""
    names = {}
    for number, gateway in enumerate(town.park.gateways, 1):
        names[gateway.address] = f"G{number:02d}"
        command = register_gateway.RegisterGateway(
            gateway_id=names[gateway.address], url=gateway.address
        )
        register_gateway.handle(command, ledger, CLERK)
    answers = [
        connect_meter.submit(
            connect_meter.ConnectMeter(
                meter_no=address.meter_no,
                gateway_id=names[address.gateway],
                unit=address.unit,
                model=address.model,
            ),
            ledger,
            CLERK,
        )
        for address in town.park.addresses()
    ]
    for answer in answers:
        answer.result()


def _rush(town: Town) -> None:
    """Who is about to be cut off switches something large on, one more than the other."""
    hour_us = 3_600_000_000
    now_us = town.clock.now_us()
    hasty = [each for each in town.people if each.customer.fate == "about_to_trip"]
    for place, each in enumerate(hasty):
        usual_wh = max(1, each.wh_between(now_us, now_us + hour_us))
        times = RUSH_WH * 100 // (usual_wh * (100 + APART_PERCENT * place))
        each.meter.draw_times(each.size_permille * max(1, times))
