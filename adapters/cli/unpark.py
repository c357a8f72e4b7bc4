"""`wattledger unpark`: let an account into the views again after what broke it is mended."""

from typing import Annotated

import typer

from adapters.cli.opening import reading
from adapters.cli.output import Shown, facts
from adapters.views import Views
from adapters.views.feed import StillPoisonedError
from ledger.aggregates import Refused


def unpark(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account number.")],
) -> Shown:
    """Fold the parked events of an account in order, in every feed that passes them over."""
    with reading() as (engine, terms):
        try:
            events = Views(engine, terms).unpark(account)
        except StillPoisonedError as error:
            raise Refused(
                "still_poisoned", f"An event of {account} still cannot be folded: {error}"
            ) from error
    body = {"account_no": account, "events": events}
    return Shown(body=body, human=facts(body), hint="wattledger doctor")
