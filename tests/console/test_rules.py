"""What a decision looked at is told in amounts and words; the log keeps minor units."""

import re

import pytest

from api.console.language import Language
from api.console.rules import told_rule
from ledger.aggregates.account.control import decide_level
from tests.harness.documents import policy
from tests.harness.past import added, adjusted, an_account, the_point

ENGLISH = Language("en", "Asia/Shanghai")
CHINESE = Language("zh-CN", "Asia/Shanghai")
TERMS = policy(hysteresis_minor=5_00, warn_days=3).terms(1)


def rules() -> list[str]:
    """Every rule of a decision by a policy that has all of them."""
    account = an_account(added(), adjusted(-24_73, -24_73))
    (decision,) = decide_level(account, the_point(account), TERMS, 0)
    return [rule.rule for rule in decision.trace.rules]


def test_a_rule_is_told_in_amounts_and_words() -> None:
    assert told_rule("available -2473 <= trip 0", ENGLISH, "CNY") == (
        "Available -CN¥24.73 ≤ Cut off CN¥0.00"
    )
    assert told_rule("available -2473 > restore 0", CHINESE, "CNY") == (
        "可用余额 -¥24.73 > 复电线 ¥0.00"
    )
    assert told_rule("available 1 <= warn 1000 + hysteresis 500", ENGLISH, "CNY") == (
        "Available CN¥0.01 ≤ Warning CN¥10.00 + CN¥5.00"
    )


@pytest.mark.parametrize("language", [ENGLISH, CHINESE], ids=lambda language: language.code)
def test_every_rule_of_a_decision_has_its_words(language: Language) -> None:
    assert len(rules()) == 8
    for rule in rules():
        told = told_rule(rule, language, "CNY")
        assert told != rule
        assert not re.search(r"<=|_|-2473", told)


def test_a_rule_of_a_kind_that_is_not_known_stays_as_it_stands() -> None:
    assert told_rule("moon is full", CHINESE, "CNY") == "moon is full"


def test_what_puts_a_trip_off_is_told_with_its_end_on_local_clocks() -> None:
    until = "until 2026-11-24T00:00:00Z"
    assert told_rule(f"no-cut window nights {until}", ENGLISH, "CNY") == (
        "Nobody is cut: nights, until 2026-11-24 08:00:00"
    )
    assert told_rule(f"no-cut window grace {until}", CHINESE, "CNY") == (
        "保电时段：宽限期，至 2026-11-24 08:00:00"
    )
    assert told_rule("no-cut window open", CHINESE, "CNY") == "正处于保电时段"
