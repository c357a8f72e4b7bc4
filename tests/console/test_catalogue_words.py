"""A tariff and a policy in people's words: every example of the docs, and each odd kind."""

from typing import Any

import msgspec
import pytest

from api.console import hours
from api.console.charges import Teller, rules
from api.console.differences import differences
from api.console.language import CATALOGS, Language
from api.console.policy_lines import policy_facts
from api.console.prices import price_tables
from ledger.aggregates.policy import TripLine
from ledger.aggregates.policy_windows import NoCutWindow
from ledger.pricing import TariffDocument, parse_tariff
from tests.harness.documents import energy, policy, tariff, version

ENGLISH, CHINESE = Language("en", "Asia/Shanghai"), Language("zh-CN", "Asia/Shanghai")
EXAMPLES = sorted((CATALOGS.parents[2] / "docs/tariffs").glob("*.json"))


def examples() -> dict[str, dict[str, Any]]:
    """Every tariff that the documentation gives as an example."""
    return {
        name: document
        for path in EXAMPLES
        for name, document in msgspec.json.decode(path.read_bytes())["tariffs"].items()
    }


def parsed(name: str) -> TariffDocument:
    return parse_tariff(examples()[name])


def with_charge(**charge: Any) -> TariffDocument:  # noqa: ANN401 - as the document names them
    return parse_tariff(tariff("t", version(energy(["0.5", "0.6"]), charge, bounds=["100"])))


def told(document: TariffDocument) -> list[str]:
    """What is said of the last charge."""
    charge = Teller(document, ENGLISH).charges(document.versions[0])[-1]
    return [charge.name, charge.text, *charge.notes]


@pytest.mark.parametrize("name", examples())
def test_every_example_is_told_in_both_languages(name: str) -> None:
    document = parsed(name)
    for language in (ENGLISH, CHINESE):
        for each in document.versions:
            assert price_tables(document, each, language)
            assert all(value for _, value in rules(document, each, language))
            teller = Teller(document, language)
            assert all(charge.text for charge in teller.modifiers(each))


def test_tiers_follow_each_other_and_each_has_its_price() -> None:
    document = parsed("cn-guangzhou-electricity")
    summer, winter = price_tables(document, document.versions[0], ENGLISH)
    assert (summer.title, winter.title) == ("May–Oct", "Other months")
    assert summer.heads == ["Energy"]
    assert summer.rows == [
        ("Up to 260 kWh", ["0.5890"]),
        ("260 – 600 kWh", ["0.6390"]),
        ("Above 600 kWh", ["0.8890"]),
    ]
    assert winter.rows[0] == ("Up to 200 kWh", ["0.5890"])


def test_registers_and_several_charges_are_columns() -> None:
    document = parsed("cn-shanghai-electricity-tou")
    (table,) = price_tables(document, document.versions[0], CHINESE)
    assert table.heads == ["峰", "谷"]
    assert table.rows[0] == ("3,120 kWh 及以下", ["0.6170", "0.3070"])
    water = parsed("cn-beijing-water")
    (table,) = price_tables(water, water.versions[0], ENGLISH)
    assert table.heads == ["Water", "Water resource fee", "Sewage fee"]
    assert table.rows[2] == ("Above 260 m³", ["6.0700", "1.5700", "1.3600"])


def test_prices_keep_every_digit_that_they_have() -> None:
    document = parsed("cn-shenzhen-electricity")
    prices = price_tables(document, document.versions[0], ENGLISH)[0].rows[0][1]
    assert prices == ["0.66286875"]


def test_hours_are_bands_that_fill_the_day() -> None:
    (band,) = hours.bands(parsed("cn-shanghai-electricity-tou").tou_calendar, ENGLISH)
    assert [(one.register, one.title) for one in band.stretches] == [
        ("valley", "Valley 00:00–06:00"),
        ("peak", "Peak 06:00–22:00"),
        ("valley", "Valley 22:00–24:00"),
    ]
    assert sum(one.width for one in band.stretches) == hours.WIDTH
    assert band.hours[0] == ("peak", "Peak", "06:00-22:00")


def test_each_kind_of_day_has_a_band_and_a_note_has_none() -> None:
    calendar: dict[str, str | dict[str, str]] = {
        "note": "from the notice",
        "holidays": "cn",
        "workday": {"peak": "08:00-12:00, 14:00-22:00", "valley": "22:00-08:00,12:00-14:00"},
        "weekend": {"valley": "00:00-24:00"},
    }
    names = [band.name for band in hours.bands(calendar, CHINESE)]
    assert names == ["工作日", "周末"]
    assert hours.notes(calendar, ENGLISH) == ["Holidays of the calendar: cn", "from the notice"]
    assert hours.bands(None, ENGLISH) == []


