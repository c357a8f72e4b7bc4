"""What a tariff was used for never changes; it is only continued."""

import hashlib
from typing import Any

import msgspec

from ledger.aggregates.tariff import Tariff
from ledger.events.catalogue import TariffPublished
from tests.harness.documents import energy, tariff, version
from tests.scenario import Scenario

TODAY = "2026-07-01"
NOW = version(energy(["0.5"]))
NEXT = version(energy(["0.6"]), effective_from="2026-08-01")


def until(day: str, *charges: dict[str, Any]) -> dict[str, Any]:
    return version(*(charges or (energy(["0.5"]),)), effective_to=day)


def published(document: dict[str, Any]) -> TariffPublished:
    encoded = msgspec.json.encode(document)
    return TariffPublished("flat", msgspec.Raw(encoded), hashlib.sha256(encoded).hexdigest())


def publish(state: Tariff, document: dict[str, Any], today: str = TODAY) -> TariffPublished | None:
    fact = published(document)
    return state.publish("flat", bytes(fact.document), fact.document_sha256, today)


def after(*versions: dict[str, Any]) -> Scenario[Tariff]:
    return Scenario(Tariff).given(published(tariff("flat", *versions)))


def test_a_first_publication_takes_effect() -> None:
    (fact,) = Scenario(Tariff).when(publish, tariff()).facts
    assert (fact.tariff_id, fact.document_sha256) == ("flat", published(tariff()).document_sha256)
    assert msgspec.json.decode(fact.document) == tariff()


def test_the_same_document_again_is_silence() -> None:
    after(NOW).when(publish, tariff("flat", NOW)).then_nothing()


def test_a_version_may_end_in_the_future_and_another_follow() -> None:
    (fact,) = after(NOW).when(publish, tariff("flat", until("2026-08-01"), NEXT)).facts
    assert isinstance(fact, TariffPublished)


def test_a_version_that_has_begun_keeps_its_prices() -> None:
    changed = tariff("flat", until("2026-08-01", energy(["0.4"])), NEXT)
    after(NOW).when(publish, changed).refused("tariff_version_changed")
    gone = tariff("flat", NEXT)
    after(NOW).when(publish, gone).refused("tariff_version_changed")


def test_a_version_does_not_end_in_the_past() -> None:
    for day in ("2026-06-30", TODAY):
        ended = tariff("flat", until(day))
        after(NOW).when(publish, ended).refused("tariff_version_ended_in_the_past")


def test_a_version_does_not_begin_in_the_past() -> None:
    late = tariff("flat", until("2026-07-02"), version(energy(["0.6"]), effective_from=TODAY))
    after(NOW).when(publish, late).refused("tariff_version_late")


def test_a_version_that_has_not_begun_may_change_or_go() -> None:
    other = version(energy(["0.7"]), effective_from="2026-08-01")
    past = after(until("2026-08-01"), NEXT)
    assert past.when(publish, tariff("flat", until("2026-08-01"), other)).facts
    assert past.when(publish, tariff("flat", NOW)).facts


def test_what_a_tariff_measures_and_how_it_is_taxed_never_changes() -> None:
    for other in (
        tariff("flat", registers=("peak", "valley")),
        tariff("flat", vat="0.09"),
        tariff("flat", currency="EUR"),
        tariff("flat", service_kind="heat"),
    ):
        after().when(publish, other).refused("tariff_changed")
