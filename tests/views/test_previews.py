"""A draft is tried on real history: equal drafts differ in nothing, others as if they had held."""

import re
from typing import Any

import msgspec
from hypothesis import given, settings
from sqlalchemy.event import listen, remove

from adapters.views.previews import preview_accounts, published_terms
from ledger.previewing import Preview, Span
from ledger.pricing import compile_tariff
from tests.harness.desk import Desk, Json, at_us, point
from tests.harness.documents import FLAT, TIERED, energy, policy, tariff, version
from tests.properties.test_any_order import TARIFFS, Life, as_it_came, in_order, lives


def preview(
    desk: Desk,
    draft: Json,
    *account_nos: str,
    span: Span = Span(),  # noqa: B008 - immutable
    instead_of: str = "",
) -> dict[str, Any]:
    desk.views.catch_up()
    compiled = compile_tariff(draft)
    replaced = instead_of or compiled.tariff_id
    plan = Preview(compiled, replaced, published_terms(desk.engine), span)
    return preview_accounts(desk.engine, desk.terms.shards, plan, account_nos or None).body()


@settings(max_examples=15)
@given(lives())
def test_a_draft_that_equals_the_tariff_changes_nothing(life: Life) -> None:
    desk = as_it_came(life)
    document = next(each for each in TARIFFS if each["tariff_id"] == life.tariff_id)
    heads = desk.heads()
    body = preview(desk, document)
    assert desk.heads() == heads
    assert body["before_minor"] == body["after_minor"] == -desk.account("A1").balance_minor
    assert (body["winners"], body["losers"]) == (0, 0)
    assert body["warned"]["newly"] == body["disconnected"]["newly"] == []
    desk.close()


def dearer(document: Json) -> Json:
    """The same with ten more for every unit and day."""
    text = re.sub(rb'"0\.(\d+)"', rb'"10.\1"', msgspec.json.encode(document))
    changed: Json = msgspec.json.decode(text.replace(b'"10.13"', b'"0.13"'))
    for each in changed["versions"]:
        each["rounding"] = {"quantum": "0.01", "mode": "half_up"}
    return changed


@settings(max_examples=10)
@given(lives())
def test_a_draft_comes_to_what_it_would_have_charged(life: Life) -> None:
    desk = as_it_came(life)
    draft = dearer(next(each for each in TARIFFS if each["tariff_id"] == life.tariff_id))
    body = preview(desk, draft)
    reality = in_order(life, [draft])
    assert body["after_minor"] == -reality.account("A1").balance_minor
    desk.close()
    reality.close()


def test_policies_in_force_are_found_without_reading_the_log(desk: Desk) -> None:
    for trip_minor in (-5_00, -7_00):
        desk.publish(policy(trip=trip_minor))
    desk.views.catch_up()
    asked: list[str] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - as SQLAlchemy tells it
        asked.append(told[2])

    listen(desk.engine, "before_cursor_execute", note)
    found = published_terms(desk.engine)
    remove(desk.engine, "before_cursor_execute", note)
    assert {each.lines_minor[2] for each in found.values()} == {-7_00}
    assert asked
    assert not any(re.search(r"\bevents\b", statement) for statement in asked)


def test_winners_losers_and_who_would_be_cut_are_named(desk: Desk) -> None:
    for number, kwh in (("A1", 10), ("A2", 200), ("A3", 60)):
        desk.open(number, point(f"M{number}"))
        desk.recharge(number, 101_00)
        desk.read(f"M{number}", "2026-01-20", kwh * 1_000)
    draft = tariff("flat", version(energy(["0.4", "0.8"]), bounds=["100"]))
    body = preview(desk, draft)
    assert (body["winners"], body["losers"], body["unchanged"]) == (2, 1, 0)
    assert body["before_minor"] == 5_00 + 100_00 + 30_00
    assert body["after_minor"] == 4_00 + 120_00 + 24_00
    assert [row["account_no"] for row in body["largest_losses"]] == ["A2"]
    assert [row["account_no"] for row in body["largest_gains"]] == ["A3", "A1"]
    assert body["disconnected"] == {"before": 0, "after": 1, "newly": ["A2"], "no_longer": []}
    assert body["distribution"]["p100"] == 20_00
    assert preview(desk, draft, "A1", "A3")["accounts"] == 2


def test_a_level_by_days_left_is_foreseen_as_well(desk: Desk) -> None:
    desk.publish(policy(remind=None, warn=None, trip=None, warn_days=5))
    desk.open("A1", point("M1"))
    desk.recharge("A1", 100_00)
    desk.read("M1", "2026-01-02", 120_000)
    assert desk.account("A1").points[0].level == "warn"
    assert preview(desk, FLAT)["warned"]["before"] == 1
    cheap = tariff("flat", version(energy(["0.1"])))
    assert preview(desk, cheap)["warned"]["no_longer"] == ["A1"]


def test_only_the_span_is_compared_but_tiers_count_from_the_beginning(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))
    for day, kwh in (("2026-01-11", 90), ("2026-01-21", 190), ("2026-02-01", 290)):
        desk.read("M1", day, kwh * 1_000)
    span = Span(at_us("2026-01-11"), at_us("2026-01-21"))
    body = preview(desk, TIERED, span=span)
    assert body["before_minor"] == body["after_minor"] == 10 * 50 + 90 * 60


def test_a_draft_that_cannot_rate_the_past_says_why(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.read("M1", "2026-01-20", 1_000)
    later = tariff("flat", version(energy(["1"]), effective_from="2026-06-01"))
    body = preview(desk, later)
    assert (body["accounts"], body["refused"]) == (0, {"no_version": 1})
