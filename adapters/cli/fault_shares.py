"""Faults of simulated meters as they are given on a command line."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, cast

import typer

from adapters.cli.problems import InputError
from adapters.devices.park import PARK_FAULTS, ParkFault

PERMILLE: Final = 1000
Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault", metavar="KIND=SHARE", help=f"{', '.join(PARK_FAULTS)}; share from 0 to 1."
    ),
]


def shares_of(given: Sequence[str]) -> dict[ParkFault, int]:
    """Thousandths of the park by fault."""
    shares: dict[ParkFault, int] = {}
    for text in given:
        kind, _, share = text.partition("=")
        if kind not in PARK_FAULTS:
            known = ", ".join(PARK_FAULTS)
            raise InputError("fault_unknown", f"There is no fault {kind!r}; there are: {known}.")
        shares[cast("ParkFault", kind)] = _permille(share)
    return shares


def _permille(share: str) -> int:
    try:
        permille = Decimal(share or "1") * PERMILLE
    except InvalidOperation:
        permille = Decimal("NaN")
    if not permille.is_finite() or not 0 <= permille <= PERMILLE:
        raise InputError("share_invalid", f"A share from 0 to 1, not {share!r}.")
    return int(permille)
