"""Control decisions (费控): which level holds, and the full trace of why."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.aggregates.account.state import DAYS_MAX, LEVELS, Account, Point, days_left
from ledger.events import account as facts

NONE, REMIND, WARN, TRIP = range(4)
NO_DAYS: Final = (None, None)
INDEX: Final = {level: index for index, level in enumerate(LEVELS)}

ControlFact = (
    facts.AccountReminded
    | facts.AccountWarned
    | facts.WarningCancelled
    | facts.SupplyTripOrdered
    | facts.SupplyRestoreOrdered
)


class Terms(NamedTuple):
    """A control policy in force.

    A level holds when available ≤ its line (or days left ≤ its days) and is cancelled above
    line + hysteresis; supply returns above the restore line.
    """

    policy_id: str
    version: int
    lines_minor: tuple[int | None, int | None, int | None]
    """Remind, warn, trip; None where the policy has no such level."""
    days: tuple[int | None, int | None]
    """Estimated days left at which remind and warn hold as well."""
    hysteresis_minor: int
    restore_minor: int
    cuts: frozenset[str]
    """Service kinds that this policy may cut."""
    top_minor: int
    """The highest line: above it no level holds."""


def decide_level(account: Account, point: Point, terms: Terms) -> Iterator[ControlFact]:
    """The facts that follow when the level of a point changes; nothing when it does not.

    An account that no money has moved in yet is left alone: nobody is cut at the opening.
    """
    if not account.has_moved:
        return
    available = account.available_at(point)
    before = INDEX[point.level]
    remaining = days_left(available, sum(account.week)) if terms.days != NO_DAYS else DAYS_MAX
    after = level_after(before, available, remaining, point.service_kind, terms)
    if after == before:
        return
    trace = _trace(account, point, terms, available, after)
    common = (account.account_no, point.name, trace)
    if before == TRIP:
        yield facts.SupplyRestoreOrdered(*common)
    elif after < before:
        yield facts.WarningCancelled(*common)
    elif after == TRIP:
        yield facts.SupplyTripOrdered(*common)
    elif after == WARN:
        yield facts.AccountWarned(*common)
    else:
        yield facts.AccountReminded(*common)


def is_quiet(account: Account, point: Point, terms: Terms) -> bool:
    """Whether nothing can follow: no level holds and the money is above every line (hot path)."""
    return (
        point.level == "none"
        and account.balance_minor + account.granted_minor > terms.top_minor
        and terms.days == NO_DAYS
        and not point.holds_units
    )


def level_after(
    before: int, available_minor: int, remaining_days: int, service_kind: str, terms: Terms
) -> int:
    """The highest level that holds; one that held before lasts until its hysteresis is passed."""
    remind, warn, trip = terms.lines_minor
    remind_days, warn_days = terms.days
    slack = terms.hysteresis_minor
    if trip is not None and service_kind in terms.cuts:
        line = terms.restore_minor if before == TRIP else trip
        if available_minor <= line:
            return TRIP
    if warn is not None and available_minor <= warn + (slack if before >= WARN else 0):
        return WARN
    if warn_days is not None and remaining_days <= warn_days:
        return WARN
    if remind is not None and available_minor <= remind + (slack if before >= REMIND else 0):
        return REMIND
    if remind_days is not None and remaining_days <= remind_days:
        return REMIND
    return NONE


def _trace(account: Account, point: Point, terms: Terms, available: int, after: int) -> facts.Trace:
    remaining = days_left(available, sum(account.week))
    rules = [
        facts.Rule(f"available {available} <= {name} {line}", available <= line)
        for name, line in zip(LEVELS[1:], terms.lines_minor, strict=True)
        if line is not None
    ]
    slack = terms.hysteresis_minor
    rules += [
        facts.Rule(
            f"available {available} <= {name} {line} + hysteresis {slack}",
            available <= line + slack,
        )
        for name, line in zip(LEVELS[1:3], terms.lines_minor[:2], strict=True)
        if line is not None and slack
    ]
    rules += [
        facts.Rule(f"days_left {remaining} <= {name}_days {days}", remaining <= days)
        for name, days in zip(LEVELS[1:3], terms.days, strict=True)
        if days is not None
    ]
    may_cut = point.service_kind in terms.cuts
    rules.append(facts.Rule(f"policy may cut {point.service_kind}", may_cut))
    restore = terms.restore_minor
    rules.append(facts.Rule(f"available {available} > restore {restore}", available > restore))
    return facts.Trace(
        policy_id=terms.policy_id,
        policy_version=terms.version,
        balance_minor=account.balance_minor,
        granted_minor=account.granted_minor,
        available_minor=available,
        days_left=remaining,
        level_before=point.level,
        level_after=LEVELS[after],
        rules=tuple(rules),
    )
