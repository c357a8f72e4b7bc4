"""The timeline of an account: events as sentences, readings folded into one line."""

from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final, NamedTuple

from api.console import words
from api.console.language import UNIT_OF, Language
from api.console.supply_lines import (
    commanded,
    confirmed,
    decided,
    installed,
    point,
    postponed,
    reasoned,
)
from api.console.words import N_
from ledger.commands.quantities import decimal_text
from ledger.queries import EventsAsked, Page

Json = dict[str, Any]
SHOWN: Final = 50
"""Lines on a page, about: those that fold away do not count."""
READ_MAX: Final = 2_000
"""Events that one page looks at, however many of them fold into a line."""

FILTERS: Final = {
    "money": (
        N_("Money"),
        (
            "account.credited",
            "account.credit_reversed",
            "account.adjusted",
            "account.units_sold",
            "account.units_returned",
        ),
    ),
    "supply": (
        N_("Supply"),
        (
            "account.reminded",
            "account.warned",
            "account.warning_cancelled",
            "account.supply_trip_postponed",
            "account.supply_trip_ordered",
            "account.supply_restore_ordered",
            "account.supply_commanded",
            "account.supply_confirmed",
            "account.supply_mismatch_found",
            "account.supply_mismatch_settled",
            "account.guarantee_started",
            "account.guarantee_ended",
            "account.dispute_held",
            "account.dispute_released",
        ),
    ),
    "usage": (
        N_("Usage"),
        ("account.charged", "account.charge_corrected", "account.fixed_fee_charged"),
    ),
}
"""Name of a filter: its word, and the topics that it lets through."""
OUTGOING: Final = frozenset(
    {
        "account.charged",
        "account.charge_corrected",
        "account.fixed_fee_charged",
        "account.credit_reversed",
        "account.units_sold",
    }
)
"""Their amounts leave the account."""
CHARGED: Final = "account.charged."
TONES: Final = {
    "account.credited": "good",
    "account.credit_reversed": "bad",
    "account.reminded": "remind",
    "account.warned": "warn",
    "account.warning_cancelled": "good",
    "account.supply_trip_postponed": "warn",
    "account.supply_trip_ordered": "bad",
    "account.supply_restore_ordered": "good",
    "account.supply_confirmed": "info",
    "account.supply_commanded": "info",
    "account.supply_mismatch_found": "bad",
}


class Line(NamedTuple):
    """One event as a person reads it."""

    position: str
    version: int
    at: str
    recorded_at: str
    word: str
    tone: str
    text: str
    amount_minor: int | None
    balance_minor: int | None
    body: Json


class Fold(NamedTuple):
    """Readings between two other events as one line that opens."""

    lines: Sequence[Line]
    text: str
    amount_minor: int

    @property
    def first(self) -> Line:
        """The newest of them."""
        return self.lines[0]


Entry = Line | Fold


def read_back(ask: Callable[[EventsAsked], Page], asked: EventsAsked, *, is_folded: bool) -> Page:
    """Events enough for a page of shown lines; the cursor is behind the last of them."""
    page = ask(asked)
    events = list(page.items)
    while page.cursor and len(events) < READ_MAX:
        if shown_count(events, is_folded=is_folded) >= SHOWN:
            break
        page = ask(asked._replace(cursor=page.cursor))
        events += page.items
    return Page(events, page.cursor)


def shown_count(events: Sequence[Json], *, is_folded: bool) -> int:
    """How many lines `told` makes of them."""
    if not is_folded:
        return len(events)
    readings = [event["topic"].startswith(CHARGED) for event in events]
    return sum(1 if is_usage else len(list(group)) for is_usage, group in groupby(readings))


def told(events: Sequence[Json], language: Language, *, is_folded: bool) -> list[Entry]:
    """Events in the order given; neighbouring readings as one entry where that is wanted."""
    entries: list[Entry] = []
    for is_usage, group in groupby(events, key=lambda e: e["topic"].startswith(CHARGED)):
        lines = [_line(event, language) for event in group]
        if is_usage and is_folded and len(lines) > 1:
            entries.append(_fold(lines, language))
        else:
            entries += lines
    return entries


