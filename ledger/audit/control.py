"""Control decisions that were due (应有的决定): after money moved, the levels are decided again.

A decision that was recorded is checked by itself; here it is found that one was left out.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ledger.aggregates.account import Account
from ledger.aggregates.account.control import Terms, decide_level, is_quiet
from ledger.audit.chain import Finding
from ledger.events import Event
from ledger.events.account import AccountCharged
from ledger.ports import Row
from ledger.values import MICROS_PER_SECOND

CLOCKS_APART_US: Final = 60 * MICROS_PER_SECOND
"""Which of two versions of a policy was in force is not told by times that lie closer together."""


class Due(NamedTuple):
    """Money has moved, and what had to follow has not been recorded so far."""

    row: Row
    message: str


class Decisions:
    """Follows the accounts of a shard, row by row."""

    def __init__(self) -> None:
        self._published: dict[str, dict[int, tuple[int, Terms]]] = {}
        """Policy -> version -> when it was recorded, and its terms."""
        self._due: dict[str, Due] = {}

    def learn(self, terms: Terms, recorded_at_us: int) -> None:
        """A policy was published."""
        versions = self._published.setdefault(terms.policy_id, {})
        versions[terms.version] = (recorded_at_us, terms)

    def terms(self, policy_id: str, version: int) -> Terms | None:
        """The terms of a published version."""
        found = self._published.get(policy_id, {}).get(version)
        return None if found is None else found[1]

    def before(self, row: Row, event: Event) -> Iterator[Finding]:
        """A fact follows: what was due must have come, within its command and before a charge."""
        due = self._due.get(row.stream_id)
        if due is None:
            return
        if due.row.command_id != row.command_id or isinstance(event, AccountCharged):
            del self._due[row.stream_id]
            yield _left_out(due)

    def after(self, row: Row, account: Account, *, has_moved: bool) -> None:
        """What the account is now: whether something is due."""
        due = self._due.get(row.stream_id)
        if not has_moved and due is None:
            return
        message = self._undecided(account, row.recorded_at)
        if message is None:
            self._due.pop(row.stream_id, None)
        else:
            self._due[row.stream_id] = Due(row if due is None else due.row, message)

    def end(self) -> Iterator[Finding]:
        """Nothing follows any more; forgets the accounts, not the policies."""
        yield from map(_left_out, self._due.values())
        self._due = {}

    def _undecided(self, account: Account, at_us: int) -> str | None:
        for point in account.points:
            wanted = ""
            for terms in self._in_force(point.policy_id, at_us):
                if is_quiet(account, point, terms):
                    break
                decided = [fact.TOPIC for fact in decide_level(account, point, terms, at_us)]
                if not decided:
                    break
                wanted = wanted or f"{point.name}: {decided[0]}"
            else:
                if wanted:
                    return wanted
        return None

    def _in_force(self, policy_id: str, at_us: int) -> list[Terms]:
        """The version of a policy that was in force, or those that may have been."""
        in_force: list[Terms] = []
        for recorded_at_us, terms in self._published.get(policy_id, {}).values():
            if recorded_at_us <= at_us - CLOCKS_APART_US:
                in_force = [terms]
            elif recorded_at_us <= at_us + CLOCKS_APART_US:
                in_force.append(terms)
        return in_force


def _left_out(due: Due) -> Finding:
    row = due.row
    message = f"what had to follow was left out: {due.message}"
    return Finding(row.shard, row.position, row.stream_id, "control", message)
