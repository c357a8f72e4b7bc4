"""Many meters told the same from the command line: looked at first, and by two people."""

import pytest

from tests.harness.terminal import Terminal

POLICY = '{"policy_id":"standard","trip":{"available_minor":0}}'
BATCH = ("command", "batch")
WHY = ("--reason", "a fire")


@pytest.fixture
def street(terminal: Terminal) -> Terminal:
    """Three accounts with money, two of them homes; their meters are on no line."""
    terminal.run("policy", "publish", terminal.write("policy.json", POLICY))
    for number, group in (("A1", "homes"), ("A2", "homes"), ("A3", "shops")):
        terminal.open(number, f"M{number}", "--group", group)
        terminal.run("adjust", number, "5.00", "--reason", "a test")
    return terminal


def test_a_dry_run_says_whom_it_would_reach_and_orders_nothing(street: Terminal) -> None:
    looked = street.json(*BATCH, "trip", *WHY, "--group", "homes", "--dry-run")
    assert sorted(each["account_no"] for each in looked["accounts"]) == ["A1", "A2"]
    assert looked["effect"]["held"] == {"meter_not_connected": 2}
    told = street.run(*BATCH, "trip", *WHY, "--group", "homes", "--dry-run").stdout
    assert "2 × trip" in told
    assert street.json("command", "batches")["items"] == []


def test_a_file_names_the_accounts_and_what_is_refused_is_told(street: Terminal) -> None:
    file = street.write("some.csv", "account_no,service_point\nA1,\nA3,electricity\nA404,\n")
    body = street.json(*BATCH, "trip", *WHY, "--file", file, "--yes", exit_code=3)
    assert [each["account_no"] for each in body["accepted"]] == ["A1", "A3"]
    assert [(each["index"], each["code"]) for each in body["refused"]] == [(2, "account_unknown")]
    (listed,) = street.json("command", "batches")["items"]
    assert listed["counts"] == {"held": 2, "not_ordered": 1}
    orders = street.json("command", "batches", body["batch_id"])["orders"]
    assert [each["status"] for each in orders] == ["held", "held", "not_ordered"]
    assert "account_unknown" in street.run("command", "batches", body["batch_id"]).stdout
    assert "a fire" in street.run("command", "batches").stdout


def test_nothing_happens_without_a_yes_and_nobody_is_meant_by_nothing(street: Terminal) -> None:
    refused = street.json(*BATCH, "trip", *WHY, "--group", "homes", exit_code=2)
    assert refused["code"] == "not_confirmed"
    assert street.json(*BATCH, "trip", *WHY, "--yes", exit_code=2)["code"] == "accounts_missing"
    empty = street.json(*BATCH, "trip", *WHY, "--site", "Nowhere", "--yes", exit_code=1)
    assert empty["code"] == "batch_empty"
    wrong = street.write("wrong.csv", "number\nA1\n")
    street.run(*BATCH, "trip", *WHY, "--file", wrong, "--yes", exit_code=2)
    street.run(*BATCH, "explode", *WHY, "--group", "homes", "--yes", exit_code=2)
    assert street.json("command", "list")["items"] == []


def test_many_trips_wait_for_another_login(
    street: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_TRIPS_ALONE_MAX", "1")
    monkeypatch.setenv("LOGNAME", "anna")
    first, second = (
        street.json(*BATCH, "trip", *WHY, "--group", "homes", "--yes")["batch_id"] for _ in "12"
    )
    waiting = street.json("command", "batches", "--status", "awaiting_approval")["items"]
    assert {each["batch_id"] for each in waiting} == {first, second}
    assert street.json("command", "approve", first, exit_code=1)["code"] == "same_person"
    monkeypatch.setenv("LOGNAME", "bert")
    assert len(street.json("command", "approve", first)["accepted"]) == 2
    assert street.json("command", "reject", second, *WHY)["status"] == "rejected"
    assert street.json("command", "approve", "0-b999", exit_code=4)["code"] == "batch_unknown"
    assert street.json("command", "batches", "0-b999", exit_code=4)["code"] == "batch_unknown"
