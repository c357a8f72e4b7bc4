"""Money of an account as it would have been (试算余额), and the levels it would have come to."""

from dataclasses import dataclass, field

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.control import NO_DAYS, Terms
from ledger.aggregates.account.state import NO_WEEK
from ledger.previewing.standings import NOTHING, Means, Standing, decided, protected


@dataclass(slots=True)
class Purse:
    """What is available, the charges of the last seven days, and where each point stands."""

    available: int = 0
    has_moved: bool = False
    day: int = 0
    week: tuple[int, ...] = NO_WEEK
    standings: dict[str, Standing] = field(default_factory=dict)
    due_us: int = 0
    """When the next trip falls due that was put off; 0 where none was."""
    highest: int = 0
    """The level that was ever reached where it is compared."""

    def receive(self, amount: int) -> None:
        """Money came in, or was taken back."""
        self.available += amount
        self.has_moved = True

    def pay(self, amount: int) -> None:
        """Supply was paid for."""
        self.available -= amount
        if amount:
            self.has_moved = True

    def note(self, amount: int, day: int) -> None:
        """Keep the sums of the last seven days, where a policy asks for the days left."""
        gap = max(day - self.day, 0)
        week = (*NO_WEEK[:gap], *self.week)[: len(NO_WEEK)]
        self.week = (week[0] + amount, *week[1:])
        self.day += gap

    def forget(self, point: str) -> None:
        """A point of this name came or went: no level holds."""
        if self.standings.pop(point, NOTHING).due_us:
            self._find_due()

    def decide(
        self, account: Account, point: Point, terms: Terms, at_us: int, *, is_counted: bool
    ) -> None:
        """Bring a point to where it stands by this money under a policy."""
        before = self.standings.get(point.name, NOTHING)
        is_quiet = self.available > terms.top_minor and terms.days == NO_DAYS
        if not self.has_moved or (is_quiet and not before.level):
            return
        means = Means(self.available, sum(self.week))
        after = decided(account, point, before, terms, means, at_us)
        self._settle(point.name, before, after, is_counted=is_counted)

    def protect(self, account: Account, at_us: int, *, is_counted: bool) -> None:
        """Look again whether points may be cut."""
        for point in account.points:
            before = self.standings.get(point.name, NOTHING)
            after = protected(account, point, before, at_us)
            self._settle(point.name, before, after, is_counted=is_counted)

    def _settle(self, name: str, before: Standing, after: Standing, *, is_counted: bool) -> None:
        if after != before:
            self.standings[name] = after
            self._find_due()
            if is_counted:
                self.highest = max(self.highest, after.reached)

    def _find_due(self) -> None:
        due = (each.due_us for each in self.standings.values() if each.due_us)
        self.due_us = min(due, default=0)


def next_due_us(purses: tuple[Purse, Purse]) -> int:
    """When the next trip of either falls due that was put off; 0 where none was."""
    now_us, then_us = (purse.due_us for purse in purses)
    return min(now_us or then_us, then_us or now_us)
