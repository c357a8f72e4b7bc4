"""Runs: rows of a view on disk in order of their keys, brought together as they are read.

A rebuild makes rows of one key in many places of the log. It writes them aside, a file for each
pile, and merges the files, so that the table sees every key once and in order. A line is
`key CR position CR values LF` in COPY's own text, which has no bare CR: lines of one key lie
together, in the order of the log.
"""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice, repeat
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from adapters.views.cells import ABSENT, cells_of, value_of
from adapters.views.pile import PATCHES
from ledger.projections import Column, Merge, Row, View, key_columns

UNTOLD: Final = "\\A"
"""A column of which a row says nothing; no text of COPY holds it."""
MARK: Final = len("000000000000\r")
TOGETHER: Final = 200
"""Files that are open at once."""
BUFFER: Final = 1 << 18
AT_ONCE: Final = 4_096
"""Lines of one write."""

_json: Final = msgspec.json.Encoder(order="deterministic").encode


class Run(NamedTuple):
    """A file of rows, and how many there are; the position is that of the newest fact in it."""

    path: Path
    rows: int


def write_run(folder: Path, view: View, rows: Sequence[Row], shard: int, position: int) -> Run:
    """Write rows, one per key, in order of their keys."""
    lines = _lines(view, rows, position)
    path = folder / f"{view.name}-{shard:05}-{position:012}"
    with path.open("wb", BUFFER) as file:
        for start in range(0, len(lines), AT_ONCE):
            file.write("".join(lines[start : start + AT_ONCE]).encode())
    return Run(path, len(lines))


def _lines(view: View, rows: Sequence[Row], position: int) -> list[str]:
    shapes: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        shapes.setdefault(tuple(row), []).append(row)
    keys = len(key_columns(view))
    mark = f"\r{position:012}\r"
    lines: list[str] = []
    for names, alike in shapes.items():
        cells = [
            _column_cells(column, [row[column.name] for row in alike])
            if column.name in names
            else repeat(UNTOLD, len(alike))
            for column in view.columns
        ]
        before = map("\t".join, zip(*cells[:keys], strict=True))
        behind = map("\t".join, zip(*cells[keys:], strict=True))
        lines += [f"{key}{mark}{values}\n" for key, values in zip(before, behind, strict=True)]
    lines.sort()
    return lines


def _column_cells(column: Column, values: Sequence[Any]) -> list[str]:
    is_patch = column.merge in PATCHES  # Written as SQLite stores what was patched.
    return [*map(_json_cell, values)] if is_patch else cells_of(column, values)


def merged(view: View, runs: Sequence[Run]) -> Iterator[bytes]:
    """Lines for COPY, one per key, in order of the keys; the runs in order of the log."""
    meeting = _Meeting(view)
    told_key, told = b"", b""
    for line in _together(runs):
        key, _, rest = line.partition(b"\r")
        values = rest[MARK:]
        if key == told_key:
            told = meeting.of(told, values)
            continue
        if told_key:
            yield told_key + b"\t" + meeting.whole(told)
        told_key, told = key, values
    if told_key:
        yield told_key + b"\t" + meeting.whole(told)


def _together(runs: Sequence[Run]) -> Iterator[bytes]:
    """Lines of all runs in order. Of very many, some are brought into one file first."""
    while len(runs) > TOGETHER:
        runs = [_joined(runs[at : at + TOGETHER]) for at in range(0, len(runs), TOGETHER)]
    with ExitStack() as opened:
        yield from heapq.merge(*(opened.enter_context(run.path.open("rb", BUFFER)) for run in runs))


def _joined(runs: Sequence[Run]) -> Run:
    path = runs[0].path.with_name(f"{runs[0].path.name}+")
    with path.open("wb", BUFFER) as file:
        file.writelines(_together(runs))
    for run in runs:
        run.path.unlink()
    return Run(path, sum(run.rows for run in runs))


class _Meeting:
    """How the values of a row meet later ones of the same key: as its columns declare."""

    def __init__(self, view: View) -> None:
        self._columns = view.columns[len(key_columns(view)) :]
        self._patches = [at for at, column in enumerate(self._columns) if column.merge in PATCHES]

    def of(self, old: bytes, new: bytes) -> bytes:
        """Values after both."""
        pairs = zip(self._columns, _cells(old), _cells(new), strict=True)
        return "\t".join([_met(*pair) for pair in pairs]).encode() + b"\n"

    def whole(self, values: bytes) -> bytes:
        """Values as a table holds them: what was not told is null, and what was taken away gone."""
        is_patched = self._patches and b":null" in values
        if not is_patched and UNTOLD.encode() not in values:
            return values
        cells = [ABSENT if cell == UNTOLD else cell for cell in _cells(values)]
        for at in self._patches:
            if cells[at] != ABSENT:
                patch: dict[str, Any] = value_of(self._columns[at], cells[at])
                cells[at] = _json_cell({key: to for key, to in patch.items() if to is not None})
        return "\t".join(cells).encode() + b"\n"


def _cells(values: bytes) -> list[str]:
    return values[:-1].decode().split("\t")


def _met(column: Column, old: str, new: str) -> str:
    if new == UNTOLD:
        return old
    if old == UNTOLD or column.merge is Merge.REPLACE:
        return new
    if column.merge is Merge.ADD:
        return str(int(old) + int(new))
    return _json_cell({**value_of(column, old), **value_of(column, new)})


def _json_cell(value: dict[str, Any]) -> str:
    return _json(value).decode().replace("\\", "\\\\")


class Stream:
    """Lines as the file that COPY reads."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def read(self, _size: int = -1) -> bytes:
        """The next few; nothing at the end."""
        return b"".join(islice(self._lines, AT_ONCE))
