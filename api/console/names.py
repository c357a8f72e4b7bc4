"""Names of customers for the pages of staff; unsealed once and kept for a minute."""

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
        now_us = self._ledger.clock()
        since_us, known = self._kept.get(account_no, (0, {}))
        if 0 <= now_us - since_us < KEPT_US:
            return known
        known = self._ledger.vault.unseal(self._ledger.shard_of(account_no), account_no)
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[account_no] = (now_us, known)
        return known

    def name(self, account_no: str) -> str:
        """The name of an account's customer; empty where there is none."""
        return self.personal(account_no).get("name", "")
