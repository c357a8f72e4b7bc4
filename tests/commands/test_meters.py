"""Meters come, are replaced, and go: nothing that they counted is lost."""

from collections.abc import Callable
from typing import Any

import pytest

from ledger.aggregates import Refused
from ledger.aggregates.meter import Meter
from ledger.events.account import AccountCharged, MeterReplaced
from ledger.store import Contradiction
from tests.harness.desk import Desk, point, water


def refused(desk: Desk, code: str, door: Any, *args: Any, **more: Any) -> None:  # noqa: ANN401 - any door
    heads = desk.heads()
    with pytest.raises(Refused) as refusal:
        door(*args, **more)
    assert (refusal.value.code, desk.heads()) == (code, heads)


def test_a_replaced_meter_is_charged_to_its_last_register(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))
    desk.read("M1", "2026-01-10", 60_000)
    desk.replace("A1", "2026-01-15", {"total": "90"}, "M2", {"total": "7.5"}, multiplier="2")
    charge = next(fact for fact in desk.facts("A1")[::-1] if isinstance(fact, AccountCharged))
    assert (charge.registers["total"], charge.amount_minor) == ((60_000, 90_000, 30_000), 15_00)
    account = desk.account("A1")
    assert (account.points[0].meter_no, account.points[0].registers) == ("M2", (7_500,))


def test_the_tier_position_survives_a_replacement(desk: Desk) -> None:
    desk.open("A1", point("M1", "tiered"))
    desk.replace("A1", "2026-01-15", {"total": "90"}, "M2", {"total": "0"}, multiplier="2")
    desk.read("M2", "2026-01-20", 10_000)
    account = desk.account("A1")
    assert account.points[0].position.used == 110_000
    assert account.balance_minor == -(100 * 50 + 10 * 60)


