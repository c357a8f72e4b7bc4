"""An account with several meters, from its file to what it costs, at the terminal."""

import json

import pytest

from tests.harness.documents import TIERED, WATER, energy, tariff, version
from tests.harness.import_files import counts
from tests.harness.terminal import Terminal

HOT = tariff("hot", version(energy(["9"])), service_kind="water", vat="0.09")
HEADER = "account_no,service_kind,tariff_id,meter_no,installed_at,initial_total\n"
METERS = (
    "A1,electricity,tiered,E1,2026-01-01T00:00:00,0\n"
    "A1,electricity,tiered,E2,2026-01-01T00:00:00,5\n"
    "A2,electricity,tiered,E9,2026-01-01T00:00:00,0\n"
    "A1,water,water,C1,2026-01-01T00:00:00,0\n"
    "A1,hot_water,hot,H1,2026-01-01T00:00:00,0\n"
)
READINGS = (
    "meter_no,at,total\n"
    "E2,2026-01-11T00:00:00,55\n"
    "C1,2026-01-11T00:00:00,3\n"
    "H1,2026-01-11T00:00:00,2\n"
    "E1,2026-01-11T00:00:00,80\n"
    "E9,2026-01-11T00:00:00,80\n"
)
COST = 100 * 50 + 30 * 60 + 3 * 300 + 2 * 900


@pytest.fixture
def street(terminal: Terminal) -> Terminal:
    for document in (TIERED, WATER, HOT):
        name = f"{document['tariff_id']}.json"
        terminal.run("tariff", "publish", terminal.write(name, json.dumps(document)))
    terminal.run("account", "import", terminal.write("accounts.csv", HEADER + METERS))
    terminal.run("readings", "import", terminal.write("readings.csv", READINGS))
    return terminal


def test_every_row_of_an_account_adds_a_meter_and_those_of_a_kind_share_tiers(
    street: Terminal,
) -> None:
    account = street.json("account", "show", "A1")
    found = {
        each["meter_no"]: (each["service_point"], each["tier"]["used"], each["tier"]["tier"])
        for each in account["service_points"]
    }
    assert found == {
        "E1": ("electricity", "130", 2),
        "E2": ("electricity-2", "130", 2),
        "C1": ("water", "3", 1),
        "H1": ("hot_water", "2", 1),
    }
    assert account["balance_minor"] == -COST
    assert street.json("account", "show", "A2")["balance_minor"] == -80 * 50
    again = street.json("account", "import", str(street.folder / "accounts.csv"))
    assert counts(again) == (0, 5, 0, 0)
    assert street.json("verify")["ok"] is True


def test_a_charge_of_the_second_meter_is_explained_from_where_the_first_one_stood(
    street: Terminal,
) -> None:
    charged = [
        event
        for event in street.lines("events", "--account", "A1")
        if event["topic"] == "account.charged.v1" and event["payload"]["meter_no"] == "E1"
    ]
    told = street.json("explain", "A1", str(charged[0]["position"]))
    (step,) = told["intervals"][0]["steps"]
    assert (step["used_before"], step["used_after"]) == ("50", "130")
    assert [each["amount"] for each in told["lines"]] == ["43.00"]


def test_a_meter_of_several_is_replaced_by_the_name_of_its_point(street: Terminal) -> None:
    street.run(
        *("meter", "replace", "A1", "E3", "--point", "electricity-2"),
        *("--at", "2026-01-15 00:00", "--final", "total=60", "--initial", "total=0"),
        *("--reason", "worn out"),
    )
    account = street.json("account", "show", "A1")
    points = {each["service_point"]: each["meter_no"] for each in account["service_points"]}
    assert points["electricity-2"] == "E3"
    assert account["balance_minor"] == -(COST + 5 * 60)
