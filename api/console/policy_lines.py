"""A control policy in people's words: each level with its lines, and when it is over again."""

from typing import NamedTuple

from api.console import words
from api.console.language import Language
from api.console.window_lines import WindowLine, window_line
from api.console.words import N_
from ledger.aggregates.policy import PolicyDocument


class LevelLine(NamedTuple):
    """A level: when it holds, what happens then, and what ends it."""

    level: str
    begins: str
    does: str
    ends: str


class PolicyFacts(NamedTuple):
    """What a policy says."""

    levels: list[LevelLine]
    cuts: str
    hysteresis: str
    windows: list[WindowLine]
    """When nobody is cut."""


class Speak(NamedTuple):
    """A language that knows the currency of the ledger."""

    language: Language
    currency: str

    def say(self, text: str, **values: object) -> str:
        """A sentence of the catalog."""
        return self.language.say(text, **values)

    def money(self, amount_minor: int) -> str:
        """An amount of the ledger's currency."""
        return self.language.money(amount_minor, self.currency)


def policy_facts(document: PolicyDocument, language: Language, currency: str) -> PolicyFacts:
    """The levels that a policy knows, the first to hold first."""
    speak = Speak(language, currency)
    say = speak.say
    does = {
        "remind": say(N_("the customer is reminded")),
        "warn": say(N_("the customer is warned")),
        "trip": _cut(document, speak),
    }
    days = {
        "remind": document.remind.days_left if document.remind else None,
        "warn": document.warn.days_left if document.warn else None,
        "trip": None,
    }
    lines = dict(zip(does, document.lines_minor(), strict=True))
    levels = [
        LevelLine(
            level,
            _begins(line, days[level], speak),
            does[level],
            _ends(document, level, line, days[level], speak),
        )
        for level, line in lines.items()
        if line is not None or days[level] is not None
    ]
    cuts = ", ".join(say(words.word(words.KINDS, kind)) for kind in document.cuts)
    slack = speak.money(document.hysteresis_minor)
    windows = [window_line(window, language) for window in document.no_cut_windows]
    return PolicyFacts(levels, cuts or say(N_("nothing")), slack, windows)


def _cut(document: PolicyDocument, speak: Speak) -> str:
    grace = document.trip.grace_hours if document.trip else 0
    if not grace:
        return speak.say(N_("supply is cut off"))
    return speak.language.count(
        "supply is cut off after %(number)s hour of grace",
        "supply is cut off after %(number)s hours of grace",
        grace,
    )


def _begins(line: int | None, days: int | None, speak: Speak) -> str:
    parts = []
    if line is not None:
        amount = speak.money(line)
        parts.append(speak.say(N_("available is %(amount)s or less"), amount=amount))
    if days is not None:
        parts.append(
            speak.language.count(
                "money lasts for %(number)s day or less",
                "money lasts for %(number)s days or less",
                days,
            )
        )
    return speak.say(N_(" or ")).join(parts)


def _ends(
    document: PolicyDocument, level: str, line: int | None, days: int | None, speak: Speak
) -> str:
    if level == "trip":
        return speak.say(
            N_("restored when available is above %(amount)s"),
            amount=speak.money(document.restore_minor()),
        )
    if line is None:
        return speak.say(N_("over when the money lasts longer"))
    over = speak.say(
        N_("over when available is above %(amount)s"),
        amount=speak.money(line + document.hysteresis_minor),
    )
    return over if days is None else speak.say(N_("%(over)s and the money lasts longer"), over=over)
