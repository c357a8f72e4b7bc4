"""What differs between two tariff documents (资费对比), place by place."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

KEYS: Final = {
    "versions": "effective_from",
    "charges": "id",
    "modifiers": "id",
    "seasons": "id",
    "holidays": "year",
    "no_cut_windows": "name",
}
"""Lists whose members have a name: they are compared by it, wherever they stand."""
ABSENT: Final = None


class Changed(NamedTuple):
    """A place of the document, and what stands there in each; None where nothing does."""

    path: str
    old: object
    new: object


def document_diff(old: object, new: object) -> list[Changed]:
    """Every place at which the documents differ, in the order of the old one."""
    return list(_differences("", old, new))


def _differences(path: str, old: object, new: object) -> Iterator[Changed]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from _member(f"{path}/{name}", name, old, new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _differences(f"{path}/{index}", _at(old, index), _at(new, index))
    elif old != new:
        yield Changed(path, old, new)


def _member(
    path: str, name: str, old: Mapping[str, object], new: Mapping[str, object]
) -> Iterator[Changed]:
    was, now = old.get(name, ABSENT), new.get(name, ABSENT)
    key = KEYS.get(name)
    if key is not None and isinstance(was, list) and isinstance(now, list):
        was, now = _by_key(was, key), _by_key(now, key)
    yield from _differences(path, was, now)


def _by_key(members: list[object], key: str) -> object:
    """The members by name; as they are where one of them has none."""
    named = {
        str(member[key]): member for member in members if isinstance(member, dict) and key in member
    }
    return named if len(named) == len(members) else members


def _at(members: list[object], index: int) -> object:
    return members[index] if index < len(members) else ABSENT
