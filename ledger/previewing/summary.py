"""What a preview comes to (试算结果): one account, and all of them together."""

from collections import Counter
from typing import Any

import msgspec

from ledger.aggregates.account.control import TRIP, WARN


class Outcome(msgspec.Struct, gc=False):
    """An account under the tariff in force and under the draft."""

    account_no: str = ""
    intervals: int = 0
    before_minor: int = 0
    after_minor: int = 0
    levels_before: int = 0
    levels_after: int = 0
    """The highest level ever reached: none, remind, warn, trip."""
    refused: str = ""
    """Why the draft cannot rate it."""


class Summary:
    """What a preview comes to over all accounts."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.refused: Counter[str] = Counter()
        self.intervals = 0

    def add(self, outcome: Outcome) -> None:
        """Count an account; one that the draft cannot rate is named by its reason alone."""
        if outcome.refused:
            self.refused[outcome.refused] += 1
        elif outcome.intervals or outcome.before_minor or outcome.after_minor:
            self.outcomes.append(outcome)
            self.intervals += outcome.intervals

    def body(self, most: int = 10) -> dict[str, Any]:
        """Revenue, winners and losers, the distribution of differences, warnings and trips."""
        found = sorted(self.outcomes, key=_difference)
        differences = [_difference(each) for each in found]
        before = sum(each.before_minor for each in found)
        after = sum(each.after_minor for each in found)
        return {
            "accounts": len(found),
            "intervals": self.intervals,
            "refused": dict(sorted(self.refused.items())),
            "before_minor": before,
            "after_minor": after,
            "difference_minor": after - before,
            "winners": sum(each < 0 for each in differences),
            "losers": sum(each > 0 for each in differences),
            "unchanged": sum(each == 0 for each in differences),
            "distribution": {
                f"p{percent}": _at(differences, percent) for percent in (0, 5, 25, 50, 75, 95, 100)
            },
            "largest_gains": [_row(each) for each in found[:most] if _difference(each) < 0],
            "largest_losses": [_row(each) for each in found[::-1][:most] if _difference(each) > 0],
            "warned": _crossed(found, WARN),
            "disconnected": _crossed(found, TRIP),
        }


def _difference(outcome: Outcome) -> int:
    return outcome.after_minor - outcome.before_minor


def _at(differences: list[int], percent: int) -> int:
    """The smallest difference that so many of a hundred accounts do not exceed."""
    if not differences:
        return 0
    return differences[max(0, -(-len(differences) * percent // 100) - 1)]


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "account_no": outcome.account_no,
        "before_minor": outcome.before_minor,
        "after_minor": outcome.after_minor,
        "difference_minor": _difference(outcome),
    }


def _crossed(found: list[Outcome], level: int) -> dict[str, Any]:
    """How many accounts ever fell so low, and which would have, or would not have."""
    return compared(
        {each.account_no for each in found if each.levels_before >= level},
        {each.account_no for each in found if each.levels_after >= level},
    )


def compared(before: set[str], after: set[str], shown: int = 100) -> dict[str, Any]:
    """How many accounts before and after, and which came and went."""
    return {
        "before": len(before),
        "after": len(after),
        "newly": sorted(after - before)[:shown],
        "no_longer": sorted(before - after)[:shown],
    }
