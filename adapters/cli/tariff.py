"""`wattledger tariff`: publish, lint, and run the cases of its author."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.text import Text

from adapters.cli.documents import Files, read_document, read_tariffs
from adapters.cli.opening import opened
from adapters.cli.output import Shown, cell, facts, table
from adapters.cli.problems import DIFFERENCE, OK, REFUSED, InputError
from adapters.cli.verbs import topic, verb
from ledger.commands import Json, publish_tariff
from ledger.pricing import CaseFileInvalid, CaseResult, TariffInvalid, lint, run_cases

group = topic("tariff", "Tariffs: publish, approve, lint, test, diff, preview.")


@verb(group)
def publish(files: Files) -> Shown:
    """Publish tariffs; the same document again changes nothing, a used version never changes."""
    documents = [tariff for path in files for tariff in read_tariffs(path)]
    with opened() as here:
        bodies = [publish_tariff.handle(each, here.ledger, here.context).body for each in documents]
    rows = [(body["tariff_id"], body["version"], _changed(body)) for body in bodies]
    return Shown(
        body=bodies[0] if len(bodies) == 1 else bodies,
        human=table(("tariff", "publication", ""), rows, right="publication"),
        hint="wattledger account open ACCOUNT --meter METER --tariff TARIFF --initial 0",
    )


def _changed(body: Json) -> str:
    if body.get("waits_for_approval"):
        return "waits for approval"
    return "published" if body["changed"] else "was published before"


@verb(group)
def approve(
    tariff: Annotated[str, typer.Argument(metavar="TARIFF", help="Id of the tariff.")],
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Number of the draft.")],
) -> Shown:
    """Let a draft take effect that somebody else has written."""
    with opened() as here:
        body = publish_tariff.approve(tariff, version, here.ledger, here.context).body
    return Shown(body=body, human=facts(body))


@verb(group, "lint")
def lint_(files: Files) -> Shown:
    """Say what keeps a tariff from being published, place by place."""
    found = [_linted(path, tariff) for path in files for tariff in read_tariffs(path)]
    is_clean = not any(each["problems"] for each in found)
    return Shown(
        body={"ok": is_clean, "tariffs": found},
        human=_problems(found),
        exit_code=OK if is_clean else REFUSED,
    )


def _linted(path: Path, tariff: Json) -> Json:
    problems = [problem._asdict() for problem in lint(tariff)]
    return {"file": str(path), "tariff_id": tariff.get("tariff_id"), "problems": problems}


def _problems(found: Sequence[Json]) -> RenderableType:
    lines: list[str] = []
    for each in found:
        count = len(each["problems"])
        verdict = f"{count} problem(s)" if count else "can be published"
        lines.append(f"{each['file']}: {each['tariff_id']}: {verdict}")
        lines += [f"  {p['path'] or '/'}: {p['message']} [{p['code']}]" for p in each["problems"]]
    return Group(*(Text(cell(line)) for line in lines))


@verb(group)
def test(files: Files) -> Shown:
    """Run case files: readings and the amounts that must come out."""
    results = [(path, result) for path in files for result in _cases(path)]
    failed = any(result.ok is False for _, result in results)
    return Shown(
        body={"cases": [msgspec.to_builtins(result) for _, result in results]},
        human=_verdicts(results),
        exit_code=DIFFERENCE if failed else OK,
    )


def _cases(path: Path) -> list[CaseResult]:
    try:
        return run_cases(read_document(path))
    except CaseFileInvalid as error:
        raise InputError("case_file_invalid", f"{path}: {error}") from error
    except TariffInvalid as error:
        raise publish_tariff.TariffRefused(error.problems) from error


def _verdicts(results: Sequence[tuple[Path, CaseResult]]) -> RenderableType:
    rows = [(path.name, case.id, _verdict(case), case.total, _why(case)) for path, case in results]
    counted = [sum(case.ok is ok for _, case in results) for ok in (True, False)]
    summary = f"{counted[0]} equal, {counted[1]} different"
    made = table(("file", "case", "", "total", "why"), rows, right="total")
    return Group(made, Text(summary))


def _verdict(case: CaseResult) -> str:
    return {True: "equal", False: "different", None: "computed"}[case.ok]


def _why(case: CaseResult) -> str:
    return "; ".join(case.differences)
