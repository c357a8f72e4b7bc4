"""What is decided about supply and ordered for it, each fact as a line of an account's timeline."""

from typing import Any

from api.console import words
from api.console.language import Language
from api.console.words import N_

Json = dict[str, Any]


def decided(payload: Json, language: Language) -> str:
    """The rule in force, and what it looked at."""
    trace = payload["trace"]
    policy = language.say(
        N_("policy %(policy)s v%(version)s"),
        policy=trace["policy_id"],
        version=trace["policy_version"],
    )
    levels = " → ".join(
        language.say(words.word(words.LEVELS, trace[key]))
        for key in ("level_before", "level_after")
    )
    return f"{point(payload, language)} · {levels} · {policy}"


def postponed(payload: Json, language: Language) -> str:
    """What puts the trip off, and until when."""
    until = language.say(N_("put off until %(time)s"), time=language.time(payload["due_us"]))
    names = ", ".join(language.say(words.word(words.HELD_BY, name)) for name in payload["held_by"])
    return f"{decided(payload, language)} · {names} · {until}"


def point(payload: Json, language: Language) -> str:
    """A service point; one that has the name of its kind is called so."""
    return language.say(words.word(words.KINDS, payload["point"]))


def reasoned(payload: Json, language: Language) -> str:
    """A point, and why."""
    return f"{point(payload, language)} · {payload['reason']}"


def installed(payload: Json, language: Language) -> str:
    """A meter that counts for the account: its tariff and its policy."""
    kind = words.word(words.KINDS, payload["service_kind"])
    parts = (payload["meter_no"], language.say(kind), payload["tariff_id"], payload["policy_id"])
    return " · ".join(parts)


def commanded(payload: Json, language: Language) -> str:
    """What the meter of a point was told."""
    kind = words.word(words.ORDERS, payload["kind"])
    return f"{point(payload, language)} · {language.say(kind)}"


def confirmed(payload: Json, language: Language) -> str:
    """What a meter shows."""
    actual = words.word(words.SUPPLY, payload["actual"])
    return f"{payload['meter_no']} · {language.say(actual)}"
