"""`wattledger bench preview`: how fast a draft is tried on real history."""

from typing import Annotated

import typer

from adapters.bench.preview import measure_preview
from adapters.cli.bench import group, measured
from adapters.cli.output import Shown
from adapters.cli.verbs import verb


@verb(group)
def preview(
    accounts: Annotated[int, typer.Option(min=1, help="Accounts; 100000 is full size.")] = 1_000,
    days: Annotated[int, typer.Option(min=1, max=365, help="Daily readings of each.")] = 365,
) -> Shown:
    """Rate a year of daily readings again under a draft, on one core."""
    return measured(lambda scratch: measure_preview(scratch, accounts, days))
