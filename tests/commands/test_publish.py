"""What is rated and decided by is published, checked, and never changed behind a charge."""

import pytest

from ledger.aggregates import Refused
from ledger.aggregates.tariff import Tariff
from ledger.commands import publish_policy, publish_tariff
from ledger.commands.publish_tariff import TariffRefused
from ledger.store import Context
from tests.harness.desk import ACTOR, Desk, Json, point
from tests.harness.documents import FLAT, daily_fee, energy, policy, tariff, version

FOREVER = version(energy(["0.5"]))
UNTIL_JULY = version(energy(["0.5"]), effective_to="2026-07-15")
FROM_JULY = version(energy(["1"]), effective_from="2026-07-15")


def test_the_same_document_again_changes_nothing(desk: Desk) -> None:
    heads = desk.heads()
    assert publish_tariff.handle(FLAT, desk.ledger, ACTOR).body == {
        "tariff_id": "flat",
        "version": 1,
        "changed": False,
        "positions": {},
    }
    assert not publish_policy.handle(policy(), desk.ledger, ACTOR).body["changed"]
    assert desk.heads() == heads


def test_a_document_with_problems_is_refused_with_their_places(desk: Desk) -> None:
    heads = desk.heads()
    with pytest.raises(TariffRefused) as refusal:
        desk.publish(tariff("bad", version(energy(["0.5", "0.6"]))))
    assert refusal.value.code == "tariff_invalid"
    assert "/versions/0/charges/0/rates" in refusal.value.problems[0].path
    assert desk.heads() == heads


def test_a_new_version_rates_from_its_day_on(desk: Desk) -> None:
    desk.open("A1", point("M1", installed_at="2026-07-01"))
    desk.read("M1", "2026-07-01T12:00", 10_000)
    desk.publish(tariff("flat", UNTIL_JULY, FROM_JULY))
    desk.clock.go("2026-07-20")
    desk.read("M1", "2026-07-15", 20_000)
    desk.read("M1", "2026-07-16", 30_000)
    assert desk.account("A1").balance_minor == -(5_00 + 5_00 + 10_00)


def test_an_interval_over_the_change_is_split_by_its_days(desk: Desk) -> None:
    desk.publish(tariff("flat", UNTIL_JULY, FROM_JULY))
    desk.open("A1", point("M1", installed_at="2026-07-01"))
    desk.clock.go("2026-08-01")
    desk.read("M1", "2026-07-29", 28_000)  # Fourteen days on each side.
    assert desk.account("A1").balance_minor == -(7_00 + 14_00)


def test_a_version_in_use_does_not_change(desk: Desk) -> None:
    dearer = tariff("flat", version(energy(["0.6"])))
    with pytest.raises(Refused) as refusal:
        desk.publish(dearer)
    assert refusal.value.code == "tariff_version_changed"
    desk.restart()
    with pytest.raises(Refused):
        desk.publish(dearer)


def test_a_day_ends_where_the_tariff_is_in_force(desk: Desk) -> None:
    tomorrow = tariff(
        "flat",
        version(energy(["0.5"]), effective_to="2026-07-02"),
        version(energy(["1"]), effective_from="2026-07-02"),
    )
    desk.clock.go("2026-07-01T23:59")
    desk.publish(tomorrow)
    desk.clock.go("2026-07-02T00:01")
    with pytest.raises(Refused) as refusal:
        desk.publish(tariff("flat", FOREVER))
    assert refusal.value.code == "tariff_version_changed"


def test_another_line_may_begin_with_another_version(desk: Desk) -> None:
    desk.open("A1", point("M1", installed_at="2026-07-01"))
    desk.read("M1", "2026-07-01T10:00", 2_000)
    more = version(energy(["0.5"]), daily_fee("0.10"), effective_from="2026-07-15")
    desk.publish(tariff("flat", UNTIL_JULY, more))
    desk.clock.go("2026-08-01")
    desk.read("M1", "2026-07-25", 4_000)
    assert desk.account("A1").balance_minor == -(1_00 + 1_00 + 1_00)


@pytest.fixture
def careful(desk: Desk) -> Desk:
    """A desk at which tariffs wait for a second person."""
    desk.ledger.approvals = frozenset({"tariff"})
    return desk


def approve(desk: Desk, number: int, actor: str, tariff_id: str = "new") -> Json:
    return publish_tariff.approve(tariff_id, number, desk.ledger, Context(actor)).body


def test_a_draft_rates_nothing_until_a_second_person_approves_it(careful: Desk) -> None:
    body = publish_tariff.handle(tariff("new"), careful.ledger, ACTOR).body
    assert (body["version"], body["waits_for_approval"]) == (1, True)
    with pytest.raises(Refused) as refusal:
        careful.open("A1", point("M1", "new"))
    assert refusal.value.code == "tariff_unknown"
    with pytest.raises(Refused) as refusal:
        approve(careful, 1, ACTOR.actor)
    assert refusal.value.code == "same_person"
    assert approve(careful, 1, "clerk-2")["changed"] is True
    careful.open("A1", point("M1", "new"))
    assert careful.fold(Tariff, "new", 0).version == 1


def test_a_newer_draft_takes_the_place_of_the_one_that_waits(careful: Desk) -> None:
    first, second = tariff("new"), tariff("new", version(energy(["0.7"])))
    for document, number in ((first, 1), (first, 1), (second, 2)):
        body = publish_tariff.handle(document, careful.ledger, ACTOR).body
        assert body["version"] == number
    for number in (1, 3):
        with pytest.raises(Refused) as refusal:
            approve(careful, number, "clerk-2")
        assert refusal.value.code == "draft_unknown"
    approve(careful, 2, "clerk-2")
    with pytest.raises(Refused) as refusal:
        approve(careful, 2, "clerk-2")
    assert refusal.value.code == "draft_unknown"
    assert publish_tariff.handle(second, careful.ledger, ACTOR).body["changed"] is False


def test_a_draft_that_changes_what_has_begun_is_refused_at_once(careful: Desk) -> None:
    with pytest.raises(Refused) as refusal:
        publish_tariff.handle(tariff("flat", version(energy(["9"]))), careful.ledger, ACTOR)
    assert refusal.value.code == "tariff_version_changed"
