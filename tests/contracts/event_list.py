"""The list of topics as `docs/events.md` shows it; run as a program it writes that part anew."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from ledger.events.registry import EVENT_TYPES

PAGE: Final = Path(__file__).parents[2] / "docs" / "events.md"
BEGIN: Final = "<!-- made by: python -m tests.contracts.event_list -->\n"
WORDS: Final[dict[type[types.Type], str]] = {
    types.IntType: "integer",
    types.StrType: "text",
    types.BoolType: "true or false",
    types.RawType: "JSON document",
    types.NoneType: "null",
}
END: Final = "<!-- end -->\n"


def rendered() -> str:
    """Every topic with its sentence and its fields, then the parts that several of them share."""
    parts: list[type[msgspec.Struct]] = []
    topics = [
        f"### `{topic}`\n\n{_sentence(event)}\n\n{_table(event, parts)}"
        for topic, event in EVENT_TYPES.items()
    ]
    shared = [  # the list grows while it is walked: a part may hold parts
        f"### {part.__name__}\n\n{_sentence(part)}\n\n{_table(part, parts)}" for part in parts
    ]
    return "\n".join([*topics, "## Parts of payloads\n", *shared])


def written() -> str:
    """What the page says now."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Bring the page up to date."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(before + BEGIN + rendered() + END + after, encoding="utf-8")


def _sentence(struct: type[msgspec.Struct]) -> str:
    return inspect.cleandoc(struct.__doc__ or "")


def _table(struct: type[msgspec.Struct], parts: list[type[msgspec.Struct]]) -> str:
    rows = [
        f"| `{field.encode_name}` | {''.join(_named(field.type, parts))}{_default(field)} |\n"
        for field in types.type_info(struct).fields  # type: ignore[attr-defined] # of a struct
    ]
    return "| field | type |\n|---|---|\n" + "".join(rows)


def _default(field: types.Field) -> str:
    if field.default is not NODEFAULT:
        return f", default {msgspec.json.encode(field.default).decode()}"
    return ""


def _named(found: types.Type, parts: list[type[msgspec.Struct]]) -> Iterator[str]:
    match found:
        case _ if type(found) in WORDS:
            yield WORDS[type(found)]
        case types.DictType(value_type=value):
            yield from ("text → ", *_named(value, parts))
        case types.TupleType(item_types=items):
            yield f"[{', '.join(''.join(_named(item, parts)) for item in items)}]"
        case types.VarTupleType(item_type=item):
            yield from ("list of ", *_named(item, parts))
        case types.UnionType(types=either):
            yield " or ".join("".join(_named(one, parts)) for one in either)
        case types.StructType(cls=cls):
            if cls not in parts:
                parts.append(cls)
            yield cls.__name__
        case _:
            message = f"an event holds a {found}, which no auditor's tool need understand"
            raise TypeError(message)


if __name__ == "__main__":
    write()
