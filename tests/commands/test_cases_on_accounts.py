"""The cases of a tariff's author, on real accounts: opened, read, corrected, replaced, charged."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger.commands import change_attributes, correct_reading
from ledger.commands.correct_reading import CancelReading, CorrectReading
from ledger.commands.late_readings import Reading
from ledger.events import account as facts
from ledger.pricing.exact import minor_digits
from ledger.values import instant
from tests.harness.desk import ACTOR, Desk, Json
from tests.pricing.strategies import to_utc

FOLDER = Path(__file__).parents[1] / "pricing" / "cases"
FILES = {path: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
CASES = {
    case["id"]: (case, file["tariffs"][case["tariff"]])
    for file in FILES.values()
    for case in file["cases"]
}
LARGEST_WRAP = Decimal(1_000_000)


def spelt(value: Any) -> Any:  # noqa: ANN401 - as a case tells an attribute
    """A number with decimals as accounts are told it."""
    return str(value) if isinstance(value, float) else value


def milli(text: str) -> int:
    return int(Decimal(text) * 1_000)


class Case:
    """A case told to a desk, event by event."""

    def __init__(self, desk: Desk, case: Json, tariff: Json) -> None:
        self.desk, self.case, self.tariff = desk, case, tariff
        self.shown: Json = {}
        self.points: dict[str, str] = {}
        """Point of each meter; a meter that was removed leaves its point to the next one."""
        self.free: list[str] = []
        self.read: dict[int, tuple[str, datetime]] = {}
        """Meter and time of each reading, by its number."""

    def tell(self) -> None:
        self.desk.publish(self.tariff)
        for event in self.case["events"]:
            at_us = to_utc(self.tariff["timezone"], event["at"]) if "at" in event else 0
            getattr(self, event["type"])(event, at_us)

    def meter_installed(self, event: Json, at_us: int) -> None:
        if self.free:  # The final reading of the old meter came before it.
            self._replace(event, at_us, self.free.pop())
            return
        point = {
            "service_kind": self.tariff["service_kind"],
            "meter_no": event["meter"],
            "tariff_id": self.tariff["tariff_id"],
            "installed_at": instant(at_us),
            "initial": event["registers"],
            "wrap": str(min(Decimal(event["wrap"]), LARGEST_WRAP)),
            "multiplier": event["multiplier"],
        }
        if self.points:
            shown = self.desk.install("A1", point)
        else:
            shown = self.desk.open(
                "A1",
                point,
                currency=self.tariff["currency"],
                timezone=self.tariff["timezone"],
                attributes={name: spelt(each) for name, each in self.case["attributes"].items()},
            )
        self.points[event["meter"]] = shown["service_points"][-1]["service_point"]

    def _replace(self, event: Json, at_us: int, point: str) -> None:
        meter_no, registers = event["meter"], event["registers"]
        self.desk.replace_at("A1", at_us, self.shown, meter_no, registers, service_point=point)
        self.points[meter_no] = point

    def reading(self, event: Json, at_us: int) -> None:
        registers = {name: milli(value) for name, value in event["registers"].items()}
        answer = self.desk.read_all(Reading(event["meter"], at_us, registers))
        assert answer["quarantined"] == []
        self.read[event["seq"]] = event["meter"], instant(at_us)

    def meter_removed(self, event: Json, at_us: int) -> None:
        self.shown = event["registers"]
        self.read[event["seq"]] = event["meter"], instant(at_us)
        self.free.append(self.points[event["meter"]])

    def reading_corrected(self, event: Json, _at_us: int) -> None:
        meter_no, at = self.read[event["corrects_seq"]]
        self._correct(
            CorrectReading(
                meter_no=meter_no, at=at, registers=event["registers"], reason="mistyped"
            )
        )

    def reading_cancelled(self, event: Json, _at_us: int) -> None:
        meter_no, at = self.read[event["cancels_seq"]]
        self._correct(CancelReading(meter_no=meter_no, at=at, reason="another meter's"))

    def _correct(self, command: CorrectReading | CancelReading) -> None:
        correct_reading.handle(command, self.desk.ledger, ACTOR)

    def attribute_changed(self, event: Json, at_us: int) -> None:
        told = {event["attribute"]: spelt(event["value"])}
        change = change_attributes.ChangeAttributes(
            account_no="A1", attributes=told, reason="approved", valid_from_us=at_us
        )
        change_attributes.handle(change, self.desk.ledger, ACTOR)


def posted_minor(desk: Desk) -> list[int]:
    charges = facts.AccountCharged | facts.ChargeCorrected
    return [event.amount_minor for event in desk.facts("A1") if isinstance(event, charges)]


@pytest.mark.parametrize("name", CASES)
def test_an_account_is_charged_what_the_case_says(name: str, sqlite_url: str) -> None:
    case, tariff = CASES[name]
    desk = Desk.at(sqlite_url)
    Case(desk, case, tariff).tell()
    posted = posted_minor(desk)
    expected: list[Any] = case["expected"]["posted"]
    assert posted == [int(Decimal(each["amount"]) * 100) for each in expected]
    assert desk.account("A1").balance_minor == -int(Decimal(case["expected"]["total"]) * 100)
    desk.close()


OWN = {
    case["id"]: (case, file["tariffs"][case["tariff"]])
    for path in sorted((FOLDER.parent / "own_cases").glob("*.json"))
    for file in [json.loads(path.read_bytes())]
    for case in file["cases"]
}
TWICE_AT_ONCE = {"B06", "C03"}
"""A meter is read twice at the very same time: on an account the second reading contradicts."""


def filled(tariff: Json, policies: Json) -> Json:
    """The tariff with what the case says of it, under an id that no other document has."""
    told: Json = json.loads(json.dumps(tariff)) | {"tariff_id": f"{tariff['tariff_id']}-told"}
    for version in told["versions"]:
        version.setdefault("applies", policies.get("price_change", "split_by_days"))
        attribution = policies.get("period_attribution", "split_by_days")
        version["accumulation"].setdefault("period_attribution", attribution)
        for modifier in version.get("modifiers", []):
            modifier.setdefault("change", policies.get("modifier_change", "from_change_on"))
    return told


def own_case(name: str, desk: Desk) -> Case:
    case, tariff = OWN[name]
    return Case(desk, {"attributes": {}} | case, filled(tariff, case.get("policies", {})))


@pytest.mark.parametrize("name", sorted(OWN.keys() - TWICE_AT_ONCE))
def test_an_account_is_charged_what_a_case_of_our_own_says(name: str, sqlite_url: str) -> None:
    desk = Desk.at(sqlite_url)
    desk.clock.go("2040-01-01")
    case = own_case(name, desk)
    case.tell()
    minor_units = 10 ** minor_digits(case.tariff["currency"])
    charged = [Decimal(amount) / minor_units for amount in posted_minor(desk)]
    expected = [Decimal(each["amount"]) for each in case.case["expected"]["posted"]]
    assert list(filter(None, charged)) == list(filter(None, expected))
    desk.close()


@pytest.mark.parametrize("name", sorted(TWICE_AT_ONCE))
def test_two_readings_of_a_meter_at_one_time_contradict(name: str, sqlite_url: str) -> None:
    desk = Desk.at(sqlite_url)
    with pytest.raises(AssertionError, match="contradiction"):
        own_case(name, desk).tell()
    desk.close()


def test_a_bill_goes_on_over_a_meter_whose_last_reading_is_corrected_later(sqlite_url: str) -> None:
    desk = Desk.at(sqlite_url)
    first = own_case("B03", desk)
    case, events = first.case, first.case["events"]
    first.case = case | {"events": events[:3]}
    first.tell()
    replaced_at = instant(to_utc("America/Los_Angeles", "2025-03-15T00:00:00"))
    for shown in ("290", "300"):
        told_anew: Json = {"total": shown}
        command = CorrectReading(
            meter_no="M1", at=replaced_at, registers=told_anew, reason="mistyped"
        )
        correct_reading.handle(command, desk.ledger, ACTOR)
    for event in events[3:]:
        first.reading(event, to_utc("America/Los_Angeles", event["at"]))
    total = Decimal(case["expected"]["total"])
    assert Decimal(sum(posted_minor(desk))) / 100 == total
    desk.close()
