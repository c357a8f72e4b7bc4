"""The ready tariffs: publishable as they are, and their own cases come out."""

import json
from datetime import date
from pathlib import Path

import pytest

from ledger.pricing import lint, run_cases

FOLDER = Path(__file__).parents[2] / "docs" / "tariffs"
FILES = sorted(FOLDER.glob("*.json"))


def test_the_library_holds_what_its_page_lists() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(FILES) >= 10
    assert [path.name for path in FILES if f"`{path.name}`" not in page] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_ready_tariff_has_a_source_and_cases_that_come_out(path: Path) -> None:
    file = json.loads(path.read_bytes())
    tested = {case["tariff"] for case in file["cases"]}
    for tariff_id, tariff in file["tariffs"].items():
        assert (tariff["tariff_id"], lint(tariff)) == (tariff_id, [])
        assert all(tariff["source"])
        assert all(date.fromisoformat(each["effective_from"]) for each in tariff["versions"])
        assert tariff_id in tested
    for result in run_cases(file):
        assert (result.id, result.differences, result.ok) == (result.id, [], True)
