"""What the views say of commands, meters and supply is what the log adds up to."""

from typing import Any

from sqlalchemy import text

from adapters.views.feed import Feed
from ledger.projections.catalogue import feeds
from tests.harness.desk import Desk
from tests.harness.device_day import Line, device_day
from tests.harness.ledgers import Opened
from tests.harness.reckoning import check_all
from tests.harness.soundness import assert_sound


def rows(desk: Desk, view: str) -> list[Any]:
    desk.views.catch_up()
    with desk.engine.execution_options(read_only=True).begin() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {view}")).mappings()]


def test_a_day_of_the_line_reads_as_it_adds_up(desk: Desk) -> None:
    device_day(desk)
    desk.views.catch_up()
    check_all(desk)
    assert_sound(Opened(desk.ledger, desk.engine))
    assert desk.views.verify() == []


def test_batches_of_one_make_the_same_views(desk: Desk) -> None:
    device_day(desk)
    desk.views.feeds = {
        spec.name: Feed(desk.engine, spec._replace(batch_max=1)) for spec in feeds("Asia/Shanghai")
    }
    desk.views.catch_up()
    assert desk.views.differences() == []


def test_an_account_shows_the_supply_that_its_meter_showed_last(desk: Desk) -> None:
    line = Line(desk, "A1", "M1")
    trip = line.fall_behind()["command_id"]
    line.obey(trip, "open")
    (command,) = rows(desk, "commands")
    assert (command["status"], command["outcome"], command["attempts"]) == (
        "verified",
        "open by read",
        1,
    )
    account = desk.views.account("A1")
    assert account is not None
    assert account["service_points"][0]["supply"] == {"intended": "off", "actual": "off"}
    (meter,) = rows(desk, "meters")
    assert (meter["account_no"], meter["gateway_id"], meter["model"]) == ("A1", "G1", "DDSY1352")


def test_a_removed_point_takes_its_supply_along(desk: Desk) -> None:
    line = Line(desk, "A1", "M1")
    line.sweep("closed")
    desk.remove("A1", "2026-07-01T11:00", {"total": "0"})
    desk.views.catch_up()
    check_all(desk)
    (meter,) = rows(desk, "meters")
    assert meter["account_no"] == ""
