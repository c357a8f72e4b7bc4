"""Money of an account as it would have been (试算余额), and the levels it would have come to."""

from dataclasses import dataclass, field

from ledger.aggregates.account.control import NO_DAYS, Terms, level_after
from ledger.aggregates.account.state import DAYS_MAX, NO_WEEK, days_left


@dataclass(slots=True)
class Purse:
    """What is available, the charges of the last seven days, and the level of each point."""

    available: int = 0
    has_moved: bool = False
    day: int = 0
    week: tuple[int, ...] = NO_WEEK
    levels: dict[str, int] = field(default_factory=dict)
    highest: int = 0

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

    def begin(self, point: str) -> None:
        """A point of this name began to count: no level holds."""
        self.levels.pop(point, None)

    def decide(self, point: str, service_kind: str, terms: Terms) -> int:
        """The level that a point comes to under a policy."""
        before = self.levels.get(point, 0)
        if not self.has_moved or (
            before == 0 and self.available > terms.top_minor and terms.days == NO_DAYS
        ):
            return before
        left = days_left(self.available, sum(self.week)) if terms.days != NO_DAYS else DAYS_MAX
        after = level_after(before, self.available, left, service_kind, terms)
        self.levels[point] = after
        self.highest = max(self.highest, after)
        return after
