"""`wattledger tariff`: publish, lint, and run the cases of its author."""

from typing import Annotated

import typer

from adapters.cli.authoring import lint_shown, linted
from adapters.cli.case_runs import CaseFiles, run_files
from adapters.cli.documents import Files, read_tariffs
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.verbs import topic, verb
from ledger.commands import Json, publish_tariff
from ledger.pricing import lint

group = topic("tariff", "Tariffs")


@verb(group)
def publish(files: Files) -> Shown:
    """Publish tariffs; the same document again changes nothing, a used version never changes."""
    documents = [tariff for path in files for tariff in read_tariffs(path)]
    for document in documents:  # Before any: of several files all are published, or none.
        if problems := lint(document):
            raise publish_tariff.TariffRefused(problems)
    with opened() as here:
        bodies = [publish_tariff.handle(each, here.ledger, here.context).body for each in documents]
    rows = [(body["tariff_id"], body["version"], changed(body)) for body in bodies]
    return Shown(
        body=bodies[0] if len(bodies) == 1 else bodies,
        human=table(("tariff", "publication", ""), rows, right="publication"),
        hint="wattledger account open ACCOUNT --meter METER --tariff TARIFF --initial 0",
    )


def changed(body: Json) -> str:
    """What became of a document, in words."""
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
    tariffs = [(path, tariff) for path in files for tariff in read_tariffs(path)]
    found = [linted(path, tariff, "tariff_id", lint(tariff)) for path, tariff in tariffs]
    return lint_shown("tariffs", "tariff_id", found)


@verb(group)
def test(files: CaseFiles) -> Shown:
    """Run case files: readings and the amounts that must come out."""
    return run_files(files)
