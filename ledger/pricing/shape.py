"""What is wrong with the shape of a document, in words of its author: where, and the remedy."""

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from ledger.pricing.document import FORMS
from ledger.pricing.problems import Problem, pointer

_NOWHERE: Final = object()
_IS_TEXT: Final = 'This must be text; write numbers as strings, like "0.4883".'
_REMEDIES: Final = {
    "extra_forbidden": ("unknown_field", "No such field; take it out, or correct its spelling."),
    "missing": ("missing_field", "This field is required; add it."),
    "union_tag_not_found": ("missing_field", "This field is required; add it."),
    "union_tag_invalid": ("invalid", "There is no {tag}; write one of these: {expected_tags}."),
    "literal_error": ("invalid", "Write one of these: {expected}."),
    "string_type": ("invalid", _IS_TEXT),
    "string_pattern_mismatch": ("invalid", "{form}"),
    "string_too_long": ("invalid", "At most {max_length} characters; shorten it."),
    "string_too_short": ("invalid", "This must not be empty; fill it in."),
    "too_short": ("invalid", "The list needs {min_length} or more; it has {actual_length}."),
    "too_long": ("invalid", "The list takes {max_length} or fewer; it has {actual_length}."),
    "list_type": ("invalid", "This must be a list; write it in [ ]."),
    "dict_type": ("invalid", "This must be an object; write it in { }."),
    "model_type": ("invalid", "This must be an object; write it in { }."),
    "model_attributes_type": ("invalid", "This must be an object; write it in { }."),
    "int_type": ("invalid", "This must be a whole number, without quotation marks."),
    "bool_type": ("invalid", "This must be true or false."),
    "greater_than_equal": ("invalid", "Write {ge} or more."),
    "less_than_equal": ("invalid", "Write {le} or less."),
    "value_error": ("invalid", "{error}."),
}


def shape_problems(error: ValidationError, document: object, *at: str | int) -> list[Problem]:
    """One problem a place; where one alternative fails deeper inside, that is the one meant."""
    found: dict[str, tuple[list[str], str]] = {}
    for detail in error.errors(include_url=False):
        code, remedy = _remedy(detail)
        messages, _ = found.setdefault(pointer(*at, *_place(detail, document)), ([], code))
        if remedy not in messages:
            messages.append(remedy)
    return [
        Problem(path, " Or: ".join(texts), code)
        for path, (texts, code) in found.items()
        if not any(deeper.startswith(path + "/") for deeper in found)
    ]


def _remedy(detail: ErrorDetails) -> tuple[str, str]:
    code, remedy = _REMEDIES.get(detail["type"], ("invalid", ""))
    told = {name: str(value) for name, value in detail.get("ctx", {}).items()}
    told["form"] = FORMS.get(told.get("pattern", ""), detail["msg"] + ".")
    for name, value in told.items():
        remedy = remedy.replace(f"{{{name}}}", value)
    return code, remedy or detail["msg"] + "."


def _place(detail: ErrorDetails, document: object) -> Iterator[str | int]:
    """Location without the names of the alternatives that were tried."""
    node = document
    for index, part in enumerate(detail["loc"]):
        inner = _inside(node, part)
        is_missing = detail["type"] == "missing" and index == len(detail["loc"]) - 1
        if inner is not _NOWHERE or is_missing:
            node = inner
            yield part
    if detail["type"].startswith("union_tag"):
        yield detail.get("ctx", {})["discriminator"].strip("'")


def _inside(node: object, part: str | int) -> object:
    if isinstance(node, dict):
        return node.get(part, _NOWHERE)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        item: object = node[part]
        return item
    return _NOWHERE