@pytest.mark.parametrize(
    ("charge", "said"),
    [
        (
            {"id": "basic", "kind": "fixed", "per": "month", "amount": "12.5"},
            ["Basic charge", "CN¥12.50 a month"],
        ),
        (
            {"id": "standing", "kind": "fixed", "per": "day", "amount": "0.6012"},
            ["Standing charge", "CN¥0.6012 a day"],
        ),
        (
            {
                "id": "basic",
                "kind": "fixed",
                "per": "period",
                "amount_by_tier_reached": ["910", "1600"],
            },
            [
                "Basic charge",
                ("CN¥910.00 / CN¥1,600.00 for each billing period · by the tier that is reached"),
            ],
        ),
        (
            {
                "id": "low_income_free",
                "kind": "free_quantity",
                "per_month": "15",
                "at_rate": "0.617",
                "when": {"attribute": "low_income", "eq": True},
            },
            [
                "Free quantity for low incomes",
                "15 kWh a month are paid back at CN¥0.617 each",
                "for: low income",
            ],
        ),
        (
            {"id": "vat", "kind": "percent", "of": ["energy"], "rate": "0.037", "gl": "tax:vat"},
            ["VAT", "3.7% of: Energy", "tax (vat)"],
        ),
        (
            {
                "id": "capacity",
                "kind": "capacity",
                "rate": "24",
                "per": "kva_month",
                "quantity_attribute": "transformer_kva",
            },
            ["Capacity", "CN¥24.00 a month for each kVA"],
        ),
        (
            {"id": "at_least", "kind": "minimum", "per": "month", "amount": "3"},
            ["at_least", "at least CN¥3.00 a month"],
        ),
    ],
    ids=["month", "all-digits", "tier-reached", "free", "percent", "capacity", "minimum"],
)
def test_a_fee_is_a_sentence(charge: dict[str, Any], said: list[str]) -> None:
    assert told(with_charge(**charge)) == said


def test_a_large_household_is_told_what_it_gains_and_since_when() -> None:
    document = parsed("cn-guangzhou-electricity")
    (modifier,) = Teller(document, ENGLISH).modifiers(document.versions[1])
    assert [modifier.name, modifier.text, *modifier.notes] == [
        "Large households",
        "every bound is 100 kWh a month higher",
        "where the number of people is at least 5",
        "from the next month on",
        "for 2 years",
    ]


def test_a_difference_names_its_place_in_words() -> None:
    old = tariff("t", version(energy(["0.5", "0.6"]), bounds=["100"]))
    new = tariff("t", version(energy(["0.5", "0.7"]), bounds=["120"]))
    assert differences(old, new, ENGLISH) == [
        ("prices from 2020-01-01 on · tier · 1 · up to", "100", "120"),
        ("prices from 2020-01-01 on · Energy · price · 2", "0.6", "0.7"),
    ]
    assert differences(old, old, CHINESE) == []


def test_what_came_is_told_by_its_particulars() -> None:
    old = tariff("t", version(energy(["0.5"])))
    fee = {"id": "basic", "kind": "fixed", "per": "month", "amount": "3"}
    found = differences(old, tariff("t", version(energy(["0.5"]), fee)), ENGLISH)
    assert ("prices from 2020-01-01 on · Basic charge · amount", "", "3") in found
    assert all(one.old == "" and "{" not in one.new for one in found)


def test_a_policy_is_told_by_its_levels() -> None:
    document = policy(remind_days=5, hysteresis_minor=1_00, restore_above_minor=2_00)
    facts = policy_facts(document, ENGLISH, "CNY")
    assert [tuple(line) for line in facts.levels] == [
        (
            "remind",
            "available is CN¥20.00 or less or money lasts for 5 days or less",
            "the customer is reminded",
            "over when available is above CN¥21.00 and the money lasts longer",
        ),
        (
            "warn",
            "available is CN¥10.00 or less",
            "the customer is warned",
            "over when available is above CN¥11.00",
        ),
        (
            "trip",
            "available is CN¥0.00 or less",
            "supply is cut off",
            "restored when available is above CN¥2.00",
        ),
    ]
    assert (facts.cuts, facts.hysteresis) == ("Electricity", "CN¥1.00")
    bare = policy_facts(policy(remind=None, warn=None, trip=None, cuts=()), CHINESE, "CNY")
    assert (bare.levels, bare.cuts) == ([], "无")


def test_no_cut_windows_and_the_grace_are_told() -> None:
    windows = (
        NoCutWindow(name="nights", hours="18:00-08:00"),
        NoCutWindow(name="days off", days=("fri", "weekend", "holiday"), holidays="cn"),
        NoCutWindow(name="Gaokao", first_day="06-07", last_day="06-10"),
        NoCutWindow(name="春", first_day="2027-02-05", last_day="2027-02-20", hours="00:00-24:00"),
    )
    trip = TripLine(available_minor=0, grace_hours=24)
    document = policy(no_cut_windows=windows).model_copy(update={"trip": trip})
    facts = policy_facts(document, ENGLISH, "CNY")
    assert facts.levels[-1].does == "supply is cut off after 24 hours of grace"
    assert [tuple(line) for line in facts.windows] == [
        ("nights", "every day", "18:00–08:00"),
        (
            "days off",
            "Friday, weekends, public holidays (calendar cn, known through 2026)",
            "all day",
        ),
        ("Gaokao", "every year from 06-07 to 06-10", "all day"),
        ("春", "from 2027-02-05 to 2027-02-20", "00:00–24:00"),
    ]
    chinese = policy_facts(document, CHINESE, "CNY")
    assert chinese.levels[-1].does == "宽限 24 小时后停止供应"
    assert chinese.windows[1].days == "星期五, 周末, 法定节假日 (日历 cn，有效至 2026 年)"


def test_windows_of_two_policies_are_compared_by_their_names() -> None:
    nights = NoCutWindow(name="nights", hours="18:00-08:00")
    later = NoCutWindow(name="nights", hours="20:00-08:00")
    weekends = NoCutWindow(name="weekends", days=("weekend",))
    old = policy(no_cut_windows=(nights,)).model_dump(mode="json")
    new = policy(no_cut_windows=(weekends, later)).model_dump(mode="json")
    assert [tuple(each) for each in differences(old, new, ENGLISH)] == [
        ("window nights · Hours", "18:00-08:00", "20:00-08:00"),
        ("window weekends · Name", "", "weekends"),
        ("window weekends · Days", "", "weekend"),
    ]
