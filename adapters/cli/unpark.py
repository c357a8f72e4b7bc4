"""`wattledger unpark`: let a stream into the views again after what broke it is mended."""

from typing import Annotated

import typer

from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.device_side.aside import unpark_followers
from adapters.views import Views
from adapters.views.feed import StillPoisonedError
from adapters.views.views import stream_named
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
    """Fold the parked events of a stream in order, wherever they were passed over."""
    with opened() as at:
        try:
            events = Views(at.engine, at.terms).unpark(stream)
            events += unpark_followers(at.engine, at.ledger, stream_named(stream))
        except StillPoisonedError as error:
            raise Refused(
                "still_poisoned", f"An event of {stream} still cannot be folded: {error}"
            ) from error
    body = {"stream": stream, "events": events}
    told = facts(body) if events else f"Nothing of {stream} is parked."
    return Shown(body=body, human=told, hint="wattledger doctor")
