"""Times as people write them: RFC 3339; without a zone they are local to the ledger."""

import re
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from ledger.values import instant, micros

_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)
TEXTS_MAX: Final = 100_000
"""So many distinct texts are remembered; a file of readings mostly repeats a few."""


def local_text(text: str, timezone: str) -> str:
    """A time as a clock on the wall of the site shows it; one without a zone is shown by it."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        return text.replace("T", " ")
    return f"{at.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S}"


class Times:
    """Reads times in one zone, each distinct text once."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._known: dict[str, int] = {}

    def micros(self, text: str) -> int:
        """Microseconds since 1970 UTC; ValueError says what is wrong."""
        at_us = self._known.get(text)
        if at_us is None:
            if len(self._known) >= TEXTS_MAX:
                self._known.clear()
            at_us = self._known[text] = self._read(text)
        return at_us

    def moment(self, text: str) -> datetime:
        """The same as a UTC datetime: one form for one instant, so that a repeat is known."""
        return instant(self.micros(text))

    def _read(self, text: str) -> int:
        if _TIME.fullmatch(text) is None:
            raise ValueError(f"a time such as 2026-11-22T10:00:00+08:00 is needed, not {text!r}")
        try:
            at = datetime.fromisoformat(text.upper())
            return micros(at if at.tzinfo is not None else self._local(at))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"there is no time {text!r}: {error}") from error

    def _local(self, at: datetime) -> datetime:
        """A wall-clock time in the zone; one that a change of the clocks skips does not exist."""
        local = at.replace(tzinfo=self._zone)
        if local.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != at:
            raise ValueError(f"clocks in {self._zone.key} skipped it")
        return local
