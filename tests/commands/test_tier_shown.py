"""The tier that an account shows is that of its own household, season and time in service."""

from typing import Any

import pytest

from ledger.commands import change_attributes
from tests.harness.desk import ACTOR, Desk, Json, at_us, point
from tests.harness.documents import energy, tariff, version

FAMILY = {"attribute": "household_size", "gte": 5}


def modified(modifier: Json, **terms: Any) -> Json:  # noqa: ANN401 - as the document names them
    prices = version(energy(["0.5", "0.6", "0.9"]), **{"bounds": ["100", "200"], **terms})
    return {**prices, "modifiers": [{"id": "family", "when": FAMILY, **modifier}]}


def shown(desk: Desk, document: Json, *readings: tuple[str, int], **particulars: Any) -> Json:  # noqa: ANN401 - as the command names them
    """The tier of a new account after its readings, as the view and the log tell it alike."""
    desk.publish(document)
    installed = particulars.pop("installed_at", "2026-01-01")
    terms = point("M1", document["tariff_id"], installed)
    opened = desk.open("A1", terms, **particulars)["service_points"][0]["tier"]
    for at, kwh in readings:
        assert desk.read("M1", at, kwh * 1_000)["accepted"] == 1
    return opened if not readings else of_view(desk)


def of_view(desk: Desk) -> Json:
    desk.views.catch_up()
    account = desk.views.account("A1")
    assert account is not None
    found: Json = account["service_points"][0]["tier"]
    return found


@pytest.mark.parametrize("readings", [(), (("2026-01-11", 110),)])
def test_a_large_household_has_bounds_of_its_own(desk: Desk, readings: Any) -> None:  # noqa: ANN401 - pairs
    document = tariff("family", modified({"effect": "shift_tiers", "per_month": "50"}))
    tier = shown(desk, document, *readings, attributes={"household_size": 6})
    assert (tier["tier"], tier["next_bound"]) == (1, "150")
    assert of_view(desk) == tier


def test_bounds_told_anew_hold_from_the_next_month_on(desk: Desk) -> None:
    document = tariff("family", modified({"effect": "shift_tiers", "per_month": "50"}))
    shown(desk, document, ("2026-01-11", 110))
    change = change_attributes.ChangeAttributes(
        account_no="A1",
        attributes={"household_size": 6},
        reason="a child",
        valid_from_us=at_us("2026-01-15"),
    )
    change_attributes.handle(change, desk.ledger, ACTOR)
    desk.read("M1", "2026-01-21", 120_000)
    assert (of_view(desk)["tier"], of_view(desk)["next_bound"]) == (2, "200")
    desk.read("M1", "2026-02-01", 120_000)
    desk.read("M1", "2026-02-11", 240_000)
    assert (of_view(desk)["tier"], of_view(desk)["next_bound"]) == (1, "150")


def test_a_household_with_one_price_has_no_next_bound(desk: Desk) -> None:
    document = tariff("flat_family", modified({"effect": "flat_price", "rate": "0.55"}))
    tier = shown(desk, document, ("2026-01-11", 110), attributes={"household_size": 6})
    assert (tier["used"], tier["tier"], tier["next_bound"]) == ("110", 1, None)


def test_a_quantity_that_is_taken_off_first_moves_the_bounds(desk: Desk) -> None:
    free = {"id": "free", "kind": "free_quantity", "per_month": "10", "effect": "deduct_quantity"}
    prices = version(energy(["0.5", "0.6", "0.9"]), free, bounds=["100", "200"])
    tier = shown(desk, tariff("free", prices), ("2026-01-11", 105))
    assert (tier["used"], tier["tier"], tier["next_bound"]) == ("105", 1, "110")


def test_who_moved_in_during_the_year_has_a_part_of_the_bounds(desk: Desk) -> None:
    yearly = version(energy(["0.5", "0.6"]), bounds=["1200"], window="year")
    yearly["accumulation"]["proration"] = {"method": "months_in_service"}
    tier = shown(desk, tariff("yearly", yearly), ("2026-06-11", 650), installed_at="2026-06-05")
    assert (tier["window_from"], tier["tier"], tier["next_bound"]) == ("2026-01-01", 1, "700")
