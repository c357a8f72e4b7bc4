"""Register maps of meters as data: `maps/*.csv` in a typed table, a row and a source a value."""

import csv
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

MAPS: Final = resources.files("adapters.devices") / "maps"
COLUMNS: Final = (
    "name",
    "address",
    "words",
    "type",
    "scale",
    "unit",
    "access",
    "functions",
    "models",
    "confidence",
    "meaning",
    "note",
    "source",
)
"""Header of a register map; the other tables of the folder describe protocols without registers."""
SIGNED: Final = frozenset({"int16"})
WORD_BITS: Final = 16


class RegisterField(NamedTuple):
    """A named value in the registers of a meter."""

    name: str
    address: int
    words: int
    kind: str
    """`uint16`, `int16`, `uint32` (high word first), `bits`, `bit`, `bytes` or `bcd`."""
    bit: int
    """Its place in the word, of a `bit`; else 0."""
    milli_per_count: int | None
    """Thousandths of the unit that one count stands for; None where it is not a known quantity."""
    unit: str
    is_writable: bool

    def decode(self, words: Sequence[int]) -> int:
        """The count in its registers: signed where the map says so, high word first."""
        count = 0
        for word in words[: self.words]:
            count = count << WORD_BITS | word
        if self.kind == "bit":
            return count >> self.bit & 1
        is_negative = self.kind in SIGNED and count >> (WORD_BITS * self.words - 1)
        return count - (1 << WORD_BITS * self.words) if is_negative else count

    def encode(self, count: int) -> tuple[int, ...]:
        """The registers of a count, high word first; what does not fit is cut as a meter wraps."""
        shifts = range(WORD_BITS * (self.words - 1), -1, -WORD_BITS)
        return tuple(count >> shift & 0xFFFF for shift in shifts)

    def milli(self, count: int) -> int:
        """A count in thousandths of its unit, such as Wh, mV, mA or W."""
        if self.milli_per_count is None:
            raise ValueError(f"the scale of {self.name} is not known")
        return count * self.milli_per_count


class RegisterMap:
    """The registers of one model."""

    def __init__(self, model: str, fields: Sequence[RegisterField]) -> None:
        self.model = model
        self.fields = tuple(fields)
        self._by_name = {each.name: each for each in self.fields}

    def field(self, name: str) -> RegisterField:
        """A value of the map; raises KeyError where this model has none of that name."""
        return self._by_name[name]

    def has(self, name: str) -> bool:
        """Whether this model has a value of that name."""
        return name in self._by_name

    def within(self, address: int, words: int) -> tuple[RegisterField, ...]:
        """The values that lie wholly in a block of registers."""
        end = address + words
        return tuple(
            each
            for each in self.fields
            if address <= each.address and each.address + each.words <= end
        )


@cache
def load_map(model: str) -> RegisterMap:
    """The registers of a model such as `DDSY1352`; raises KeyError where there is no such map."""
    fields = [_field(row) for row in _rows() if model in row["models"].split(";")]
    if not fields:
        raise KeyError(f"there is no register map of {model}")
    return RegisterMap(model, sorted(fields, key=lambda each: (each.address, each.bit)))


def models() -> tuple[str, ...]:
    """All models that have a register map."""
    return tuple(sorted({model for row in _rows() for model in row["models"].split(";")}))


def table(file: Traversable) -> list[dict[str, str]]:
    """The rows of one file of the folder."""
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def files() -> list[Traversable]:
    """All tables of the folder, register maps and others."""
    return sorted((file for file in MAPS.iterdir() if file.name.endswith(".csv")), key=str)


def _rows() -> Iterator[dict[str, str]]:
    for file in files():
        rows = table(file)
        if tuple(rows[0]) == COLUMNS:
            yield from rows


def _field(row: dict[str, str]) -> RegisterField:
    kind, _, bit = row["type"].partition(":")
    return RegisterField(
        name=row["name"],
        address=int(row["address"], 16),
        words=int(row["words"]),
        kind=kind,
        bit=int(bit or 0),
        milli_per_count=_milli(row["scale"]),
        unit=row["unit"],
        is_writable=row["access"] == "RW",
    )


def _milli(scale: str) -> int | None:
    if not scale:
        return None
    milli = Fraction(scale) * 1000
    if milli.denominator != 1:
        raise ValueError(f"a count of {scale} is no whole number of thousandths")
    return milli.numerator
