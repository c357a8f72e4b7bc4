"""Case files as they are run: which files, what came out, and the exit code."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group
from rich.text import Text

from adapters.cli.documents import read_document
from adapters.cli.output import Shown, table
from adapters.cli.problems import DIFFERENCE, OK, USAGE, InputError
from ledger.pricing import CaseFileInvalid, CaseResult, run_cases

CASE_SCHEMA = "wattledger-case/1"
CaseFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Case files; of a directory all that lie in it."),
]
Results = Sequence[tuple[Path, CaseResult]]


def run_files(paths: Sequence[Path]) -> Shown:
    """Every case of the files: 0 all equal, 3 a difference, 2 where one cannot be computed."""
    results: list[tuple[Path, CaseResult]] = []
    refused: list[InputError] = []
    for path in chain.from_iterable(map(_files, paths)):
        try:
            results += [(path, result) for result in _cases(path)]
        except InputError as error:
            refused.append(error)
    if refused and not results:
        raise refused[0]
    reasons = [str(error) for error in refused]
    return Shown(
        body={"cases": [msgspec.to_builtins(result) for _, result in results]}
        | ({"unreadable": reasons} if reasons else {}),
        human=Group(_verdicts(results), *map(Text, reasons)),
        exit_code=USAGE if refused else _exit_code([result for _, result in results]),
    )


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = [file for file in sorted(path.rglob("*.json")) if _may_hold_cases(file)]
    if not found:
        raise InputError("case_file_invalid", f"{path} holds no case file.")
    yield from found


def _may_hold_cases(path: Path) -> bool:
    """Whether it says so itself; what cannot be read is told when it is run."""
    try:
        return read_document(path).get("schema") == CASE_SCHEMA
    except InputError:
        return True


def _cases(path: Path) -> list[CaseResult]:
    try:
        return run_cases(read_document(path))
    except CaseFileInvalid as error:
        raise InputError("case_file_invalid", f"{path}: {error}") from error


def _exit_code(results: Sequence[CaseResult]) -> int:
    if any(result.unreadable for result in results):
        return USAGE
    return DIFFERENCE if any(result.ok is False for result in results) else OK


def _verdicts(results: Results) -> Group:
    rows = [(path.name, case.id, _verdict(case), case.total, _why(case)) for path, case in results]
    counted = {verdict: sum(row[2] == verdict for row in rows) for verdict in _COUNTED}
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
    made = table(("file", "case", "", "total", "why"), rows, right="total")
    return Group(made, Text(summary))


_COUNTED = ("equal", "different", "unreadable", "computed")


def _verdict(case: CaseResult) -> str:
    if case.unreadable:
        return "unreadable"
    return {True: "equal", False: "different", None: "computed"}[case.ok]


def _why(case: CaseResult) -> str:
    ignored = [f"{place} is not read" for place in case.ignored]
    return "; ".join((*case.unreadable, *case.differences, *ignored))
