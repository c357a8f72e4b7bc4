"""`wattledger tariff add-holidays`: a year was announced; readings of it need wait no longer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.documents import read_document
from adapters.cli.opening import Opened, opened
from adapters.cli.output import Shown, table
from adapters.cli.tariff import changed, group
from adapters.cli.verbs import verb
from adapters.views.queries import SqlQueries
from ledger.commands import Json
from ledger.commands.add_holidays import Announced, handle
from ledger.queries import Asked


@verb(group)
def add_holidays(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="JSON file: calendar, year, off, worked, source.")
    ],
) -> Shown:
    """Publish every tariff again that asks the calendar and does not know the year yet.

    A year that a tariff knows is never changed: readings may have been charged by it.
    """
    announced = Announced.model_validate(read_document(file))
    with opened() as here:
        bodies = handle(announced, _published(here), here.ledger, here.context)
    rows = [(body["tariff_id"], body["version"], changed(body)) for body in bodies]
    return Shown(
        body={"calendar": announced.calendar, "year": announced.year, "tariffs": bodies},
        human=table(("tariff", "publication", ""), rows, right="publication")
        if rows
        else f"Every tariff that asks {announced.calendar} knows {announced.year} already.",
        hint="wattledger readings quarantine recompute --code holidays_unknown",
    )


def _published(here: Opened) -> Iterator[Json]:
    """Every tariff as it was last published."""
    here.views()
    queries = SqlQueries(here.engine, here.terms)
    cursor: str | None = None
    while True:
        page = queries.documents("tariff", Asked(cursor=cursor))
        for row in page.items:
            shown = queries.document("tariff", row["tariff_id"])
            if shown is not None:
                yield shown["document"]
        cursor = page.cursor
        if cursor is None:
            return
