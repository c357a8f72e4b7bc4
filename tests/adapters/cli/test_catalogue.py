import json
from pathlib import Path

import pytest

from tests.harness.ledgers import tariff
from tests.harness.terminal import Terminal

CASES = sorted((Path(__file__).parents[2] / "pricing" / "cases").glob("*.json"))


def test_a_tariff_is_published_once(terminal: Terminal) -> None:
    again = terminal.json("tariff", "publish", str(terminal.folder / "flat.json"))
    assert (again["tariff_id"], again["version"], again["changed"]) == ("flat", 1, False)
    other = terminal.write("other.json", json.dumps(tariff("other")))
    both = terminal.json("tariff", "publish", other, str(terminal.folder / "flat.json"))
    assert [(body["tariff_id"], body["changed"]) for body in both] == [
        ("other", True),
        ("flat", False),
    ]


def test_a_version_that_has_begun_cannot_change(terminal: Terminal) -> None:
    dearer = terminal.write("dearer.json", json.dumps(tariff(rate="0.60")))
    problem = terminal.json("tariff", "publish", dearer, exit_code=1)
    assert problem["code"] == "tariff_version_changed"


def test_a_tariff_with_a_hole_is_refused_with_its_place(embedded: Terminal) -> None:
    document = tariff("holey")
    document["versions"][0]["tiers"] = [{"upto": "10"}]
    path = embedded.write("holey.json", json.dumps(document))
    problem = embedded.json("tariff", "publish", path, exit_code=1)
    assert (problem["code"], problem["status"]) == ("tariff_invalid", 422)
    assert all(set(each) == {"path", "message", "code"} for each in problem["problems"])
    assert any("/versions/0/tiers" in each["path"] for each in problem["problems"])
    both = ("tariff", "publish", embedded.write("good.json", json.dumps(tariff("good"))), path)
    assert embedded.json(*both, exit_code=1)["problems"] == problem["problems"]
    assert embedded.json("tariff", "publish", str(embedded.folder / "good.json"))["changed"]
    linted = embedded.json("tariff", "lint", path, exit_code=1)
    assert linted["ok"] is False
    assert linted["tariffs"][0]["problems"] == problem["problems"]
    told = embedded.run("tariff", "lint", path, exit_code=1).stdout
    assert "/versions/0/tiers" in told


def test_a_clean_tariff_can_be_published(embedded: Terminal) -> None:
    path = str(embedded.folder / "flat.json")
    assert embedded.json("tariff", "lint", path) == {
        "ok": True,
        "tariffs": [{"file": path, "tariff_id": "flat", "problems": []}],
    }
    assert "can be published" in embedded.run("tariff", "lint", path).stdout


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_cases_of_the_rules_come_out(embedded: Terminal, path: Path) -> None:
    cases = embedded.json("tariff", "test", str(path))["cases"]
    assert cases
    for case in cases:
        assert case["ok"] is True or case["skipped"]


def test_a_case_that_comes_out_otherwise_ends_with_3(embedded: Terminal) -> None:
    path = next(path for path in CASES if "shanghai" in path.stem)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["cases"][0]["expected"]["total"] = "1.00"
    wrong = embedded.write("wrong.json", json.dumps(document))
    cases = embedded.json("tariff", "test", wrong, exit_code=3)["cases"]
    assert cases[0]["ok"] is False
    assert cases[0]["differences"]
    assert "different" in embedded.run("tariff", "test", wrong, exit_code=3).stdout


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"tariffs": 5}', '{"schema": "wattledger-case/1", "cases": [{}]}']
)
def test_a_file_that_holds_no_cases_is_unreadable(embedded: Terminal, text: str) -> None:
    problem = embedded.json("tariff", "test", embedded.write("x.json", text), exit_code=2)
    assert problem["code"] in {"file_unreadable", "case_file_invalid"}


def test_a_policy_is_published_once_and_a_wrong_one_never(terminal: Terminal) -> None:
    document = {"policy_id": "patient", "warn": {"days_left": 3}, "trip": {"available_minor": -1}}
    path = terminal.write("patient.json", json.dumps(document))
    assert terminal.json("policy", "publish", path)["changed"]
    assert not terminal.json("policy", "publish", path)["changed"]
    for wrong in ({"remind": {"available_minor": -5}}, {"colour": "red"}, {"warn": {"days": 1}}):
        bad = terminal.write("bad.json", json.dumps(document | wrong))
        problem = terminal.json("policy", "publish", bad, exit_code=1)
        assert (problem["code"], problem["status"]) == ("policy_invalid", 422)
        assert problem["problems"]
