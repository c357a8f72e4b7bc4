import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.harness.terminal import Terminal

CASES = Path(__file__).parents[2] / "pricing" / "cases"


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CASES / name).read_bytes())
    return document


def test_several_files_are_run_as_one(embedded: Terminal) -> None:
    files = [str(CASES / name) for name in ("cn_water.json", "intl_water.json")]
    cases = embedded.json("tariff", "test", *files)["cases"]
    assert [case["id"] for case in cases] == ["WA01", "WA04", "WA11", "HK03", "SG01"]
    assert all(case["ok"] for case in cases)
    assert "5 equal, 0 different" in embedded.run("tariff", "test", *files).stdout


def test_a_directory_stands_for_all_case_files_in_it(embedded: Terminal) -> None:
    folder = embedded.folder / "authors"
    (folder / "deeper").mkdir(parents=True)
    shutil.copy(CASES / "cn_water.json", folder / "water.json")
    shutil.copy(CASES / "intl_water.json", folder / "deeper" / "more.json")
    (folder / "tariff.json").write_text('{"tariff_id": "no case"}', encoding="utf-8")
    cases = embedded.json("tariff", "test", str(folder))["cases"]
    assert {case["id"] for case in cases} == {"WA01", "WA04", "WA11", "HK03", "SG01"}


def test_a_directory_without_cases_is_unreadable(embedded: Terminal) -> None:
    folder = embedded.folder / "nothing"
    folder.mkdir()
    problem = embedded.json("tariff", "test", str(folder), exit_code=2)
    assert problem["code"] == "case_file_invalid"


def test_what_cannot_be_computed_ends_with_2_and_keeps_no_other_back(embedded: Terminal) -> None:
    document = read("cn_water.json")
    document["tariffs"]["cn-bj-water-res"]["versions"][0]["charges"][0]["colour"] = "blue"
    file = embedded.write("blue.json", json.dumps(document))
    wrong, *others = embedded.json("tariff", "test", file, exit_code=2)["cases"]
    place = "/tariffs/cn-bj-water-res/versions/0/charges/0/colour: "
    assert [reason.startswith(place) for reason in wrong["unreadable"]] == [True]
    assert [case["ok"] for case in (wrong, *others)] == [False, True, True]
    assert place in embedded.run("tariff", "test", file, exit_code=2).stdout.replace("\n", "")


def test_a_file_that_cannot_be_read_keeps_no_other_back(embedded: Terminal) -> None:
    broken, water = embedded.write("broken.json", "{"), str(CASES / "cn_water.json")
    body = embedded.json("tariff", "test", broken, water, exit_code=2)
    assert [case["ok"] for case in body["cases"]] == [True, True, True]
    assert [reason.startswith(broken) for reason in body["unreadable"]] == [True]
    assert "broken.json" in embedded.run("tariff", "test", broken, water, exit_code=2).stdout
    assert embedded.json("tariff", "test", broken, exit_code=2)["code"] == "file_unreadable"


def test_a_field_beyond_the_form_is_told_and_changes_nothing(embedded: Terminal) -> None:
    document = read("cn_water.json")
    document["cases"][1]["events"][2]["remark"] = "estimated"
    file = embedded.write("noted.json", json.dumps(document))
    cases = embedded.json("tariff", "test", file)["cases"]
    assert [case["ignored"] for case in cases] == [[], ["/cases/1/events/seq=3/remark"], []]
    shown = embedded.run("tariff", "test", file).stdout
    assert "remark is not read" in " ".join(shown.split())


def test_without_expectation_a_case_is_only_computed(embedded: Terminal) -> None:
    document = read("cn_water.json")
    for case in document["cases"]:
        del case["expected"]
    cases = embedded.json("tariff", "test", embedded.write("open.json", json.dumps(document)))
    assert [case["ok"] for case in cases["cases"]] == [None, None, None]
    assert [case["total"] for case in cases["cases"]] == ["900.00", "799.50", "83.55"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "is nested too deeply"),
        ('{"schema": ' + "[" * 5_000 + "]" * 5_000 + "}", "is nested too deeply"),
        ('{"a": [{"seq": 1, "at": 2, "seq": 3}]}', "the name seq stands twice in one object"),
        ('{"a": NaN}', "is no JSON file"),
        ('{"a": 1e400}', "is no JSON file"),
        ("[]", "holds no JSON object"),
    ],
)
def test_a_file_of_odd_content_is_refused_in_a_sentence(
    embedded: Terminal, text: str, reason: str
) -> None:
    answer = embedded.json("tariff", "test", embedded.write("odd.json", text), exit_code=2)
    assert answer["code"] == "file_unreadable"
    assert reason in answer["detail"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_marks_and_line_ends_of_other_systems_do_not_matter(
    embedded: Terminal, encoding: str
) -> None:
    text = (CASES / "cn_water.json").read_text(encoding="utf-8").replace("\n", "\r\n")
    file = Path(embedded.write("cases.json", ""))
    file.write_bytes(text.encode(encoding))
    assert {case["ok"] for case in embedded.json("tariff", "test", str(file))["cases"]} == {True}
