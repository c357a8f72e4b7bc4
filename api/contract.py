"""How a route tells its part of the contract: what it takes, what it answers, what may go wrong."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from api.bodies import KEY, KEY_MAX
from api.problem_types import require_known
from ledger.commands import Json
from ledger.problems import status_of

Responses = dict[int | str, dict[str, Any]]
CODES: Final = "x-codes"
"""Under which a status keeps its types of problems until the contract is put together."""


def answering(kind: Any, *codes: str, status: int = 200) -> Responses:  # noqa: ANN401 - a model, or a union of models
    """The shape of the answer, and the types of problems that belong to this route alone."""
    require_known(codes)
    told: Responses = {status: {"description": "As asked for.", "model": kind}}
    for code in dict.fromkeys(codes):
        told.setdefault(status_of(code), {}).setdefault(CODES, []).append(code)
    return told


def streaming(examples: Mapping[str, str]) -> Responses:
    """An answer that is no JSON value, by the types that it may have."""
    content = {
        media_type: {"schema": {"type": "string"}, "example": example}
        for media_type, example in examples.items()
    }
    return {200: {"description": "As asked for.", "content": content}}


def taking(kind: type[BaseModel], example: Json, *of_path: str) -> Json:
    """The body of a request: the model's schema without what the path says, and an example."""
    schema = kind.model_json_schema(mode="validation")
    schema = _inlined(schema, schema.pop("$defs", {}))
    for name in of_path:
        schema["properties"].pop(name)
        schema["required"].remove(name)
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def keyed(*, required: bool = False) -> Json:
    """The header by which a request counts once, whatever is repeated."""
    return {
        "parameters": [
            {
                "name": KEY,
                "in": "header",
                "required": required,
                "description": "A repeat gets the first answer; another body is refused.",
                "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
                "example": "5f0c2a7e-2f5e-4c39-9f5e-8f4f0f6f3b11",
            }
        ]
    }


def example_of(schema: Json, schemas: Json) -> Any:  # noqa: ANN401 - any JSON value
    """A value of a schema, put together from the examples of its fields."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for told in ("examples", "enum"):
        if told in schema:
            return schema[told][0]
    if "const" in schema:
        return schema["const"]
    for either in ("anyOf", "oneOf"):
        if either in schema:
            return example_of(schema[either][0], schemas)
    if schema.get("type") == "object":
        parts: Json = schema.get("properties", {})
        return {name: example_of(parts[name], schemas) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return {"boolean": True, "integer": 1, "null": None}.get(schema["type"], "")


def merged(*parts: Json) -> Json:
    """Several parts of an operation as one."""
    return {name: value for part in parts for name, value in part.items()}


def by_status(codes: Iterable[str]) -> dict[int, list[str]]:
    """Codes of problems by the HTTP status that they come with."""
    found: dict[int, list[str]] = {}
    for code in sorted(codes):
        found.setdefault(status_of(code), []).append(code)
    return found


def _inlined(schema: Any, definitions: Json) -> Any:  # noqa: ANN401 - any part of a schema
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items()}
