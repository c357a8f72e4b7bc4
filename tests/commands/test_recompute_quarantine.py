"""Readings in quarantine are settled on command, and leave the view."""

import pytest

from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.commands.recompute_quarantine import (
    CorrectItem,
    DismissItem,
    Item,
    correct,
    dismiss,
    item_of,
    recompute,
)
from ledger.queries import Asked
from tests.harness.desk import ACTOR, Desk, Json, point
from tests.harness.documents import energy, tariff, version
from tests.harness.readings import codes, counts


def waiting(desk: Desk) -> list[Json]:
    desk.views.catch_up()
    return SqlQueries(desk.engine, desk.terms).quarantine(Asked()).items


def items(desk: Desk) -> list[Item]:
    return [item_of(body) for body in waiting(desk)]


@pytest.fixture(autouse=True)
def opened(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        desk: Desk = request.getfixturevalue("desk")
        desk.open("A1", point("M1"))


def test_a_meter_installed_at_last_has_its_readings_charged(desk: Desk) -> None:
    for day in (4, 2, 3):
        assert codes(desk.read("M2", f"2026-01-0{day}", day * 1_000)) == ["meter_unknown"]
    desk.install("A1", point("M2"))
    assert recompute(items(desk), desk.ledger, ACTOR) == {
        "charged": 3,
        "duplicate": 0,
        "waiting": [],
        "positions": {str(shard): head for shard, head in desk.heads().items()},
    }
    assert waiting(desk) == []
    assert desk.account("A1").balance_minor == -2_00
    assert counts(desk.read("M2", "2026-01-03", 3_000)) == (0, 1, [])
    assert desk.views.verify() == []


def test_what_still_cannot_be_charged_stays_with_its_reason(desk: Desk) -> None:
    desk.read("M1", "2026-01-03", 5_000)
    desk.read("M1", "2026-01-04", 4_000)
    (item,) = items(desk)
    heads = desk.heads()
    answer = recompute([item], desk.ledger, ACTOR)
    assert [each["code"] for each in answer["waiting"]] == ["backward"]
    assert desk.heads() == heads
    assert len(waiting(desk)) == 1


def test_what_was_told_otherwise_meanwhile_is_a_duplicate(desk: Desk) -> None:
    assert codes(desk.read("M2", "2026-01-02", 1_000)) == ["meter_unknown"]
    desk.install("A1", point("M2"))
    desk.read("M2", "2026-01-02", 1_000)
    assert recompute(items(desk), desk.ledger, ACTOR)["duplicate"] == 1
    assert waiting(desk) == []


def test_a_tariff_that_begins_later_than_its_readings_can_be_mended(desk: Desk) -> None:
    ends = version(energy(["0.5"]), effective_to="2026-02-01")
    desk.publish(tariff("ends", ends))
    desk.open("A2", point("M2", "ends"))
    assert codes(desk.read("M2", "2026-02-02", 1_000)) == ["no_version"]
    assert recompute(items(desk), desk.ledger, ACTOR)["charged"] == 0


def test_a_corrected_item_is_charged_with_what_it_should_have_shown(desk: Desk) -> None:
    desk.read("M1", "2026-01-03", 5_000)
    desk.read("M1", "2026-01-04", 4_000)
    (item,) = items(desk)
    bad = CorrectItem.model_validate({"registers": {"total": "3"}, "reason": "misread"})
    with pytest.raises(Refused, match="went back"):
        correct(item, bad, desk.ledger, ACTOR)
    good = CorrectItem.model_validate({"registers": {"total": "6"}, "reason": "misread"})
    assert correct(item, good, desk.ledger, ACTOR).body["reading"] == "charged"
    assert waiting(desk) == []
    assert desk.account("A1").balance_minor == -3_00
    with pytest.raises(Refused) as refusal:
        correct(item, good, desk.ledger, ACTOR)
    assert refusal.value.code == "quarantine_settled"
    assert codes(desk.read("M1", "2026-01-04", 4_000)) == ["corrected"]


def test_a_dismissed_item_stays_aside(desk: Desk) -> None:
    desk.read("M1", "2026-01-03", 5_000)
    desk.read("M1", "2026-01-04", 4_000)
    (item,) = items(desk)
    dismiss(item, DismissItem(reason="a test of the meter"), desk.ledger, ACTOR)
    assert waiting(desk) == []
    heads = desk.heads()
    desk.restart()
    assert codes(desk.read("M1", "2026-01-04", 4_000)) == ["dismissed"]
    assert desk.heads() == heads
    desk.views.catch_up()
    assert desk.views.verify() == []


def test_what_waited_in_another_shard_is_charged_where_its_meter_is(shards: Desk) -> None:
    shards.open("A4")
    assert codes(shards.read("M1", "2026-01-03", 1_000)) == ["meter_unknown"]
    shards.install("A4", point("M1"))
    assert recompute(items(shards), shards.ledger, ACTOR)["charged"] == 1
    assert waiting(shards) == []
    assert counts(shards.read("M1", "2026-01-03", 1_000)) == (0, 1, [])
