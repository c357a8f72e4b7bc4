"""Printing manners: data to stdout, talk to stderr, a bar only on a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import msgspec
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ledger.commands import Json

WIDE: Final = 10_000
"""Columns of what is no terminal: a pipe gets every cell whole."""

UNPRINTABLE: Final = "\N{REPLACEMENT CHARACTER}"

is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)
"""Whether this run was asked to say nothing but its data."""

Advance = Callable[[int, int | None], None]
"""Tell how much is done, and of how much (None where that is not known)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a command answers: the API's body, what a person reads, the next useful command."""

    body: Json | list[Json]
    human: RenderableType | None = None
    hint: str = ""
    exit_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer of any length: one JSON object a line, or what a person reads of it."""

    lines: Iterator[Json]
    human: Callable[[Json], str] | None = None
    exit_code: Callable[[], int] = int


def data_console() -> Console:
    """What was asked for."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)


def talk_console() -> Console:
    """Everything else."""
    return Console(file=sys.stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def say(sentence: str, style: str | None = None) -> None:
    """A sentence for the person at the terminal."""
    if not is_quiet.get():
        talk_console().print(sentence, style=style)


def print_json(body: Json | Sequence[Json]) -> None:
    """One JSON value on one line."""
    sys.stdout.write(msgspec.json.encode(body).decode() + "\n")


def show(shown: Shown | Stream, *, as_json: bool) -> int:
    """Print an answer; the exit code of the command."""
    if isinstance(shown, Stream):
        for line in shown.lines:
            if as_json or shown.human is None:
                print_json(line)
            else:
                sys.stdout.write(shown.human(line) + "\n")
        return shown.exit_code()
    if as_json:
        print_json(shown.body)
    else:
        if shown.human is not None:
            data_console().print(shown.human)
        if shown.hint:
            say(f"Next: {shown.hint}", style="dim")
    return shown.exit_code


def facts(pairs: Mapping[str, object]) -> Table:
    """Names and values, one a line; what is empty is left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        if value not in (None, "", []):
            grid.add_row(name, cell(value))
    return grid


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: str = "") -> Table:
    """A table; the columns named in `right` hold figures."""
    made = Table(header_style="bold")
    for column in columns:
        is_figure = column in right.split()
        made.add_column(column, justify="right" if is_figure else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def cell(value: object) -> str:
    """Text that cannot steer a terminal, whatever it was given as a name."""
    text = _words(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else UNPRINTABLE for letter in text)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@contextmanager
def progress(what: str) -> Iterator[Advance]:
    """A bar on the terminal's stderr; nothing where nobody looks at it."""
    if is_quiet.get() or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=talk_console(), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
