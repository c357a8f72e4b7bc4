"""The ledger as its doors see it: decisions to hand over, and how far the views are behind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ledger.queries import Queries
from ledger.store import Ledger


class ReadSide(Protocol):
    """What a door needs to know of the views."""

    def lag(self) -> dict[str, int]:
        """Events that each feed has not seen yet."""


class Figure(NamedTuple):
    """A count that a monitor reads, under a name and labels that stay the same."""

    name: str
    meaning: str
    value: int
    labels: Mapping[str, str]


def no_figures() -> Sequence[Figure]:
    """Of a process that talks to no meter."""
    return ()


@dataclass(frozen=True, slots=True)
class Service:
    """Built once by the composition root; tests build it with the real parts as well."""

    ledger: Ledger
    views: ReadSide
    queries: Queries
    figures: Callable[[], Sequence[Figure]] = no_figures
