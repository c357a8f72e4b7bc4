"""`wattledger unpark`: let a stream into the views again after what broke it is mended."""

from typing import Annotated

import typer

from adapters.cli.opening import reading
from adapters.cli.output import Shown, facts
from adapters.views import Views
from adapters.views.feed import StillPoisonedError
from ledger.aggregates import Refused


def unpark(
    stream: Annotated[
        str,
        typer.Argument(
            metavar="STREAM",
            help="Account number, or another stream: meter/M-1001, or its id as doctor tells it.",
        ),
    ],
) -> Shown:
    """Fold the parked events of a stream in order, in every feed that passes them over."""
    with reading() as (engine, terms):
        try:
            events = Views(engine, terms).unpark(stream)
        except StillPoisonedError as error:
            raise Refused(
                "still_poisoned", f"An event of {stream} still cannot be folded: {error}"
            ) from error
    body = {"stream": stream, "events": events}
    return Shown(body=body, human=facts(body), hint="wattledger doctor")
