"""The chart that is made on the server: bars stand on the floor and end below the top."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from api.console.chart import BOTTOM, HEIGHT, TOP, Day, draw

FLOOR = HEIGHT - BOTTOM
TALL = FLOOR - TOP
quantities = st.decimals(0, 100_000, places=3)
days = st.lists(
    st.dictionaries(st.sampled_from(["peak", "flat", "valley"]), quantities, max_size=3),
    min_size=1,
    max_size=40,
)


def test_days_without_any_use_make_no_chart() -> None:
    assert draw([Day("11-01", "", {}), Day("11-02", "", {"total": Decimal(0)})]) is None


def test_the_grid_has_round_steps_that_hold_the_highest_day() -> None:
    chart = draw([Day("11-01", "", {"total": Decimal("4.2")})])
    assert chart is not None
    assert [tick.text for tick in chart.ticks] == ["0", "2", "4", "6"]


@given(days)
def test_no_bar_leaves_the_drawing_and_heights_are_in_proportion(
    used: list[dict[str, Decimal]],
) -> None:
    chart = draw([Day(str(number), "", one) for number, one in enumerate(used)])
    totals = [sum(one.values(), Decimal()) for one in used]
    if not any(totals):
        assert chart is None
        return
    assert chart is not None
    highest = Decimal(chart.ticks[-1].text)
    assert highest >= max(totals)
    for bar, total in zip(chart.bars, totals, strict=True):
        tall = sum(piece.height for piece in bar.segments)
        assert abs(tall - float(total / highest) * TALL) < 0.1
        assert all(TOP - 0.1 <= piece.y <= FLOOR for piece in bar.segments)
