"""The contract as OpenAPI 3.1: every route with its scope, its answers, its problems, examples."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from api.answers.watch import Contract
from api.auth import COOKIE, SAFE_METHODS, Anyone, scopes_by_route
from api.bodies import KEY, REPLAYED, json_response
from api.contract import CODES, answering, by_status, example_of
from api.problem_types import PROBLEM_TYPES
from api.problems import MEDIA_TYPE
from ledger.commands import Json
from ledger.problems import status_of

VERSION: Final = "1"
PROBLEM: Final[Json] = {
    "type": "object",
    "description": "A problem (RFC 9457); `code` is stable, `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "pattern": "^urn:wattledger:problem:"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "problems": {
            "type": "array",
            "description": "Each value that cannot be accepted, by a JSON pointer.",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {
                    "path": {"type": "string"},
                    "message": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
        "request_id": {"type": "string"},
    },
}
STATUSES: Final = {
    400: "The idempotency key is missing or malformed",
    401: "Nobody is signed in",
    403: "It is not granted",
    404: "It does not exist, or is out of reach",
    409: "The rules say no",
    413: "Too large",
    422: "A value cannot be accepted",
    429: "Too many attempts",
    500: "A fault of ours",
    503: "Not now; see Retry-After",
}
RETRY_AFTER: Final[Json] = {
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
REPLAY: Final[Json] = {
    REPLAYED: {
        "description": "Present where this is the answer of an earlier run.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

router = APIRouter(tags=["contract"], dependencies=[Anyone])


@router.get("/api/v1/openapi.json", responses=answering(Contract))
def contract(request: Request) -> Response:
    """This document."""
    return json_response(request.app.openapi())


def describe(app: FastAPI) -> None:
    """Let the application make its contract, once, when it is first asked for."""
    app.openapi = partial(_contract, app)  # type: ignore[method-assign] # the way that FastAPI documents


def _contract(app: FastAPI) -> Json:
    if app.openapi_schema is None:
        routes = [route for route in app.routes if getattr(route, "include_in_schema", False)]
        made = get_openapi(title="Wattledger", version=VERSION, routes=routes)
        components = made.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)  # Ours is a problem document.
        schemas["Problem"] = PROBLEM
        components["examples"] = {code: {"value": _example(code)} for code in PROBLEM_TYPES}
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        scopes = dict(scopes_by_route(app))
        _restore_bodies(made, routes)
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(operation, path, method, scopes.get(f"{method.upper()} {path}"))
                _give_examples(operation, schemas)
        app.openapi_schema = made
    return app.openapi_schema


def _restore_bodies(made: Json, routes: Sequence[Any]) -> None:
    """Bodies as they were told: the framework leaves every null out, of examples too."""
    for route in routes:
        body = (getattr(route, "openapi_extra", None) or {}).get("requestBody")
        if body is not None:
            for method in route.methods:
                made["paths"][route.path_format][method.lower()]["requestBody"] = body


def _complete(operation: Json, path: str, method: str, scope: str | None) -> None:
    """Tell the scope, and every problem that the route may answer with."""
    told: Json = operation["responses"]
    codes = {code for response in told.values() for code in response.pop(CODES, ())}
    told.pop("422", None)  # The framework's own; ours stands below.
    asked = {parameter["name"]: parameter for parameter in operation.get("parameters", ())}
    codes.update(_of_asker(method, scope), _of_request(operation, path, asked))
    if KEY in asked:
        for number, response in told.items():
            if number.startswith("2"):
                response["headers"] = REPLAY
    for status, known in by_status(codes).items():
        described = told.setdefault(str(status), {})
        described["description"] = f"{STATUSES[status]}: {', '.join(known)}."
        described.setdefault("content", {})[MEDIA_TYPE] = _problems(known)
        if status in {429, 503} or "request_running" in known:
            described["headers"] = RETRY_AFTER
    operation["responses"] = {status: told[status] for status in sorted(told) if told[status]}
    if scope:
        operation["security"] = [{"token": []}, {"session": []}]
        operation["x-scope"] = scope


def _of_asker(method: str, scope: str | None) -> Iterator[str]:
    yield "internal"
    if scope:
        yield from ("not_signed_in", "forbidden", "unavailable", "not_initialised")
        if method.upper() not in SAFE_METHODS:
            yield from ("csrf", "outcome_unknown")


def _of_request(operation: Json, path: str, asked: Json) -> Iterator[str]:
    if asked or "requestBody" in operation:
        yield "invalid"
    if "requestBody" in operation:
        yield "too_large"
    if "{account_no}" in path:
        yield "account_unknown"
    if "cursor" in asked:
        yield "cursor_invalid"
    if "after" in asked and asked["after"]["schema"].get("type") != "integer":
        yield "views_behind"
    if KEY in asked:
        yield from ("idempotency_key_invalid", "key_reused", "request_running")
        if asked[KEY]["required"]:
            yield "idempotency_key_missing"


def _problems(codes: list[str]) -> Json:
    return {
        "schema": {
            "$ref": "#/components/schemas/Problem",
            "properties": {"code": {"enum": codes}},
        },
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }


def _example(code: str) -> Json:
    status = status_of(code)
    return {
        "type": f"urn:wattledger:problem:{code}",
        "title": STATUSES.get(status, "Not possible"),
        "status": status,
        "detail": PROBLEM_TYPES[code],
        "code": code,
    }


def _give_examples(operation: Json, schemas: Json) -> None:
    for response in operation["responses"].values():
        content: dict[str, Any] = response.get("content", {}).get("application/json", {})
        if content.get("schema") and "example" not in content:
            content["example"] = example_of(content["schema"], schemas)
