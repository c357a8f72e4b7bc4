"""A draft tried on accounts that buy units: what payments would have bought, and use cost."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates.account.units import total_of
from ledger.commands.assign import AssignTariff, assign_tariff
from ledger.commands.correct_reading import CorrectReading, handle
from ledger.commands.quantities import decimal_text
from ledger.events import account as facts
from tests.harness.desk import ACTOR, Desk, Json, moment, point
from tests.harness.documents import FLAT, energy, sold, tariff, version
from tests.views.test_previews import preview

KWH = 1_000
Step = tuple[str, int, int]
DAYS = st.integers(2, 27)
STEPS = st.one_of(
    st.tuples(st.just("pay"), DAYS, st.integers(98_00, 500_00)),
    st.tuples(st.just("read"), DAYS, st.integers(0, 90_000)),
    st.tuples(st.just("late"), DAYS, st.integers(0, 100)),
    st.tuples(st.just("correct"), DAYS, st.integers(0, 9_000)),
    st.tuples(st.just("reverse"), DAYS, st.integers(0, 5)),
)


def dearer() -> Json:
    """Half as much again for each unit, and 120.00 before the first one of a month."""
    draft = sold()
    basic, priced = draft["versions"][0]["charges"]
    basic["amount"] = "120.00"
    priced["rates"] = ["1.47", "1.905", "3.285"]
    return draft


class Household:
    """A1 buys units for its meter M1, and is read."""

    def __init__(self, document: Json) -> None:
        self.desk = Desk.at("sqlite://")
        self.desk.publish(document)
        self.desk.open("A1", point("M1", "sold"))
        self.shown: dict[str, int] = {}
        self.receipts: list[str] = []

    def live(self, steps: list[Step]) -> "Household":
        """Months pass by; what cannot be done is left out, under whatever tariff."""
        for number, (kind, day, value) in enumerate(steps):
            at = f"2026-{2 + number // 4:02}-{day:02}"
            last = max(self.shown, default="2026-01-01")
            match kind:
                case "pay":
                    paid = self.desk.recharge("A1", value, paid_at=moment(at))
                    self.receipts.append(paid["receipt_no"])
                case "read" if at > last:
                    self.shown[at] = self.shown.get(last, 0) + value
                    assert self.desk.read("M1", at, self.shown[at])["accepted"] == 1
                case "late" if last > "2026-01-20":
                    first = min(self.shown)
                    total = self.shown[first] * value // 100
                    self.desk.read("M1", "2026-01-15", total)
                case "correct" if last in self.shown:
                    self.shown[last] += value
                    told = {"total": f"{self.shown[last] / KWH:.3f}"}
                    correct = {"meter_no": "M1", "at": moment(last), "registers": told}
                    command = CorrectReading.model_validate(correct | {"reason": "mistyped"})
                    handle(command, self.desk.ledger, ACTOR)
                case "reverse" if value < len(self.receipts):
                    self.desk.reverse(self.receipts.pop(value))
                case _:
                    pass
        return self

    def bought(self) -> str:
        """Units that payments brought, less those that went back, in kWh."""
        units = 0
        for fact in self.desk.facts("A1"):
            match fact:
                case facts.UnitsSold():
                    units += fact.units.quantity
                case facts.UnitsReturned():
                    units -= fact.units.quantity
                case _:
                    pass
        return decimal_text(units)

    def charged(self) -> int:
        """What was charged in the end, with each purchase or with use."""
        total = 0
        for fact in self.desk.facts("A1"):
            if isinstance(fact, facts.AccountCharged | facts.ChargeCorrected):
                total += fact.amount_minor
            elif isinstance(fact, facts.UnitsSold | facts.UnitsReturned):
                total += total_of(fact.lines)
        return total


@settings(max_examples=20)
@given(st.lists(STEPS, min_size=3, max_size=12))
def test_a_draft_is_what_the_same_payments_and_readings_would_have_come_to(
    steps: list[Step],
) -> None:
    here, there = Household(sold()).live(steps), Household(dearer()).live(steps)
    same: dict[str, Any] = preview(here.desk, sold())
    assert same["refused"] == {}
    assert same["before_minor"] == same["after_minor"] == here.charged()
    assert (same["winners"], same["losers"]) == (0, 0)
    if same["units"] is not None:
        assert (same["units"]["before"], same["units"]["after"]) == (here.bought(), here.bought())
        assert (same["units"]["difference"], same["units"]["largest"]) == ("0", [])
    for crossed in ("warned", "disconnected"):
        assert same[crossed]["newly"] == same[crossed]["no_longer"] == []
    other = preview(here.desk, dearer())
    assert other["refused"] == {}
    assert (other["before_minor"], other["after_minor"]) == (here.charged(), there.charged())
    if other["units"] is not None:
        units = other["units"]
        assert (units["before"], units["after"]) == (here.bought(), there.bought())
    renamed = preview(here.desk, dearer() | {"tariff_id": "draft"}, instead_of="sold")
    assert renamed["after_minor"] == there.charged()
    here.desk.close()
    there.desk.close()


def test_who_runs_out_of_units_under_a_draft_is_named(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    desk.recharge("A1", 200_00, paid_at=moment("2026-03-02"))
    desk.read("M1", "2026-03-20", 60 * KWH)
    assert preview(desk, sold())["disconnected"]["before"] == 0
    body = preview(desk, dearer())
    assert body["disconnected"] == {"before": 0, "after": 1, "newly": ["A1"], "no_longer": []}


def test_what_payments_would_have_bought_is_told_of_all_and_of_each(desk: Desk) -> None:
    desk.publish(sold())
    for number, paid in (("A1", 147_00), ("A2", 398_00)):
        desk.open(number, point(f"M{number}", "sold"))
        desk.recharge(number, paid, paid_at=moment("2026-03-02"))
    body = preview(desk, dearer())
    assert body["units"] == {
        "accounts": 2,
        "before": "297.6",
        "after": "175.7",
        "difference": "-121.9",
        "largest": [
            {"account_no": "A2", "before": "247.6", "after": "157.3", "difference": "-90.3"},
            {"account_no": "A1", "before": "50", "after": "18.4", "difference": "-31.6"},
        ],
    }
    desk.open("A3", point("M3"))
    desk.read("M3", "2026-03-20", KWH)
    assert preview(desk, FLAT)["units"] is None


def test_a_draft_that_charges_readings_is_tried_on_units(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    desk.recharge("A1", 147_00, paid_at=moment("2026-03-02"))
    desk.read("M1", "2026-03-20", 50 * KWH)
    by_reading = tariff("sold", version(energy(["2"])))
    body = preview(desk, by_reading)
    assert (body["before_minor"], body["after_minor"]) == (147_00, 100_00)
    assert (body["units"]["before"], body["units"]["after"]) == ("50", "0")


def test_accounts_that_pay_by_reading_are_not_tried_under_a_draft_that_sells(desk: Desk) -> None:
    desk.open("A1", point("M1"))
    desk.read("M1", "2026-03-20", 50 * KWH)
    body = preview(desk, sold(), instead_of="flat")
    assert body["refused"] == {"sold_in_units": 1}


def test_units_that_go_back_with_another_tariff_are_those_of_the_draft(desk: Desk) -> None:
    desk.publish(sold())
    desk.open("A1", point("M1", "sold"))
    desk.recharge("A1", 398_00, paid_at=moment("2026-03-02"))  # 247.6 kWh for 300.00
    desk.read("M1", "2026-03-20", 50 * KWH)
    assign_tariff(AssignTariff(account_no="A1", tariff_id="flat"), desk.ledger, ACTOR)
    desk.read("M1", "2026-03-25", 60 * KWH)
    same = preview(desk, sold())
    assert same["before_minor"] == same["after_minor"] == 98_00 + 60_58
    body = preview(desk, dearer())
    assert body["after_minor"] == 120_00 + 88_37
