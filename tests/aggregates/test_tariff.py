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


YEAR = {"year": 2031, "off": ["2031-01-01"], "worked": ["2031-01-04"]}


def by_day_type(*years: dict[str, Any], **calendar: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    hours = {"workday": {"total": "00:00-24:00"}, "holidays": "cn", **calendar}
    return tariff("flat", NOW) | {"tou_calendar": hours, "holidays": list(years)}


def given(document: dict[str, Any]) -> Scenario[Tariff]:
    return Scenario(Tariff).given(published(document))


def test_a_year_of_holidays_may_be_added_and_then_stays() -> None:
    (fact,) = given(by_day_type()).when(publish, by_day_type(YEAR)).facts
    assert isinstance(fact, TariffPublished)
    given(by_day_type(YEAR)).when(publish, by_day_type()).refused("tariff_changed")
    other = YEAR | {"off": ["2031-01-01/2031-01-02"]}
    given(by_day_type(YEAR)).when(publish, by_day_type(other)).refused("tariff_changed")
    known = YEAR | {"year": 2026, "off": ["2026-01-01"], "worked": []}
    given(by_day_type()).when(publish, by_day_type(known)).refused("tariff_changed")


def test_hours_that_were_rated_by_do_not_change() -> None:
    longer = by_day_type(holiday={"total": "00:00-24:00"})
    given(by_day_type()).when(publish, longer).refused("tariff_changed")
    (fact,) = given(by_day_type()).when(publish, by_day_type(note="by the notice")).facts
    assert isinstance(fact, TariffPublished)
