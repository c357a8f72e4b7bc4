"""Names of customers for the pages of staff; unsealed once and kept for a minute."""

from collections.abc import Iterable
from typing import Final

from ledger.store import Ledger

KEPT_US: Final = 60_000_000
KEPT_MAX: Final = 20_000


class Names:
    """Personal data as the vault holds it, so that a page of rows does not ask for each again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[str, tuple[int, dict[str, str]]] = {}

    def personal(self, account_no: str) -> dict[str, str]:
        """The personal data of an account; empty where there is none, or it was erased."""
        return self._all([account_no])[account_no]

    def name(self, account_no: str) -> str:
        """The name of an account's customer; empty where there is none."""
        return self.personal(account_no).get("name", "")

    def names(self, account_nos: Iterable[str]) -> dict[str, str]:
        """The names of all on a page, by account number."""
        found = self._all(account_nos)
        return {number: personal.get("name", "") for number, personal in found.items()}

    def _all(self, account_nos: Iterable[str]) -> dict[str, dict[str, str]]:
        """Those that are not known, or not any more, are asked for together."""
        now_us = self._ledger.clock()
        wanted = {number: self._kept.get(number) for number in account_nos}
        found = {
            number: kept[1]
            for number, kept in wanted.items()
            if kept is not None and 0 <= now_us - kept[0] < KEPT_US
        }
        if missing := [number for number in wanted if number not in found]:
            owners = [(self._ledger.shard_of(number), number) for number in missing]
            unsealed = self._ledger.vault.unseal_all(owners)
            new = {number: unsealed.get(number, {}) for number in missing}
            if len(self._kept) + len(new) > KEPT_MAX:
                self._kept.clear()
            self._kept.update((number, (now_us, personal)) for number, personal in new.items())
            found |= new
        return found
