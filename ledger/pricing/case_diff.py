"""What a case expected and what came out, compared number by number."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

_PLACES_MAX: Final = 64
"""A decimal of more places than these is taken for one without an end."""


def differences(expected: object, got: object, path: str = "") -> Iterator[str]:
    """Readable differences at every place that `expected` speaks of.

    Numbers compare by value, one without an end as far as it is written; a line or a posting
    that is missing counts as zero.
    """
    if path == "/posted":
        expected, got = _by_event(expected), _by_event(got)
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
    """Fields that both have; among lines and postings also those that only one has."""
    names = expected.keys() & got.keys()
    if path.endswith(("/lines", "/posted")):
        names = expected.keys() | got.keys()
    for name in sorted(names):
        yield from differences(expected.get(name, "0"), got.get(name, "0"), f"{path}/{name}")


def _by_event(postings: object) -> object:
    """Amounts by the number of the event that moved them; as they are where they name none."""
    rows = postings if isinstance(postings, list) else []
    if not all(isinstance(row, dict) and "after_seq" in row for row in rows):
        return postings
    return {f"after_seq={row['after_seq']}": row.get("amount", "0") for row in rows}


def _same(expected: object, got: object) -> bool:
    if expected == got:
        return True
    try:
        told, found = Fraction(str(expected)), Fraction(str(got))
    except (ValueError, ZeroDivisionError):
        return False
    return told == found or _is_cut_off(str(expected), told, found)


def _is_cut_off(text: str, told: Fraction, found: Fraction) -> bool:
    """Whether the file writes a decimal without an end, like 10/3, as far as it goes."""
    places = len(text.partition(".")[2])
    has_end = 10**_PLACES_MAX % found.denominator == 0
    return not has_end and places > 0 and abs(told - found) < Fraction(1, 10**places)
