"""What a preview of a control policy comes to over all accounts (费控试算结果)."""

from collections import Counter
from typing import Any, Final

from ledger.aggregates.account.state import LEVELS
from ledger.previewing.decisions import Decisions
from ledger.previewing.standings import CANCELLED, KEPT_ON, KINDS, POSTPONED, RESTORED
from ledger.previewing.summary import compared

TOLD_OF: Final = (*KINDS, POSTPONED, KEPT_ON, RESTORED)
"""Kinds of decisions of which the customers are named."""


class DecisionSummary:
    """Who was reminded, warned, cut and restored, and who would have been."""

    def __init__(self) -> None:
        self.accounts = 0
        self._now, self._then = _Side(), _Side()

    def add(self, found: Decisions) -> None:
        """Count an account, where any of its points was ever under the policy."""
        if found.is_meant:
            self.accounts += 1
            self._now.add(found.account_no, [each.kind for each in found.now], found.level_now)
            self._then.add(found.account_no, [each.kind for each in found.then], found.level_then)

    def body(self) -> dict[str, Any]:
        """Accounts by what was decided about them, all decisions, and the levels in the end."""
        now, then = self._now, self._then
        return {
            "accounts": self.accounts,
            **{kind: compared(now.accounts(kind), then.accounts(kind)) for kind in TOLD_OF},
            "decisions": {"before": now.counted(), "after": then.counted()},
            "standing": {"before": now.standing(), "after": then.standing()},
        }


class _Side:
    """The policy in force, or the draft."""

    def __init__(self) -> None:
        self._accounts: dict[str, set[str]] = {kind: set() for kind in (*TOLD_OF, CANCELLED)}
        self._decisions: Counter[str] = Counter()
        self._levels: Counter[int] = Counter()

    def add(self, account_no: str, kinds: list[str], level: int) -> None:
        self._decisions.update(kinds)
        self._levels[level] += 1
        for kind in kinds:
            self._accounts[kind].add(account_no)

    def accounts(self, kind: str) -> set[str]:
        return self._accounts[kind]

    def counted(self) -> dict[str, int]:
        return {kind: self._decisions[kind] for kind in self._accounts}

    def standing(self) -> dict[str, int]:
        return {level: self._levels[index] for index, level in enumerate(LEVELS)}
