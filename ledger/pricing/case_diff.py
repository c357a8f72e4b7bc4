"""What a case expected and what came out, compared number by number."""

from collections.abc import Iterator
from fractions import Fraction


def differences(expected: object, got: object, path: str = "") -> Iterator[str]:
    """Readable differences at every place that `expected` speaks of.

    Numbers compare by value; a line that is missing counts as zero.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        yield from _in_fields(expected, got, path)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            yield f"{path}: expected {len(expected)} items, got {len(got)}"
        for index, (value, other) in enumerate(zip(expected, got, strict=False)):
            yield from differences(value, other, f"{path}/{index}")
    elif not _same(expected, got):
        yield f"{path}: expected {expected}, got {got}"


def _in_fields(expected: dict[str, object], got: dict[str, object], path: str) -> Iterator[str]:
    """Fields that both have; among lines also those that only one has."""
    names = expected.keys() & got.keys()
    if path.endswith("/lines"):
        names = expected.keys() | got.keys()
    for name in sorted(names):
        yield from differences(expected.get(name, "0"), got.get(name, "0"), f"{path}/{name}")


def _same(expected: object, got: object) -> bool:
    if expected == got:
        return True
    try:
        return Fraction(str(expected)) == Fraction(str(got))
    except (ValueError, ZeroDivisionError):
        return False
