"""Our own cases: their amounts were reckoned from the papers alone, by no code of the engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.pricing import run_cases
from ledger.pricing.exact import minor_digits
from tests.pricing.printed import amounts_minor, money

FILES = sorted((Path(__file__).parent / "own_cases").glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_case_comes_out_and_names_its_rule(path: Path) -> None:
    document = read(path)
    assert all(case["note"] for case in document["cases"])
    for result in run_cases(document):
        assert (result.id, result.unreadable, result.differences) == (result.id, [], [])
        assert result.ok is True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_printed_derivation_of_every_case_comes_to_its_amounts(path: Path) -> None:
    document = read(path)
    for case, result in zip(document["cases"], run_cases(document), strict=True):
        digits = minor_digits(document["tariffs"][case["tariff"]]["currency"])
        for interval, derived in zip(case["expected"]["intervals"], result.explain, strict=True):
            expected = {name: money(text, digits) for name, text in interval["lines"].items()}
            derived_lines = amounts_minor(derived["steps"], digits)
            assert dict.fromkeys(expected, 0) | derived_lines == expected, result.id


def test_no_case_stands_twice() -> None:
    names = [case["id"] for path in FILES for case in read(path)["cases"]]
    assert len(names) == len(set(names)) > 100
