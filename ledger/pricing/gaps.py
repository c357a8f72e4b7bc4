"""Days that bore no fixed charges: a meter leaves those before its own to the others beside it."""

Gaps = tuple[tuple[int, int], ...]
"""First day of each gap, and first day after it; all lie before the days borne last."""


def days_due(gaps: Gaps, through: int, first: int, done: int) -> int:
    """How many days from `first` to before `done` have borne nothing yet."""
    left = (min(end, done) - max(start, first) for start, end in gaps)
    return max(done - max(through, first), 0) + sum(max(days, 0) for days in left)


def gaps_left(gaps: Gaps, through: int, first: int, done: int) -> Gaps:
    """The gaps after the days from `first` to before `done` are borne."""
    if first <= through and not gaps:
        return ()
    parts = (
        part
        for start, end in (*gaps, (through, max(first, through)))
        for part in ((start, min(end, first)), (max(start, done), end))
    )
    return tuple((start, end) for start, end in parts if start < end)
