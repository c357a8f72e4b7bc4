"""A tariff's draft tells who would have been warned and cut: nobody whom something protected."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.views.policy_previews import decisions_of_accounts
from adapters.views.previews import published_terms
from ledger.aggregates.policy import PolicyDocument, TripLine
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.previewing import Decided, PolicyPreview, Span
from tests.harness.desk import Desk, Json, at_us, moment, point
from tests.harness.documents import FLAT, daily_fee, energy, policy, sold, tariff, version
from tests.views.test_policy_previews import BY_DAY, MOVES, Move, lived, policies
from tests.views.test_policy_protections import PROTECTED
from tests.views.test_previews import preview

DEARER = tariff("by_day", version(energy(["0.8"]), daily_fee("0.33")))
NOBODY = {"before": 0, "after": 0, "newly": [], "no_longer": []}
NIGHTS = NoCutWindow(name="nights", hours="18:00-08:00")
WINTER = NoCutWindow(name="winter", first_day="01-10", last_day="02-05")


@st.composite
def sparing(draw: st.DrawFn) -> PolicyDocument:
    """Policies of which some spare nights, a winter, or the first hours."""
    document = draw(policies())
    windows = draw(st.sampled_from([(), (NIGHTS,), (WINTER,), (NIGHTS, WINTER)]))
    trip = document.trip and TripLine(
        available_minor=document.trip.available_minor,
        grace_hours=draw(st.sampled_from([0, 0, 5, 200])),
    )
    return document.model_copy(update={"no_cut_windows": windows, "trip": trip})


def decided_in(desk: Desk) -> list[Decided]:
    """What a preview of the policies in force finds that they decided."""
    in_force = published_terms(desk.engine)
    plans = [PolicyPreview(terms, name, in_force, Span()) for name, terms in in_force.items()]
    return [
        each
        for plan in plans
        for found in decisions_of_accounts(desk.engine, desk.terms.shards, plan, ["A1"])
        for each in found.now
    ]


def counted(decided: list[Decided]) -> dict[str, int]:
    """Whether the account was ever warned, or was to be cut, and whether it was cut."""
    kinds = {each.kind for each in decided}
    return {
        "warned": int(bool(kinds & {"warned", "postponed", "kept_on", "disconnected"})),
        "disconnected": int("disconnected" in kinds),
    }


@settings(max_examples=25)
@given(sparing(), st.lists(MOVES, max_size=12))
def test_a_draft_warns_and_cuts_as_the_ledger_would_have(
    in_force: PolicyDocument, moves: list[Move]
) -> None:
    desk, reality = lived(in_force, moves), lived(in_force, moves, DEARER)
    same, other = preview(desk, BY_DAY), preview(desk, DEARER)
    now, then = counted(decided_in(desk)), counted(decided_in(reality))
    for name in ("warned", "disconnected"):
        if same["accounts"]:
            assert (same[name]["before"], same[name]["after"]) == (now[name], now[name])
            assert same[name]["newly"] == same[name]["no_longer"] == []
        if other["accounts"]:
            assert (other[name]["before"], other[name]["after"]) == (now[name], then[name])
    desk.close()
    reality.close()


@pytest.mark.parametrize("by", PROTECTED)
def test_who_may_not_be_cut_is_not_told_as_cut(desk: Desk, by: str) -> None:
    begin, end = PROTECTED[by]
    desk.open("A1", point("M1"))
    begin(desk, "A1")
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-20", 190_000)
    draft = tariff("flat", version(energy(["0.8"])))
    kept_on = preview(desk, draft)
    assert kept_on["disconnected"] == NOBODY
    assert kept_on["warned"] == NOBODY | {"before": 1, "after": 1}
    end(desk, "A1")
    assert preview(desk, draft)["disconnected"] == NOBODY | {"after": 1, "newly": ["A1"]}


def test_a_window_puts_a_cut_off_until_it_ends_or_money_comes(desk: Desk) -> None:
    desk.publish(policy(no_cut_windows=(WINTER,)))
    for number in ("A1", "A2"):
        desk.open(number, point(f"M{number}"))
        desk.recharge(number, 100_00, paid_at=moment("2026-01-02"))
        desk.read(f"M{number}", "2026-01-20", 190_000)
    desk.recharge("A2", 100_00, paid_at=moment("2026-02-01"))
    draft = tariff("flat", version(energy(["0.8"])))
    assert preview(desk, draft)["disconnected"]["newly"] == ["A1"]
    in_winter = Span(now_us=at_us("2026-02-01"))
    assert preview(desk, draft, span=in_winter)["disconnected"] == NOBODY
    assert preview(desk, FLAT)["disconnected"] == NOBODY


def test_only_levels_of_the_span_are_told(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.recharge("A1", 100_00, paid_at=moment("2026-01-02"))
    desk.read("M1", "2026-01-20", 210_000)
    desk.recharge("A1", 100_00, paid_at=moment("2026-02-01"))
    desk.read("M1", "2026-02-20", 211_000)
    assert preview(desk, FLAT)["disconnected"]["before"] == 1
    assert preview(desk, FLAT, span=Span(at_us("2026-02-02")))["disconnected"] == NOBODY


def test_units_that_run_out_cut_nobody_who_is_protected(desk: Desk) -> None:
    begin, _ = PROTECTED["guarantee"]
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    begin(desk, "A1")
    desk.recharge("A1", 200_00, paid_at=moment("2026-03-02"))
    desk.read("M1", "2026-03-20", 60_000)
    draft: Json = sold()
    draft["versions"][0]["charges"][1]["rates"] = ["1.47", "1.905", "3.285"]
    assert preview(desk, draft)["disconnected"] == NOBODY
    assert preview(desk, draft)["warned"]["after"] == 1
