"""Both languages say everything: a text without a translation fails here, not on the page."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from api.console import words
from api.console.language import CATALOGS, LANGUAGES, SOURCE, Language, preferred
from ledger.events.registry import EVENT_TYPES

CONSOLE = CATALOGS.parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "count": (1, 2)}
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TRANSLATED = sorted(set(LANGUAGES) - {SOURCE})


def _texts() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(str(CONSOLE), METHODS, {}, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


def _messages(code: str) -> dict[str | tuple[str, ...], Message]:
    with (CATALOGS / f"{LANGUAGES[code]}.po").open("rb") as file:
        entries = read_po(file, locale=LANGUAGES[code])
    return {
        tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id: message
        for message in entries
        if message.id
    }


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated_and_nothing_else_is_kept(code: str) -> None:
    texts, messages = _texts(), _messages(code)
    assert len(texts) > 200, "the extraction finds the texts"
    empty = {text for text, message in messages.items() if not _translations(message)}
    assert not texts - messages.keys(), "not in the catalog"
    assert not messages.keys() - texts, "no longer in the sources"
    assert not empty, "without a translation"


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_fills_in_the_same_values(code: str) -> None:
    wrong = {
        text
        for text, message in _messages(code).items()
        for said in _translations(message)
        if set(PLACEHOLDER.findall(said)) != set(PLACEHOLDER.findall(_last(text)))
    }
    assert not wrong


def test_the_sources_are_english() -> None:
    chinese = {text for text in _texts() if CHINESE.search(_last(text))}
    assert not chinese


def test_every_fact_of_an_account_has_a_word() -> None:
    bare = {topic.rpartition(".")[0] for topic in EVENT_TYPES if topic.startswith("account.")}
    assert not bare - words.TOPICS.keys()


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert words.word(words.LEVELS, "new_level") == "new_level"
    assert words.topic_word("account.brand_new.v2") == "account.brand_new"


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh", "zh-CN"),
        ("en-GB,en;q=0.9", "en"),
        ("fr,en;q=0.5", "en"),
        ("fr", "zh-CN"),
        ("", "zh-CN"),
    ],
)
def test_the_browser_says_which_language_it_prefers(accepted: str, code: str) -> None:
    assert preferred(accepted) == code


def test_money_keeps_an_ascii_minus_and_its_currency_in_both_languages() -> None:
    chinese, english = Language("zh-CN", "Asia/Shanghai"), Language("en", "Asia/Shanghai")
    assert chinese.money(-123_456, "CNY") == "-¥1,234.56"
    assert english.money(-123_456, "CNY") == "-CN¥1,234.56"
    assert english.money(500, "JPY") == "¥500"
    assert chinese.money(0, "CNY") == "¥0.00"


@given(st.integers(-(10**15), 10**15), st.sampled_from(["CNY", "JPY", "USD", "GBP", "KWD", "XYZ"]))
def test_any_amount_is_written_as_its_language_writes_it(amount: int, currency: str) -> None:
    major = Decimal(amount).scaleb(-get_currency_precision(currency))
    for code, name in LANGUAGES.items():
        told = str(format_currency(major, currency, locale=name))
        assert Language(code, "UTC").money(amount, currency) == told.replace("\xa0", "")
        assert Language(code, "UTC").number(amount) == format_decimal(amount, locale=name)


def test_times_are_those_of_the_site() -> None:
    language = Language("en", "Asia/Shanghai")
    assert language.time("2026-11-22T02:00:03Z") == "2026-11-22 10:00:03"
    assert language.time(0) == "1970-01-01 08:00:00"


def test_quantities_have_the_digits_of_a_bill() -> None:
    language = Language("zh-CN", "Asia/Shanghai")
    assert language.quantity("1234.5", "kWh") == "1,234.50 kWh"
    assert language.quantity("0.253", "m³") == "0.253 m³"


def test_one_thing_and_many_things_are_told_apart() -> None:
    english = Language("en", "UTC")
    one, many = "%(number)s reading", "%(number)s readings"
    assert english.count(one, many, 1) == "1 reading"
    assert english.count(one, many, 1_200) == "1,200 readings"
    assert Language("zh-CN", "UTC").count(one, many, 2) == "2 次抄表"


def _translations(message: Message) -> list[str]:
    said = message.string or ""
    return [one for one in ([said] if isinstance(said, str) else said) if one]


def _last(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[-1]


def test_catalogs_lie_beside_the_pages() -> None:
    assert {path.name for path in Path(CATALOGS).iterdir()} == {
        f"{LANGUAGES[code]}.po" for code in TRANSLATED
    }