def _line(event: Json, language: Language) -> Line:
    payload, topic = event["payload"], event["topic"].rpartition(".")[0]
    sentence = _SENTENCES.get(topic)
    text = sentence(payload, language) if sentence else _leftover(payload)
    return Line(
        position=f"{event['shard']}:{event['position']}",
        version=event["version"],
        at=event["valid_at"],
        recorded_at=event["recorded_at"],
        word=language.say(words.topic_word(event["topic"])),
        tone=TONES.get(topic, ""),
        text=text,
        amount_minor=_amount(topic, payload),
        balance_minor=_balance(payload),
        body=event,
    )


def _fold(lines: Sequence[Line], language: Language) -> Fold:
    used: dict[str, int] = {}
    for line in lines:
        unit = line.body["payload"]["unit"]
        used[unit] = used.get(unit, 0) + _used(line.body["payload"])
    quantities = " + ".join(
        language.quantity(decimal_text(quantity), UNIT_OF[unit]) for unit, quantity in used.items()
    )
    readings = language.count("%(number)s reading", "%(number)s readings", len(lines))
    return Fold(lines, f"{readings} · {quantities}", sum(line.amount_minor or 0 for line in lines))


def _used(payload: Json) -> int:
    """Wh or litres; `total` counts where the meter has no registers by time of use."""
    return sum(int(values[2]) for values in payload["registers"].values())


def _amount(topic: str, payload: Json) -> int | None:
    amount = payload.get("amount_minor")
    if amount is None:
        return None
    return -int(amount) if topic in OUTGOING else int(amount)


def _balance(payload: Json) -> int | None:
    """Money available after the event, where it says so."""
    if "balance_after_minor" in payload:
        return int(payload["balance_after_minor"]) + int(payload["granted_after_minor"])
    trace = payload.get("trace")
    return int(trace["available_minor"]) if trace else None


def _leftover(payload: Json) -> str:
    """What an event without a sentence of its own is about."""
    plain = (
        f"{name} {value}"
        for name, value in payload.items()
        if name not in {"account_no", "personal"} and isinstance(value, str | int) and value != ""
    )
    return " · ".join(plain)


def _charged(payload: Json, language: Language) -> str:
    quantity = language.quantity(decimal_text(_used(payload)), UNIT_OF[payload["unit"]])
    return f"{payload['meter_no']} · {quantity} · {payload['tariff_id']}"


def _fixed(payload: Json, language: Language) -> str:
    day = date.fromordinal(payload["day"]).isoformat()
    return f"{point(payload, language)} · {day} · {payload['tariff_id']}"


def _credited(payload: Json, language: Language) -> str:
    channel = words.word(words.CHANNELS, payload["channel"])
    receipt = language.say(N_("receipt %(number)s"), number=payload["receipt_no"])
    return f"{language.say(channel)} · {receipt}"


def _reversed(payload: Json, language: Language) -> str:
    return f"{_credited(payload, language)} · {payload['reason']}"


def _adjusted(payload: Json, language: Language) -> str:
    wallet = words.word(words.WALLETS, payload["wallet"])
    return f"{language.say(wallet)} · {payload['reason']}"


def _units(payload: Json, language: Language) -> str:
    """What was bought or returned, and by which receipt."""
    quantity = decimal_text(payload["units"]["quantity"])
    parts = [point(payload, language), language.quantity(quantity, UNIT_OF[payload["unit"]])]
    if payload["receipt_no"]:
        parts.append(language.say(N_("receipt %(number)s"), number=payload["receipt_no"]))
    return " · ".join(parts)


_SENTENCES: Final[dict[str, Callable[[Json, Language], str]]] = {
    "account.charged": _charged,
    "account.credited": _credited,
    "account.credit_reversed": _reversed,
    "account.adjusted": _adjusted,
    "account.units_sold": _units,
    "account.units_returned": _units,
    "account.reminded": decided,
    "account.warned": decided,
    "account.warning_cancelled": decided,
    "account.supply_trip_postponed": postponed,
    "account.supply_trip_ordered": decided,
    "account.supply_restore_ordered": decided,
    "account.supply_commanded": commanded,
    "account.supply_confirmed": confirmed,
    "account.supply_mismatch_found": confirmed,
    "account.supply_mismatch_settled": confirmed,
    "account.service_point_added": installed,
    "account.charge_corrected": reasoned,
    "account.fixed_fee_charged": _fixed,
    "account.guarantee_started": reasoned,
    "account.guarantee_ended": reasoned,
    "account.dispute_held": reasoned,
    "account.dispute_released": reasoned,
}
