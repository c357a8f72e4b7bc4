"""The contract as OpenAPI: every route with its scope, the problems it may answer, examples."""

from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from api.auth import Anyone, scopes_by_route
from api.bodies import KEY, json_response

VERSION: Final = "1"
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
ANSWERS: Final = {
    "400": "The idempotency key is missing or malformed.",
    "401": "Nobody is signed in.",
    "403": "The scope is not granted.",
    "404": "It does not exist, or is out of reach.",
    "409": "The rules say no.",
    "413": "The body is too large.",
    "422": "A value cannot be accepted; `problems` names each by a JSON pointer.",
    "429": "Too many attempts.",
    "503": "Not available now; see Retry-After.",
}
KEY_PARAMETER: Final = {
    "name": KEY,
    "in": "header",
    "required": False,
    "description": "Required where money moves. A repeat gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

router = APIRouter(tags=["contract"], dependencies=[Anyone])


@router.get("/api/v1/openapi.json")
def contract(request: Request) -> Response:
    """This document."""
    return json_response(request.app.openapi())


def describe(app: FastAPI) -> None:
    """Let the application make its contract, once, when it is first asked for."""
    app.openapi = partial(_contract, app)  # type: ignore[method-assign] # the way that FastAPI documents


def _contract(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        routes = [route for route in app.routes if getattr(route, "include_in_schema", False)]
        made = get_openapi(title="Wattledger", version=VERSION, routes=routes)
        scopes = dict(scopes_by_route(app))
        for path, methods in made["paths"].items():
            for method, operation in methods.items():
                _complete(operation, method, scopes.get(f"{method.upper()} {path}"))
        components = made.setdefault("components", {})
        components["schemas"] = {"Problem": PROBLEM}
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "wattledger_session"},
        }
        app.openapi_schema = made
    return app.openapi_schema


def _complete(operation: dict[str, Any], method: str, scope: str | None) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status, description in ANSWERS.items():
        operation["responses"][status] = {"description": description, "content": problem}
    if method == "post":
        operation.setdefault("parameters", []).append(KEY_PARAMETER)
    if scope:
        operation["security"] = [{"token": []}, {"session": []}]
        operation["x-scope"] = scope
