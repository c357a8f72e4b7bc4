"""Quantities as people write them (decimal kWh, m³) and as the ledger counts (Wh, litres)."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,18}))?")
MILLI: Final = 3
UNIT_TEXT: Final = {"wh": "kWh", "l": "m³"}
"""How answers name the unit in which a quantity is told."""


def scaled(text: object, decimals: int) -> int:
    """Exact integer of a decimal text times ten to `decimals`; more digits are refused."""
    if isinstance(text, int) and not isinstance(text, bool):
        return int(text) * int(10**decimals)
    match = _DECIMAL.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"a decimal number such as 12.5 is needed, not {text!r}")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > decimals:
        raise ValueError(f"at most {decimals} decimals can be kept, {text!r} has more")
    number = int(whole + fraction.ljust(decimals, "0"))
    return -number if sign else number


def milli(text: object) -> int:
    """Thousandths of a decimal text: Wh of kWh, litres of m³."""
    return scaled(text, MILLI)


def decimal_text(number: int, decimals: int = MILLI) -> str:
    """Decimal text of a scaled integer, without trailing zeros."""
    whole, fraction = divmod(abs(number), 10**decimals)
    tail = str(fraction).rjust(decimals, "0").rstrip("0") if decimals else ""
    return f"{'-' if number < 0 else ''}{whole}{'.' + tail if tail else ''}"


_AS_TEXT: Final = {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,18})?$"}
_TOLD: Final = WithJsonSchema({"anyOf": [_AS_TEXT, {"type": "integer", "minimum": 0}]})

Quantity = Annotated[int, BeforeValidator(milli), Field(ge=0, le=10**15), _TOLD]
"""A register or quantity given in kWh or m³, kept in Wh or litres."""
PositiveQuantity = Annotated[int, BeforeValidator(milli), Field(gt=0, le=10**15), _TOLD]
"""A quantity above zero; also a multiplier, in thousandths."""
RegisterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,31}$")]
Registers = dict[RegisterName, Quantity]
