"""What authors of tariffs and policies are shown: problems and differences, place by place."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.console import Group
from rich.text import Text

from adapters.cli.output import Shown, cell, table
from adapters.cli.problems import DIFFERENCE, OK, REFUSED
from ledger.commands import Json
from ledger.pricing.document_diff import Changed, document_diff
from ledger.pricing.problems import Problem


def linted(path: Path, document: Json, id_name: str, problems: Iterable[Problem]) -> Json:
    """A document of a file with all that keeps it from being published."""
    told = [problem._asdict() for problem in problems]
    return {"file": str(path), id_name: document.get(id_name), "problems": told}


def lint_shown(plural: str, id_name: str, found: Sequence[Json]) -> Shown:
    """The verdict on documents; exit 1 where one of them cannot be published."""
    is_clean = not any(each["problems"] for each in found)
    lines = [line for each in found for line in _lines(each, id_name)]
    return Shown(
        body={"ok": is_clean, plural: found},
        human=Group(*(Text(cell(line)) for line in lines)),
        exit_code=OK if is_clean else REFUSED,
    )


def changes_shown(old: Json, new: Json) -> Shown:
    """What differs between two documents; exit 3 where they do."""
    changes = document_diff(old, new)
    return Shown(
        body={"same": not changes, "changes": [change._asdict() for change in changes]},
        human=table(("place", "old", "new"), map(_row, changes)) if changes else "No difference.",
        exit_code=DIFFERENCE if changes else OK,
    )


def _lines(found: Json, id_name: str) -> Iterator[str]:
    count = len(found["problems"])
    verdict = f"{count} problem(s)" if count else "can be published"
    yield f"{found['file']}: {found[id_name]}: {verdict}"
    for problem in found["problems"]:
        yield f"  {problem['path'] or '/'}: {problem['message']} [{problem['code']}]"


def _row(change: Changed) -> tuple[str, str, str]:
    old, new = (
        "" if value is None else msgspec.json.encode(value).decode()
        for value in (change.old, change.new)
    )
    return change.path, old, new
