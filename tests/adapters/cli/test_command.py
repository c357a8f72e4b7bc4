"""Commands to meters from the command line, without any meter at hand."""

import pytest

from tests.harness.terminal import Terminal


@pytest.fixture
def cut(terminal: Terminal) -> Terminal:
    """An account that owes money, at a meter that is not connected."""
    terminal.run("policy", "publish", terminal.write("policy.json", POLICY))
    terminal.open("A1", "M1")
    terminal.run("adjust", "A1", "-5.00", "--reason", "a test")
    return terminal


POLICY = '{"policy_id":"standard","trip":{"available_minor":0}}'


def test_why_tells_the_decision_the_rules_and_the_commands(cut: Terminal) -> None:
    asked = cut.json("command", "request", "A1", "trip", "--reason", "owes")
    assert (asked["status"], asked["code"]) == ("held", "meter_not_connected")
    body = cut.json("why", "A1")
    (decision,) = body["decisions"]
    assert decision["decision"] == "account.supply_trip_ordered.v1"
    assert [command["command_id"] for command in body["commands"]] == [asked["command_id"]]
    told = cut.run("why", "A1").stdout
    assert "available -5.00 CNY <= trip 0.00 CNY" in told
    assert "meter_not_connected" in told


def test_a_command_is_asked_for_listed_and_cancelled(cut: Terminal) -> None:
    first = cut.json("command", "request", "A1", "trip", "--reason", "owes")
    again = cut.json("command", "A1", "trip", "--reason", "owes")
    assert again["command_id"] == first["command_id"]
    (listed,) = cut.json("command", "list", "--status", "open")["items"]
    assert (listed["command_id"], listed["status"]) == (first["command_id"], "held")
    cancelled = cut.json("command", "cancel", first["command_id"], "--reason", "paid in cash")
    assert cancelled["status"] == "cancelled"
    assert cut.json("command", "list", "--status", "open")["items"] == []
    retried = cut.json("command", "retry", first["command_id"])
    assert retried["status"] == "held"


def test_what_the_rules_forbid_is_refused_with_its_reason(cut: Terminal) -> None:
    refused = cut.json("command", "request", "A1", "close", "--reason", "a favour", exit_code=1)
    assert refused["code"] == "supply_cut_for_debt"
    unknown = cut.json("command", "cancel", "0-c999", "--reason", "none", exit_code=4)
    assert unknown["code"] == "command_unknown"
    cut.run("why", "A9", exit_code=4)
    cut.run("command", "request", "A1", "explode", "--reason", "none", exit_code=2)


def test_what_the_meter_cannot_do_is_told_with_what_it_can(cut: Terminal) -> None:
    refused = cut.json("command", "A1", "set_clock", "--reason", "summer time", exit_code=1)
    assert refused["code"] == "command_not_supported"
    assert "it can do: close, close_permit" in refused["detail"]


def test_nobody_is_cut_while_trips_are_off(cut: Terminal) -> None:
    assert cut.json("command", "trips")["items"] == []
    thrown = cut.json("command", "trips", "off", "--reason", "a flood", "--site", "East")
    assert (thrown["trips"], thrown["site"], thrown["changed"]) == ("off", "East", True)
    (shown,) = cut.json("command", "trips")["items"]
    assert (shown["site"], shown["reason"]) == ("East", "a flood")
    assert "East" in cut.run("command", "trips").stdout
    assert cut.json("command", "trips", "on", "--site", "East", "--reason", "dry")["changed"]
    cut.run("command", "trips", "off", exit_code=2)
    cut.run("command", "trips", "perhaps", "--reason", "x", exit_code=2)
