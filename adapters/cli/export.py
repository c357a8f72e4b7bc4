"""`wattledger export`: what leaves the ledger as files; first of it the daily report."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import typer

from adapters.cli.amounts import amount_text
from adapters.cli.opening import opened
from adapters.cli.output import Advance, Shown, facts, progress
from adapters.cli.problems import InputError
from adapters.cli.verbs import topic, verb
from adapters.views.queries import SqlQueries
from api.console.daily_sheet import (
    DaysError,
    Format,
    Totals,
    days_of,
    file_name,
    lines,
    rows_of,
    written,
)
from api.console.language import Language
from api.sheets import today_of
from ledger.commands import Json
from ledger.commands.quantities import decimal_text
from ledger.queries import ALL, DailyAsked

KINDS: tuple[Format, ...] = ("csv", "xlsx")
NAMED: dict[str, Format] = {f".{kind}": kind for kind in KINDS}

group = topic("export", "What leaves the ledger as files")


@verb(group)
def daily_report(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day of booking (default: today).")
    ] = "",
    last: Annotated[
        str, typer.Option("--to", metavar="DAY", help="Last day (default: the first).")
    ] = "",
    site: Annotated[str, typer.Option(help="At this site.")] = "",
    group: Annotated[str, typer.Option(help="Of this user group.")] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Ends in .csv or .xlsx (default: by the days)."
        ),
    ] = None,
    language: Annotated[Literal["en", "zh-CN"], typer.Option(help="Of heads and words.")] = "en",
) -> Shown:
    """Write what each account held, moved and was charged for on local days, with the sums."""
    with opened() as here:
        try:
            days = days_of(first, last, today_of(here.ledger))
        except DaysError as error:
            raise InputError("days_invalid", str(error)) from error
        asked = DailyAsked(*days, site, group)
        file = output or Path(file_name(asked, "csv"))
        kind = _kind(file)
        here.views()
        totals = Totals()
        with progress("Daily report") as advance:
            rows = rows_of(SqlQueries(here.engine, here.terms), asked, ALL)
            made = lines(_counted(totals.through(rows), advance), Language(language, "UTC"))
            _write(file, written(kind, made, asked.first_day))
    sums = [_body(each) for each in totals.by_currency.values()]
    body = {"file": str(file), "from": asked.first_day, "to": asked.last_day, "totals": sums}
    return Shown(body=body, human=facts(_told(body)))


def _kind(file: Path) -> Format:
    kind = NAMED.get(file.suffix.lower())
    if kind is None:
        raise InputError("format_unknown", f"A file that ends in .csv or .xlsx is needed: {file}.")
    return kind


def _counted(rows: Iterable[Json], advance: Advance) -> Iterator[Json]:
    for number, row in enumerate(rows, start=1):
        advance(number, None)
        yield row


def _write(file: Path, blocks: Iterable[bytes]) -> None:
    """The whole file or, when anything goes wrong, what was there before."""
    if not file.parent.is_dir():
        raise InputError("folder_unknown", f"There is no folder {file.parent}.")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as made:
            made.writelines(blocks)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _body(sums: Json) -> Json:
    """Sums as the API tells amounts and quantities."""
    return {
        name: decimal_text(int(value.scaleb(3))) if isinstance(value, Decimal) else value
        for name, value in sums.items()
        if name not in {"from", "to"}
    }


def _told(body: Json) -> dict[str, object]:
    told: dict[str, object] = {"file": body["file"], "days": f"{body['from']} – {body['to']}"}
    for sums in body["totals"]:
        currency = sums["currency"]
        amounts = {
            "opening": sums["opening_minor"],
            "recharged": sums["recharged_minor"] - sums["reversed_minor"],
            "charged": sums["charged_minor"],
            "closing": sums["closing_minor"],
        }
        told[f"accounts {currency}"] = sums["accounts"]
        told |= {
            f"{name} {currency}": amount_text(amount, currency) for name, amount in amounts.items()
        }
    return told
