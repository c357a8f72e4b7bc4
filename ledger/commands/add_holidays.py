"""Add the holidays of a year (节假日安排) to the tariffs whose calendar does not know it yet."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from ledger.commands import Json, publish_tariff
from ledger.pricing import compile_tariff
from ledger.pricing.document import HolidayYear
from ledger.pricing.hours import HOLIDAYS
from ledger.store import Context, Ledger


class Announced(HolidayYear):
    """The holidays of a year, of the calendar that tariffs name."""

    calendar: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


def handle(
    announced: Announced, tariffs: Iterable[Json], ledger: Ledger, context: Context
) -> list[Json]:
    """Publish each of these tariffs again that asks the calendar and does not know the year.

    A tariff that knows it stays as it is: what was rated stays.
    """
    year = announced.model_dump(exclude={"calendar"}, exclude_none=True)
    return [
        publish_tariff.handle(
            {**document, HOLIDAYS: [*document.get(HOLIDAYS, []), year]}, ledger, context
        ).body
        for document in tariffs
        if _lacks(document, announced)
    ]


def _lacks(document: Json, announced: Announced) -> bool:
    named = (document.get("tou_calendar") or {}).get(HOLIDAYS)
    hours = compile_tariff(document).hours
    if named != announced.calendar or hours is None or hours.years is None:
        return False
    return announced.year not in hours.years
