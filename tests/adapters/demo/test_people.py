"""The town is the same for the same seed, and somebody stands at every line."""

from collections import Counter

import pytest

from adapters.demo.people import SHARES_PERMILLE, townspeople


def test_the_town_is_the_same_for_the_same_seed() -> None:
    assert townspeople(50, 4, 1) == townspeople(50, 4, 1)
    assert townspeople(50, 4, 1) != townspeople(50, 4, 2)


@pytest.mark.parametrize("count", [8, 20, 500])
def test_somebody_stands_at_every_line(count: int) -> None:
    people = townspeople(count, 2, 1)
    fates = Counter(each.fate for each in people)
    assert all(
        fates[fate] >= max(1, count * share // 1000) for fate, share in SHARES_PERMILLE.items()
    )
    assert fates["well"] >= count // 2
    assert len({each.account_no for each in people}) == count
    assert len({each.meter_no for each in people}) == count
