import pytest

from ledger.pricing.case_file import parse_case
from ledger.pricing.case_meters import known_of, meters
from ledger.pricing.case_postings import _differences, postings
from ledger.pricing.case_ratings import Charges
from ledger.pricing.compiled import compile_tariff
from tests.pricing.building import FILES, read

NAMES = [path.name for path in FILES]


@pytest.mark.parametrize("name", NAMES)
def test_readings_one_after_another_move_what_two_full_ratings_differ_by(name: str) -> None:
    document = read(name)
    for number, told in enumerate(document["cases"]):
        case = parse_case(told, number)
        tariff = compile_tariff(document["tariffs"][case.tariff])
        found = meters(case.events, tariff)
        charged = Charges(tariff).of(found, known_of(case.events, case.attributes, tariff))
        assert postings(case, tariff, found, charged) == list(_differences(case, tariff))
