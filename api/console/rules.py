"""The rules of a decision as a person reads them; the log keeps them in minor units."""

import re
from typing import Final

from api.console import words
from api.console.language import Language
from api.console.words import N_

LINES: Final = words.LEVELS | {"restore": N_("Restore line")}
MONEY: Final = re.compile(r"available (-?\d+) (<=|>) (\w+) (-?\d+)(?: \+ hysteresis (\d+))?")
DAYS: Final = re.compile(r"days_left (\d+) <= (\w+)_days (\d+)")
WINDOW: Final = re.compile(r"no-cut window (.+) until (\S+Z)")
NO_WINDOW: Final = "no-cut window open"
MAY_CUT: Final = re.compile(r"policy may cut (\w+)")


def told_rule(rule: str, language: Language, currency: str) -> str:
    """A rule with amounts and words; one of a kind that is not known here stays as it stands."""
    if found := MONEY.fullmatch(rule):
        available, sign, line, limit, slack = found.groups()
        text = _compared(
            language.say(N_("Available")),
            language.money(int(available), currency),
            sign,
            _line(line, language),
            language.money(int(limit), currency),
        )
        return f"{text} + {language.money(int(slack), currency)}" if slack else text
    if found := DAYS.fullmatch(rule):
        left, line, limit = found.groups()
        return _compared(language.say(N_("Days left")), left, "<=", _line(line, language), limit)
    if found := MAY_CUT.fullmatch(rule):
        kind = language.say(words.word(words.KINDS, found[1]))
        return language.say(N_("The policy may cut this supply: %(kind)s"), kind=kind)
    if rule == NO_WINDOW:
        return language.say(N_("A window is open in which nobody is cut"))
    if found := WINDOW.fullmatch(rule):
        name, until = language.say(words.word(words.HELD_BY, found[1])), language.time(found[2])
        return language.say(
            N_("Nobody is cut: %(window)s, until %(time)s"), window=name, time=until
        )
    return rule


def _compared(what: str, value: str, sign: str, line: str, limit: str) -> str:
    return f"{what} {value} {'≤' if sign == '<=' else sign} {line} {limit}"


def _line(name: str, language: Language) -> str:
    return language.say(words.word(LINES, name))
