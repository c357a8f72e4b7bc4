import json
from pathlib import Path

import pytest

from ledger.pricing.case_file import parse_case
from ledger.pricing.case_meters import known_of, meters
from ledger.pricing.case_postings import _differences, postings
from ledger.pricing.case_ratings import Charges
from ledger.pricing.compiled import compile_tariff
from tests.pricing.building import FILES, FOLDER

PATHS = [*FILES, *sorted((FOLDER.parent / "own_cases").glob("*.json"))]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_events_in_turn_move_what_two_full_ratings_differ_by(path: Path) -> None:
    document = json.loads(path.read_bytes())
    for number, told in enumerate(document["cases"]):
        case = parse_case(told, number)
        tariff = compile_tariff(document["tariffs"][case.tariff])
        found = meters(case.events, tariff)
        charged = Charges(tariff).of(found, known_of(case.events, case.attributes, tariff))
        assert postings(case, tariff, found, charged) == list(_differences(case, tariff))
