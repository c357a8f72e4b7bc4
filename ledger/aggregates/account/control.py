"""Control decisions (费控): which level holds, and the full trace of why."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.aggregates.account.no_cut import Hold, NoCut
from ledger.aggregates.account.state import DAYS_MAX, LEVELS, Account, Point, days_left
from ledger.events import account as facts
from ledger.values import rfc3339

NONE, REMIND, WARN, TRIP = range(4)
NO_DAYS: Final = (None, None)
INDEX: Final = {level: index for index, level in enumerate(LEVELS)}

ControlFact = (
    facts.AccountReminded
    | facts.AccountWarned
    | facts.WarningCancelled
    | facts.SupplyTripPostponed
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
    no_cut: NoCut | None = None
    """When nobody is cut whatever is owed; None where nothing keeps a trip back."""


def decide_level(
    account: Account, point: Point, terms: Terms, now_us: int
) -> Iterator[ControlFact]:
    """The facts that follow when the level of a point changes; nothing when it does not.

    An account that no money has moved in yet is left alone: nobody is cut at the opening. Only
    where a trip is due is it looked whether a window of the policy is open at `now_us`.
    """
    if not account.has_moved:
        return
    available = account.available_at(point)
    before = INDEX[point.level]
    remaining = days_left(available, sum(account.week)) if terms.days != NO_DAYS else DAYS_MAX
    after = level_after(
        WARN if point.trip_due_us else before, available, remaining, point.service_kind, terms
    )
    if after == TRIP and (before != TRIP or point.trip_due_us):
        yield from _trip(account, point, terms, available, now_us)
        return
    if after == before:
        return
    trace = _trace(account, point, terms, available, after)
    common = (account.account_no, point.name, trace)
    if before == TRIP and not point.trip_due_us:
        yield facts.SupplyRestoreOrdered(*common)
    elif after < before:
        yield facts.WarningCancelled(*common)
    elif after == WARN:
        yield facts.AccountWarned(*common)
    else:
        yield facts.AccountReminded(*common)


def _trip(
    account: Account, point: Point, terms: Terms, available: int, now_us: int
) -> Iterator[ControlFact]:
    """Cut the point, or put it off to the end of what keeps it back; put off so is silence."""
    since_us = point.trip_since_us if point.trip_due_us else now_us
    hold = None
    if terms.no_cut is not None:
        if terms.no_cut.due_us(account.timezone, since_us, now_us) == point.trip_due_us > now_us:
            return
        hold = terms.no_cut.hold(account.timezone, since_us, now_us)
    trace = _trace(account, point, terms, available, TRIP, hold)
    common = (account.account_no, point.name, trace)
    if hold is None:
        yield facts.SupplyTripOrdered(*common)
    else:
        yield facts.SupplyTripPostponed(*common, hold.by, since_us, hold.until_us)


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


def _trace(
    account: Account,
    point: Point,
    terms: Terms,
    available: int,
    after: int,
    hold: Hold | None = None,
) -> facts.Trace:
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
    if after == TRIP and terms.no_cut is not None:
        rules += _held_by(hold)
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


def _held_by(hold: Hold | None) -> list[facts.Rule]:
    """What keeps the trip back, each with the time at which all of it is over."""
    if hold is None:
        return [facts.Rule("no-cut window open", holds=False)]
    until = rfc3339(hold.until_us)
    return [facts.Rule(f"no-cut window {name} until {until}", holds=True) for name in hold.by]
