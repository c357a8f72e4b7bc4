"""The contract says all, and says it validly; that it is true is for the witness of every test."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from api import openapi
from api.answers.watch import Alive
from api.auth import AccountsReader, Anyone
from api.contract import answering
from api.problem_types import PROBLEM_TYPES
from tests.harness.contract import Contract, gaps
from tests.harness.office import Office

ROOT = Path(__file__).parents[2]
OF_THE_TERMINAL = {"role_unknown"}
"""Refusals of people who are added on the command line alone."""
REFUSING = {"Refused", "Quarantine", "NotRateable", "Contradiction"}


@pytest.fixture
def contract(embedded: Office) -> Contract:
    """The contract as it is served."""
    with embedded.client(None) as client:
        return Contract(client.get("/api/v1/openapi.json").json())


def test_the_contract_is_openapi_of_version_3_1(contract: Contract) -> None:
    document = contract.document
    assert document["openapi"].startswith("3.1.")
    OpenAPI.model_validate(document)
    for schema in _schemas(document):
        Draft202012Validator.check_schema(schema)
    for reference in _references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    ids = Counter(operation["operationId"] for _, operation in contract.operations())
    assert [name for name, count in ids.items() if count > 1] == []
    for route, operation in contract.operations():
        asked = [each for each in operation.get("parameters", ()) if each["in"] == "path"]
        assert {each["name"] for each in asked} == set(re.findall(r"{(\w+)}", route)), route
        assert all(each["required"] for each in asked), route


def test_every_route_tells_its_answers_problems_scope_and_examples(contract: Contract) -> None:
    assert len(list(contract.operations())) > 50
    assert gaps(contract) == []


def test_a_route_that_tells_nothing_is_found() -> None:
    app, router = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter()

    @router.get("/api/v1/mute")
    def mute(_who: AccountsReader) -> Response:
        return Response()

    @router.post("/api/v1/well", dependencies=[Anyone], responses=answering(Alive))
    def well(number: Annotated[int, "a number"]) -> Response:
        """All of it is told."""
        return Response(str(number))

    app.routes.extend(router.routes)
    openapi.describe(app)
    found = gaps(Contract(app.openapi()))
    assert "get /api/v1/mute: what it does" in found
    assert "get /api/v1/mute: schema" in found
    assert not [gap for gap in found if gap.startswith("post /api/v1/well")]


def test_an_answer_that_breaks_the_contract_is_found(contract: Contract) -> None:
    good = b'{"status":"ready","lag":{"front":0}}'
    contract.judge("GET", "/readyz", 200, "application/json", good)
    for status, media_type, body in (
        (200, "application/json", b'{"status":"ready"}'),
        (200, "application/json", b'{"status":"ready","lag":{"front":0},"more":1}'),
        (200, "application/json", b'{"status":"ready","lag":{"front":"0"}}'),
        (201, "application/json", good),
        (200, "text/plain", good),
        (409, "application/problem+json", b'{"code":"out_of_range"}'),
    ):
        with pytest.raises(AssertionError):
            contract.judge("GET", "/readyz", status, media_type, body)


def test_every_example_is_what_its_schema_says(contract: Contract) -> None:
    told = 0
    for _, operation in contract.operations():
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each for part in parts for each in part.get("content", {}).values()):
            examples = [content["example"]] if "example" in content else []
            for named in content.get("examples", {}).values():
                code = named["$ref"].rpartition("/")[2]
                examples.append(contract.document["components"]["examples"][code]["value"])
            for example in examples:
                contract.validator(content["schema"]).validate(example)
                told += 1
    assert told > 300


def test_lists_have_pages_and_views_can_be_waited_for(contract: Contract) -> None:
    paged = 0
    for route, operation in contract.operations():
        asked = {each["name"] for each in operation.get("parameters", ())}
        if "cursor" in asked:
            example = operation["responses"]["200"]["content"]["application/json"]["example"]
            assert set(example) == {"items", "cursor"}, route
            assert "limit" in asked, route
            paged += 1
        if "views_behind" in str(operation["responses"].get("503")):
            assert "after" in asked, route
    assert paged > 10


def test_money_moves_under_a_key_alone(contract: Contract) -> None:
    required = {
        route
        for route, operation in contract.operations()
        for each in operation.get("parameters", ())
        if each["name"] == "Idempotency-Key" and each["required"]
    }
    assert required == {
        "post /api/v1/accounts/{account_no}/recharges",
        "post /api/v1/accounts/{account_no}/adjustments",
        "post /api/v1/receipts/{receipt_no}/reversal",
    }


def test_every_refusal_of_the_ledger_is_a_known_type_of_problem() -> None:
    found = {code for folder in ("ledger", "api") for code in _refusals(ROOT / folder)}
    assert len(found) > 50
    told = PROBLEM_TYPES.keys() | OF_THE_TERMINAL
    assert sorted(found - told) == []  # A new one is told in api/problem_types.py.


def test_a_type_that_nobody_lists_is_refused() -> None:
    with pytest.raises(ValueError, match="made_up"):
        answering(dict[str, int], "made_up")


def _refusals(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", "")
                code = node.args[0]
                if name in REFUSING and isinstance(code, ast.Constant):
                    yield str(code.value)


def _schemas(document: dict[str, Any]) -> Iterator[Any]:
    yield from document["components"]["schemas"].values()
    for methods in document["paths"].values():
        for operation in methods.values():
            yield from (each["schema"] for each in operation.get("parameters", ()))
            parts = [operation.get("requestBody", {}), *operation["responses"].values()]
            for part in parts:
                yield from (each["schema"] for each in part.get("content", {}).values())


def _references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a document
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from _references(each)
