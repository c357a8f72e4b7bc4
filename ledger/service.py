"""The ledger as its doors see it: decisions to hand over, and how far the views are behind."""

from dataclasses import dataclass
from typing import Protocol

from ledger.queries import Queries
from ledger.store import Ledger


class ReadSide(Protocol):
    """What a door needs to know of the views."""

    def lag(self) -> dict[str, int]:
        """Events that each feed has not seen yet."""


@dataclass(frozen=True, slots=True)
class Service:
    """Built once by the composition root; tests build it with the real parts as well."""

    ledger: Ledger
    views: ReadSide
    queries: Queries
