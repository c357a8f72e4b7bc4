"""Days and months that have borne their fixed charges, and those left to another meter beside."""

from typing import NamedTuple

Gaps = tuple[tuple[int, int], ...]
"""First of each gap, and first after it; all lie before what was borne last."""


class Borne(NamedTuple):
    """Which days, or months, have borne theirs: all before `through`, but for the gaps."""

    through: int
    gaps: Gaps = ()

    def due(self, first: int, done: int) -> int:
        """How many from `first` to before `done` have borne nothing yet."""
        left = (min(end, done) - max(start, first) for start, end in self.gaps)
        return max(done - max(self.through, first), 0) + sum(max(each, 0) for each in left)

    def after(self, first: int, done: int) -> "Borne":
        """The same when those from `first` to before `done` have borne theirs."""
        through = max(self.through, done)
        if first <= self.through and not self.gaps:
            return Borne(through)
        parts = (
            part
            for start, end in (*self.gaps, (self.through, max(first, self.through)))
            for part in ((start, min(end, first)), (max(start, done), end))
        )
        return Borne(through, tuple((start, end) for start, end in parts if start < end))

    def since(self, opened: int) -> Gaps:
        """The gaps that a window opened then still holds: others are rated again with theirs."""
        return tuple((max(first, opened), end) for first, end in self.gaps if end > opened)
