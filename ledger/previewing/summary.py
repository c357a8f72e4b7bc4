"""What a preview comes to (试算结果): one account, and all of them together."""

from collections import Counter
from typing import Any

import msgspec

from ledger.aggregates.account.control import TRIP, WARN
from ledger.pricing.explain import quantity_text


class Outcome(msgspec.Struct, gc=False):
    """An account under the tariff in force and under the draft."""

    account_no: str = ""
    intervals: int = 0
    before_minor: int = 0
    after_minor: int = 0
    levels_before: int = 0
    levels_after: int = 0
    """The highest level reached in the span: none, remind, warn, trip."""
    sells_units: bool = False
    units_before: int = 0
    units_after: int = 0
    """Wh or litres that its payments bought, less what went back."""
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
        elif any((outcome.intervals, outcome.before_minor, outcome.after_minor, _units(outcome))):
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
            "units": _units_of(found, most),
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


def _units_of(found: list[Outcome], most: int) -> dict[str, Any] | None:
    """What payments bought, of all accounts and of those that differ most; None without any."""
    selling = [each for each in found if each.sells_units]
    if not selling:
        return None
    whole = Outcome(
        units_before=sum(each.units_before for each in selling),
        units_after=sum(each.units_after for each in selling),
    )
    selling.sort(key=lambda each: (-abs(_more_units(each)), each.account_no))
    return {
        "accounts": len(selling),
        **_units_row(whole),
        "largest": [
            {"account_no": each.account_no, **_units_row(each)}
            for each in selling[:most]
            if _more_units(each)
        ],
    }


def _units(outcome: Outcome) -> int:
    return outcome.units_before or outcome.units_after


def _more_units(outcome: Outcome) -> int:
    return outcome.units_after - outcome.units_before


def _units_row(outcome: Outcome) -> dict[str, str]:
    return {
        "before": quantity_text(outcome.units_before),
        "after": quantity_text(outcome.units_after),
        "difference": quantity_text(_more_units(outcome)),
    }


def _crossed(found: list[Outcome], level: int) -> dict[str, Any]:
    """How many accounts fell so low in the span, and which would have, or would not have."""
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
