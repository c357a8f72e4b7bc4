"""A ledger, a park of simulated meters on real sockets, and the device side between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from sqlalchemy import text

from adapters.device_side import DeviceSide
from adapters.devices import dispatcher, line
from adapters.devices.park import Park, ParkClock, running
from adapters.devices.park.meter import SimulatedMeter
from adapters.devices.park.park import ParkThread
from adapters.settings import Settings
from adapters.views import Views
from adapters.worker import Worker
from ledger.aggregates import command
from ledger.commands import adjust, connect_meter, register_gateway, switch_trips
from ledger.commands.adjust import Adjust
from ledger.projections.tail import Tail
from tests.harness.ledgers import CLERK, Opened, open_ledger, real_clock, until
from tests.harness.umodbus_gateway import QUICK

FIRST: Final = "M000001"


@dataclass
class Supplied:
    """Accounts `A<n>` whose meters are those of the park, in its order."""

    opened: Opened
    park: Park
    thread: ParkThread
    views: Views
    settings: Settings

    def account_of(self, meter_no: str) -> str:
        return f"A{meter_no[1:]}"

    def meter(self, number: int = 1) -> SimulatedMeter:
        """A meter of the park, counted from 1."""
        return self.park[f"M{number:06d}"]

    def open_all(self) -> None:
        """The gateways of the park, and an account with money for every meter."""
        self.opened.publish()
        for number, gateway in enumerate(self.park.gateways):
            found = register_gateway.RegisterGateway(gateway_id=f"G{number}", url=gateway.address)
            register_gateway.handle(found, self.opened.ledger, CLERK)
        for meter in self.park:
            self.opened.open(self.account_of(meter.meter_no), meter.meter_no)
            self.move(meter.meter_no, 100_00)

    def connect(self, meter_no: str) -> None:
        """The line to a meter."""
        for number, gateway in enumerate(self.park.gateways):
            for unit, meter in gateway.units.items():
                if meter.meter_no == meter_no:
                    reached = connect_meter.ConnectMeter(
                        meter_no=meter_no, gateway_id=f"G{number}", unit=unit, model=meter.model
                    )
                    connect_meter.handle(reached, self.opened.ledger, CLERK)

    def move(self, meter_no: str, amount_minor: int) -> None:
        """Money comes or goes."""
        moved = Adjust(
            account_no=self.account_of(meter_no),
            amount_minor=amount_minor,
            currency="CNY",
            reason="a test",
        )
        adjust.handle(moved, self.opened.ledger, CLERK)

    def fall_behind(self, meter_no: str = FIRST) -> None:
        """The account owes a lot, however often it paid."""
        self.move(meter_no, -2000_00)

    def pay(self, meter_no: str = FIRST) -> None:
        """Everything is paid, and more."""
        self.move(meter_no, 2000_00)

    def switch_trips(self, trips: Literal["on", "off"]) -> None:
        """An operator throws the kill switch."""
        switch = switch_trips.SwitchTrips(trips=trips, reason="a test")
        switch_trips.handle(switch, self.opened.ledger, CLERK)

    def side(self) -> DeviceSide:
        """The device side of this process, at work."""
        return DeviceSide(self.settings, self.opened.ledger, self.opened.engine).start()

    def rows(self, view: str) -> list[dict[str, Any]]:
        """A view, brought to the log's end."""
        self.views.catch_up()
        with self.opened.engine.execution_options(read_only=True).begin() as connection:
            found = connection.execute(text(f"SELECT * FROM {view}"))
            return [dict(row) for row in found.mappings()]

    def commands(self, meter_no: str = FIRST) -> list[tuple[str, str]]:
        """Kind and status of the commands of a meter, in the order of asking."""
        rows = [row for row in self.rows("commands") if row["meter_no"] == meter_no]
        return [(row["kind"], row["status"]) for row in sorted(rows, key=_asked)]

    def supply(self, meter_no: str = FIRST) -> dict[str, str]:
        """Intended and actual supply as the account reads."""
        self.views.catch_up()
        account = self.views.account(self.account_of(meter_no))
        assert account is not None
        supply: dict[str, str] = account["service_points"][0]["supply"]
        return supply


def _asked(row: dict[str, Any]) -> tuple[int, int]:
    return row["shard"], int(row["command_id"].partition("-c")[2])


def settings_for(url: str, **more: Any) -> Settings:  # noqa: ANN401 - as the settings name them
    """Settings of a test: every meter is read each second."""
    return Settings(database_url=url, **{"poll_interval_s": 1, **more})


@contextmanager
def supplied(
    url: str,
    folder: Path,
    *,
    gateways: int = 1,
    meters: int = 1,
    are_connected: bool = True,
    clock: Callable[[], int] = real_clock,
    **settings: Any,  # noqa: ANN401 - as above
) -> Iterator[Supplied]:
    """The ledger with its accounts, the park and the views at work; the device side is not yet."""
    with ExitStack() as stack:
        opened = stack.enter_context(open_ledger(url, folder, clock=clock))
        park = Park(ParkClock(real_clock())).fill(gateways, meters)
        thread = stack.enter_context(running(park))
        tail = Tail(["front", "detail"])
        opened.ledger.watch(tail.add)
        views = Views(opened.engine, opened.ledger.terms, tail)
        worker = Worker(list(views.feeds.values()), opened.ledger.terms.shards, tail).start()
        stack.callback(worker.stop)
        found = Supplied(opened, park, thread, views, settings_for(url, **settings))
        found.open_all()
        for meter in park if are_connected else ():
            found.connect(meter.meter_no)
        yield found


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback silence need not last long to be one, nor the pauses before the next try."""
    monkeypatch.setattr(line, "Timing", lambda: QUICK)
    monkeypatch.setattr(command, "FIRST_PAUSE_US", 200_000)
    monkeypatch.setattr(dispatcher, "LOOKS_S", (0.0, 0.02, 0.08))


@contextmanager
def acting(there: Supplied) -> Iterator[DeviceSide]:
    """The device side at work while the block lasts."""
    side = there.side()
    try:
        until(lambda: side.acting is not None)
        yield side
    finally:
        side.stop()


def soon(holds: Callable[[], bool]) -> None:
    """It comes to hold within the patience of a test."""
    until(holds)