def test_a_replacement_at_the_last_reading_charges_nothing_more(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.read("M1", "2026-01-15", 90_000)
    desk.replace("A1", "2026-01-15", {"total": "90"}, "M2", {"total": "0"})
    kinds = [type(fact) for fact in desk.facts("A1")]
    assert (kinds.count(AccountCharged), kinds.count(MeterReplaced)) == (1, 1)


@pytest.mark.parametrize(
    ("at", "final", "code"),
    [
        ("2026-01-14", {"total": "90"}, "late"),
        ("2026-01-15", {"total": "91"}, "contradiction"),
        ("2026-01-16", {"total": "89"}, "backward"),
        ("2026-01-16", {}, "register_missing"),
        ("2026-07-02", {"total": "91"}, "future"),
    ],
)
def test_a_last_reading_that_cannot_be_charged_refuses_the_change(
    desk: Desk, at: str, final: dict[str, str], code: str
) -> None:
    desk.open("A1", point("M1"))
    desk.read("M1", "2026-01-15", 90_000)
    refused(desk, code, desk.replace, "A1", at, final, "M2", {"total": "0"})
    refused(desk, code, desk.remove, "A1", at, final)
    assert desk.account("A1").points[0].meter_no == "M1"
    assert desk.read("M1", "2026-01-20", 100_000)["accepted"] == 1


def test_a_new_meter_that_does_not_fit_refuses_the_change(desk: Desk) -> None:
    desk.open("A1", point("M1"), point("M2"))
    swap = (desk.replace, "A1", "2026-01-15", {"total": "90"})
    refused(desk, "service_point_unknown", *swap, "M3", {"total": "0"})
    of_point = {"service_point": "electricity"}
    refused(desk, "meter_in_use", *swap, "M2", {"total": "0"}, **of_point)
    refused(desk, "register_missing", *swap, "M3", {}, **of_point)
    refused(desk, "register_unknown", *swap, "M3", {"total": "0", "peak": "0"}, **of_point)
    refused(desk, "out_of_range", *swap, "M3", {"total": "5"}, wrap="5", **of_point)
    assert desk.replace("A1", "2026-01-15", {"total": "90"}, "M3", {"total": "0"}, **of_point)


def test_a_replacement_told_twice_is_made_once(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    swap = ("A1", "2026-01-15", {"total": "90"}, "M2", {"total": "0"})
    first = desk.replace(*swap)
    heads = desk.heads()
    assert desk.replace(*swap) == first
    assert desk.heads() == heads
    with pytest.raises(Contradiction):
        desk.replace("A1", "2026-01-15", {"total": "91"}, "M2", {"total": "0"})


def test_a_removed_meter_is_charged_to_its_last_register(desk: Desk) -> None:
    desk.open("A1", point("M1"), water("W1"))
    desk.recharge("A1", 100_00)
    answer = desk.remove("A1", "2026-01-15", {"total": "90"}, "electricity")
    assert answer["balance_minor"] == 55_00
    assert [p["service_point"] for p in answer["service_points"]] == ["water"]
    assert desk.topics()[-3:] == [
        "account.charged.v1",
        "meter.removed.v1",
        "account.service_point_removed.v1",
    ]


def test_a_removed_meter_is_free_for_another_account(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    shards.open("A4")
    later = point("M1", installed_at="2026-01-20", initial={"total": "90"})
    with pytest.raises(Contradiction):
        shards.install("A4", later)
    shards.remove("A1", "2026-01-15", {"total": "90"})
    shards.install("A4", later)
    with pytest.raises(Contradiction):
        shards.install("A1", later)
    shards.read("M1", "2026-01-21", 100_000)
    assert shards.account("A4").balance_minor == -5_00


def test_a_meter_does_not_begin_within_a_time_that_another_account_was_charged_for(
    shards: Desk,
) -> None:
    assert shards.ledger.shard_of("A1") != shards.ledger.shard_of("A4")
    shards.open("A1", point("M1"))
    shards.open("A4", point("M4"))
    shards.remove("A1", "2026-01-15", {"total": "90"})
    heads = shards.heads()
    within = point("M1", installed_at="2026-01-14", initial={"total": "90"})
    refused: list[Callable[[], object]] = [
        lambda: shards.install("A4", within),
        lambda: shards.open("A0", within),
        lambda: shards.replace(
            "A4", "2026-01-10", {"total": "1"}, "M1", {"total": "90"}, service_point="electricity"
        ),
    ]
    for attempt in refused:
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code == "meter_installed_before"
    assert shards.heads() == heads
    shards.install("A4", point("M1", installed_at="2026-01-15", initial={"total": "90"}))
    shards.remove("A4", "2026-01-20", {"total": "95"}, "electricity-2")
    with pytest.raises(Refused):
        shards.install("A1", point("M1", installed_at="2026-01-19", initial={"total": "95"}))
    shards.install("A1", point("M1", installed_at="2026-01-20", initial={"total": "95"}))
    assert shards.read("M1", "2026-01-21", 96_000)["accepted"] == 1


def test_a_meter_that_returns_counts_for_its_first_account_again(shards: Desk) -> None:
    shards.open("A1", point("M1"))
    shards.open("A4")
    for old, new, day in (("A1", "A4", 10), ("A4", "A1", 20)):
        shards.remove(old, f"2026-01-{day}", {"total": str(day)})
        back = point("M1", installed_at=f"2026-01-{day}", initial={"total": str(day)})
        shards.install(new, back)
    assert shards.read("M1", "2026-01-10", 10_000)["duplicate"] == 1
    assert shards.read("M1", "2026-01-25", 25_000)["accepted"] == 1
    assert [shards.account(no).balance_minor for no in ("A1", "A4")] == [-7_50, -5_00]
    services = shards.fold(Meter, "M1", shard=1).services
    assert [(s.account_no, s.until_us is None) for s in services] == [("A1", False), ("A1", True)]


def test_what_is_removed_no_longer_decides_about_the_supply(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    answer = desk.remove("A1", "2026-01-15", {"total": "90"})
    assert (answer["balance_minor"], answer["alert_level"]) == (-45_00, "none")
    assert "account.supply_trip_ordered.v1" not in desk.topics()


def test_a_further_meter_is_installed(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    assert desk.install("A1", point("M2"))["service_points"][1]["service_point"] == "electricity-2"
    refused(desk, "account_unknown", desk.install, "A9", point("M3"))
    refused(desk, "no_version", desk.install, "A1", point("M3", installed_at="2019-12-31"))
