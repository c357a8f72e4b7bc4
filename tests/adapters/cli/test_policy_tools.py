"""What the author of a control policy does at a terminal."""

import json
from typing import Any

import pytest

from tests.harness.terminal import Terminal

STANDARD = {
    "policy_id": "standard",
    "remind": {"available_minor": 2_000},
    "warn": {"available_minor": 1_000},
    "trip": {"available_minor": 0},
}


def written(terminal: Terminal, name: str, **changes: Any) -> str:  # noqa: ANN401 - of a document
    return terminal.write(name, json.dumps(STANDARD | changes))


def test_a_policy_is_linted_place_by_place(embedded: Terminal) -> None:
    good = written(embedded, "good.json")
    bad = written(embedded, "bad.json", warn={"days": 3}, trip={"available_minor": "0"}, colour=1)
    assert embedded.json("policy", "lint", good) == {
        "ok": True,
        "policies": [{"file": good, "policy_id": "standard", "problems": []}],
    }
    body = embedded.json("policy", "lint", good, bad, exit_code=1)
    assert body["ok"] is False
    places = {each["path"] for each in body["policies"][1]["problems"]}
    assert places == {"/warn/days", "/trip/available_minor", "/colour"}
    told = embedded.run("policy", "lint", good, bad, exit_code=1).stdout
    assert "can be published" in told
    assert "/warn/days" in told
    refused = embedded.json("policy", "publish", bad, exit_code=1)
    assert refused["problems"] == body["policies"][1]["problems"]


def test_lines_in_the_wrong_order_are_told(embedded: Terminal) -> None:
    path = written(embedded, "p.json", warn={"available_minor": 3_000})
    (problem,) = embedded.json("policy", "lint", path, exit_code=1)["policies"][0]["problems"]
    assert problem == {
        "path": "",
        "message": "remind must not lie below warn, nor warn below trip",
        "code": "invalid",
    }


def test_two_policies_are_compared_with_their_defaults_filled_in(embedded: Terminal) -> None:
    old = written(embedded, "old.json")
    same = written(embedded, "same.json", hysteresis_minor=0, cuts=["electricity"])
    new = written(embedded, "new.json", trip=None, warn={"available_minor": 500})
    assert embedded.json("policy", "diff", old, same) == {"same": True, "changes": []}
    assert "No difference" in embedded.run("policy", "diff", old, same).stdout
    body = embedded.json("policy", "diff", old, new, exit_code=3)
    assert body["changes"] == [
        {"path": "/warn/available_minor", "old": 1_000, "new": 500},
        {"path": "/trip", "old": {"available_minor": 0, "grace_hours": 0}, "new": None},
    ]
    assert "/warn/available_minor" in embedded.run("policy", "diff", old, new, exit_code=3).stdout


@pytest.fixture
def poor(terminal: Terminal) -> Terminal:
    """A customer who has 5.00 left today."""
    terminal.open("A1", "M1")
    terminal.run("recharge", "A1", "20", "--channel", "cash", "--txn", "T1")
    terminal.run("adjust", "A1", "-15", "--reason", "mistyped")
    return terminal


def test_a_draft_is_tried_and_nothing_is_written(poor: Terminal) -> None:
    before = poor.lines("events")
    same = poor.json("policy", "preview", written(poor, "same.json"))
    assert same["accounts"] == 1
    assert same["decisions"]["before"] == same["decisions"]["after"]
    assert same["standing"]["before"] == same["standing"]["after"]
    strict = written(poor, "strict.json", trip={"available_minor": 500})
    body = poor.json("policy", "preview", strict, "--days", "2")
    assert body["disconnected"] == {"before": 0, "after": 1, "newly": ["A1"], "no_longer": []}
    told = poor.run("policy", "preview", strict).stdout
    assert [line.split()[2:6] for line in told.splitlines() if "cut off" in line]
    assert "A1" in told
    assert poor.lines("events") == before


def test_a_preview_names_what_does_not_exist(embedded: Terminal) -> None:
    same, other = written(embedded, "s.json"), written(embedded, "o.json", policy_id="other")
    asked = embedded.json("policy", "preview", same, "--accounts", "A9", exit_code=4)
    assert asked["code"] == "account_unknown"
    assert embedded.json("policy", "preview", other, exit_code=4)["code"] == "policy_unknown"
    assert embedded.json("policy", "preview", other, "--instead-of", "standard")["accounts"] == 0
    empty = embedded.json("policy", "preview", same, "--accounts", " ,", exit_code=2)
    assert empty["code"] == "accounts_missing"
    bad = written(embedded, "bad.json", warn=7)
    assert embedded.json("policy", "preview", bad, exit_code=1)["code"] == "policy_invalid"
