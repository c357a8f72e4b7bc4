import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given

from ledger.pricing import TariffInvalid, compile_tariff, lint, parse_tariff
from tests.pricing.strategies import documents
from tests.pricing.tariffs import ENERGY, accumulation, charges, document, fixed

SCHEMA = json.loads(files("ledger.pricing").joinpath("tariff.schema.json").read_bytes())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PUBLISHED: dict[str, Any] = {
    name: tariff
    for path in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for name, tariff in json.loads(path.read_bytes())["tariffs"].items()
}
OLD = {"effective_to": "2021-01-01"}
NEW = {"effective_from": "2021-01-01"}


def found(tariff: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in lint(tariff)]


def version(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return document(fields)


def charge(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return document(charges(ENERGY | fields))


def season(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"id": "summer", "months": [6, 7]} | fields


CHARGE = "/versions/0/charges/0"
WRONG: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    (document(surprise=1), [("/surprise", "unknown_field")]),
    (document(currency=None), [("/currency", "invalid")]),
    (charge(rates=["0.5", 0.8]), [(CHARGE + "/rates/1", "invalid")]),
    (charge(rates=["0.5", "O.8"]), [(CHARGE + "/rates/1", "invalid")]),
    (charge(rates=["0.5", "1e3"]), [(CHARGE + "/rates/1", "invalid")]),
    (document(unit="m3"), [("/unit", "unit")]),
    (document(timezone="Asia/Nowhere"), [("/timezone", "timezone")]),
    (document(timezone="../etc/passwd"), [("/timezone", "timezone")]),
    (document(registers=["a", "a"]), [("/registers/1", "registers")]),
    (document(registers=["total", "peak"]), [("/registers", "registers")]),
    (document(tou_calendar={"night": "22-6"}), [("/tou_calendar/night", "registers")]),
    (
        document(tou_calendar={"workday": {"peak": "8-22"}}),
        [("/tou_calendar/workday/peak", "registers")],
    ),
    (document(tax={"treatment": "none", "rate": "0.13"}), [("/tax/rate", "tax")]),
    (document(tax={"treatment": "inclusive", "rate": "13"}), [("/tax/rate", "tax")]),
    (charge(tax_rate="-0.1"), [(CHARGE + "/tax_rate", "tax")]),
    (document(OLD, NEW | {"effective_to": "2020-06-01"}), [("/versions/1/effective_to", "dates")]),
    (version(effective_from="2020-02-30"), [("/versions/0/effective_from", "dates")]),
    (document({}, NEW), [("/versions/0/effective_to", "version_overlap")]),
    (
        document({"effective_to": "2021-01-02"}, NEW),
        [("/versions/0/effective_to", "version_overlap")],
    ),
    (document({"effective_to": "2020-12-31"}, NEW), [("/versions/0/effective_to", "version_gap")]),
    (
        document(
            {"effective_to": "2021-02-01"},
            {"effective_from": "2021-02-01"} | accumulation("bimonth"),
        ),
        [("/versions/1/accumulation/window", "window_change")],
    ),
    (
        version(tiers=[{"upto": "100"}, {"upto": "100"}, {"upto": None}])
        | {"versions": document(charges(ENERGY | {"rates": ["1", "2", "3"]}))["versions"]},
        [(CHARGE + "/rates", "rate_count")],
    ),
    (
        document(
            {"tiers": [{"upto": "100"}, {"upto": "90"}, {"upto": None}]}
            | charges(ENERGY | {"rates": ["1", "2", "3"]})
        ),
        [("/versions/0/tiers/1/upto", "tiers")],
    ),
    (version(tiers=[{"upto": "0"}, {"upto": None}]), [("/versions/0/tiers/0/upto", "tiers")]),
    (version(tiers=[{"upto": "9"}, {"upto": "99"}]), [("/versions/0/tiers/1/upto", "tiers")]),
    (version(tiers=[{"upto": None}, {"upto": None}]), [("/versions/0/tiers/0/upto", "tiers")]),
    (
        version(tiers=[{"upto": "0.0001"}, {"upto": None}]),
        [("/versions/0/tiers/0/upto", "decimals")],
    ),
    (charge(rates=["0.5"]), [(CHARGE + "/rates", "rate_count")]),
    (charge(rates=["0.5", "0.123456789"]), [(CHARGE + "/rates/1", "decimals")]),
    (charge(rates=["0.5", "-0.1"]), [(CHARGE + "/rates/1", "negative")]),
    (charge(rate="0.5"), [(CHARGE, "charge")]),
    (charge(rates=None), [(CHARGE, "charge")]),
    (charge(rates={"peak": ["1", "2"]}), [(CHARGE + "/rates", "registers")]),
    (charge(gl="profit"), [(CHARGE + "/gl", "gl")]),
    (charge(gl="pass_through:"), [(CHARGE + "/gl", "gl")]),
    (
        charge(rounding={"quantum": "0.005", "mode": "down"}),
        [(CHARGE + "/rounding/quantum", "quantum")],
    ),
    (
        version(rounding={"quantum": "0", "mode": "half_up"}),
        [("/versions/0/rounding/quantum", "quantum")],
    ),
    (document(charges(ENERGY, ENERGY)), [("/versions/0/charges/1/id", "duplicate")]),
    (document(charges({"id": "rent", "kind": "fixed", "per": "day"})), [(CHARGE, "charge")]),
    (
        document(
            OLD | charges(ENERGY, fixed("day", "1")),
            NEW | charges(ENERGY | {"gl": "tax"}, {**fixed("month", "1"), "id": "day_fee"}),
        ),
        [("/versions/1/charges/0/id", "line_changed")],
    ),
    (version(seasons=[season()]), [("/versions/0/seasons/0", "season")]),
    (
        version(seasons=[season(rates={"enrgy": ["1", "2"]})]),
        [("/versions/0/seasons/0/rates/enrgy", "season")],
    ),
    (
        version(seasons=[season(rates={"energy": ["1"]})]),
        [("/versions/0/seasons/0/rates/energy", "rate_count")],
    ),
    (
        version(seasons=[season(tiers=[{"upto": None}])]),
        [(CHARGE + "/rates", "rate_count")],
    ),
    (
        version(
            seasons=[
                season(rates={"energy": ["1", "2"]}),
                season(rates={"energy": ["1", "2"]}, months=[7, 8]),
            ]
        ),
        [("/versions/0/seasons/1/id", "duplicate"), ("/versions/0/seasons/1/months", "season")],
    ),
    (
        document(
            {"tou_tier_mode": "none"} | charges(ENERGY | {"rates": ["1", "2"]}),
            registers=["peak", "valley"],
        ),
        [("/versions/0/tou_tier_mode", "tou_tier_mode")],
    ),
]


@given(documents())
def test_a_publishable_tariff_has_no_problems_and_fits_its_schema(tariff: dict[str, Any]) -> None:
    assert lint(tariff) == []
    VALIDATOR.validate(tariff)


@pytest.mark.parametrize(("tariff", "problems"), WRONG)
def test_what_is_wrong_is_named_by_place_and_code(
    tariff: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    assert found(tariff) == problems
    with pytest.raises(TariffInvalid) as refused:
        compile_tariff(tariff)
    assert [problem.path for problem in refused.value.problems] == [path for path, _ in problems]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_tariffs_fit_the_schema_and_parse(name: str) -> None:
    VALIDATOR.validate(PUBLISHED[name])
    assert parse_tariff(json.dumps(PUBLISHED[name]).encode()).tariff_id == name
    assert lint(PUBLISHED[name]) == []


@pytest.mark.parametrize(
    "place",
    [
        ["currency"],
        ["versions", 0, "rounding"],
        ["versions", 0, "accumulation", "window"],
        ["versions", 0, "charges", 0, "id"],
    ],
    ids=lambda place: str(place[-1]),
)
def test_a_missing_field_is_named_where_it_belongs(place: list[str | int]) -> None:
    tariff: Any = deepcopy(document())
    node = tariff
    for part in place[:-1]:
        node = node[part]
    del node[place[-1]]
    assert found(tariff) == [("/" + "/".join(map(str, place)), "missing_field")]
    assert not VALIDATOR.is_valid(tariff)


def test_another_window_may_begin_where_both_have_a_border_or_by_reset() -> None:
    new = {"effective_from": "2021-02-01"} | accumulation("year", on_version_change="reset")
    assert lint(document({"effective_to": "2021-02-01"}, new)) == []
    assert lint(document(OLD, NEW | accumulation("year"))) == []


def test_a_tou_calendar_may_tell_day_types_apart() -> None:
    hours = {"peak": "08:00-22:00", "valley": "22:00-08:00"}
    calendar = {"workday": hours, "holiday": {"valley": "00:00-24:00"}, "holidays": "cn"}
    tariff = document(registers=["peak", "valley"], tou_calendar=calendar)
    assert lint(tariff) == []
    VALIDATOR.validate(tariff)


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff"])
def test_a_file_that_is_no_json_object_is_a_problem_too(text: bytes) -> None:
    with pytest.raises(TariffInvalid, match=r"JSON|object"):
        compile_tariff(text)


def test_a_consumption_charge_has_exactly_one_of_rate_and_rates_in_the_schema_too() -> None:
    assert not VALIDATOR.is_valid(charge(rate="0.5"))
    assert VALIDATOR.is_valid(document(charges({"id": "a", "kind": "consumption", "rate": "1"})))


@pytest.mark.parametrize(
    ("tariff", "path", "message"),
    [
        (
            version(effective_from="2020-1-1"),
            "/versions/0/effective_from",
            "Write a day like 2026-01-31.",
        ),
        (charge(rates=["0,5", "1"]), CHARGE + "/rates/0", "Write a plain decimal, like 0.4883."),
        (charge(id="Energy"), CHARGE + "/id", "Write small letters, digits and _, beginning"),
        (document(currency="yuan"), "/currency", "Write three capital letters, like CNY."),
        (document(registers=[""]), "/registers/0", "Write up to 32 letters, digits"),
        (charge(kind="energy"), CHARGE + "/kind", "There is no energy; write one of these: 'consu"),
        (
            document(charges({"id": "energy"})),
            CHARGE + "/kind",
            "This field is required; add it.",
        ),
        (document() | {"versions": []}, "/versions", "The list needs 1 or more; it has 0."),
        (document(source="a notice"), "/source", "This must be a list; write it in [ ]."),
        (version(accumulation=7), "/versions/0/accumulation", "This must be an object; write it"),
        (document(tariff_id=""), "/tariff_id", "This must not be empty; fill it in."),
        (version(seasons=[season(months=[13])]), "/versions/0/seasons/0/months/0", "Write 12 or"),
        (
            document(accumulation(window="week")),
            "/versions/0/accumulation/window",
            "Write one of these: 'month', 'bimonth'",
        ),
        (
            charge(when={"attribute": "persons", "gte": 5, "eq": 5}),
            CHARGE + "/when/eq",
            "No such field; take it out, or correct its spelling.",
        ),
        (
            charge(when={"attribute": "persons"}),
            CHARGE + "/when/gte",
            "This field is required; add it.",
        ),
    ],
)
def test_a_wrong_shape_is_told_in_words_with_the_remedy(
    tariff: dict[str, Any], path: str, message: str
) -> None:
    (problem,) = lint(tariff)
    assert problem.path == path
    assert problem.message.startswith(message)
