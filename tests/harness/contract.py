"""A witness at the door: every answer of the application is held to the contract that it tells."""

from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property
from typing import Any

import msgspec
from fastapi import FastAPI
from jsonschema import Draft202012Validator, FormatChecker
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Json = dict[str, Any]
PROBLEM = "application/problem+json"
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


class Contract:
    """An OpenAPI document taken at its word: a field that it does not name is refused."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._validators: dict[tuple[str, str, str], Draft202012Validator] = {}

    @cached_property
    def _components(self) -> Json:
        closed: Json = _closed(self.document["components"])
        return closed

    def operations(self) -> Iterator[tuple[str, Json]]:
        """Every route as `get /path`, with what is told of it."""
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield f"{method} {path}", operation

    def validator(self, schema: Json) -> Draft202012Validator:
        """What holds a value to a schema of the document."""
        whole = {**_closed(schema), "components": self._components}
        return Draft202012Validator(whole, format_checker=FORMATS)

    def judge(self, method: str, path: str, status: int, media_type: str, body: bytes) -> None:
        """Refuse an answer that the contract does not foresee."""
        operation = self.document["paths"].get(path, {}).get(method.lower())
        if operation is None or status == 204 or 300 <= status < 400:
            return
        told = operation["responses"].get(str(status), {})
        about = f"{method} {path} answers {status} {media_type}: {body[:2_000]!r}"
        if media_type == PROBLEM and msgspec.json.decode(body)["code"].startswith("http_"):
            return  # The framework's own: no such route or method.
        assert media_type in told.get("content", {}), f"not in the contract: {about}"
        if media_type not in {PROBLEM, "application/json"}:
            return
        key = (f"{method} {path}", str(status), media_type)
        if key not in self._validators:
            self._validators[key] = self.validator(told["content"][media_type]["schema"])
        wrong = [
            f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:500]}"
            for error in self._validators[key].iter_errors(msgspec.json.decode(body))
        ]
        assert not wrong, f"{wrong} in {about}"


class Witness:
    """Passes everything on; an answer that breaks the contract breaks the test."""

    def __init__(self, app: ASGIApp, contract: Contract) -> None:
        self._app = app
        self._contract = contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, media_type, parts = 0, "", []

        async def hearing(message: Message) -> None:
            nonlocal status, media_type
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = dict(message["headers"])
                media_type = headers.get(b"content-type", b"").decode().partition(";")[0]
            elif media_type.endswith("json"):
                parts.append(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, hearing)
        path = getattr(scope.get("route"), "path", "")
        if scope["type"] == "http" and status:
            self._contract.judge(scope["method"], path, status, media_type, b"".join(parts))


_known: list[Contract] = []


def witnessed(app: FastAPI) -> FastAPI:
    """The application with a witness; the contract is the same for every one of them."""
    if not _known:
        _known.append(Contract(app.openapi()))
    app.add_middleware(Witness, contract=_known[0])
    return app


def gaps(contract: Contract) -> list[str]:
    """What routes leave untold."""
    return [
        f"{route}: {gap}" for route, operation in contract.operations() for gap in _gaps(operation)
    ]


def _gaps(operation: Json) -> Iterator[str]:
    if not operation.get("summary") or not operation.get("description"):
        yield "what it does"
    if "x-scope" in operation and "401" not in operation["responses"]:
        yield "that it asks who comes"
    done = {s: told for s, told in operation["responses"].items() if s.startswith("2")}
    for status, told in done.items():
        contents = told.get("content", {})
        if status != "204" and not contents:
            yield f"what {status} answers"
        for content in contents.values():
            yield from (part for part in ("schema", "example") if not content.get(part))
    if not done:
        yield "what it answers"
    failed = {s: told for s, told in operation["responses"].items() if s >= "400"}
    codes = [
        told["content"][PROBLEM]["schema"]["properties"]["code"]["enum"]
        for told in failed.values()
        if PROBLEM in told.get("content", {})
    ]
    if not codes or not all(codes):
        yield "its problems"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" not in content:
            yield "an example of its body"


def _closed(schema: Any) -> Any:  # noqa: ANN401 - any part of a document
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "$ref" not in schema:
        closed.setdefault("additionalProperties", False)
    return closed
