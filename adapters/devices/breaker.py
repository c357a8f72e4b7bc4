"""A breaker for each unit of a bus: whoever is silent is asked seldom, so that others are asked."""

from typing import Final

from ledger.devices import Garbled, NoAnswer, Offline, Outcome, Refused

TRIES: Final = 3
"""Unanswered requests in a row that open the breaker of a unit."""
FIRST_PAUSE_S: Final = 10.0
PAUSE_MAX_S: Final = 120.0
SILENT_BEHIND_GATEWAY: Final = frozenset({"gateway_path_unavailable", "gateway_target_silent"})


class Breakers:
    """Remembers only units that did not answer; times are the event loop's seconds."""

    def __init__(self) -> None:
        self._misses: dict[int, int] = {}
        self._closed_again_at: dict[int, float] = {}

    @property
    def open_units(self) -> tuple[int, ...]:
        """Units that are asked seldom."""
        return tuple(sorted(self._closed_again_at))

    def is_open(self, unit: int, now_s: float) -> bool:
        """Whether this unit is left alone for now; after its pause one request is let through."""
        return now_s < self._closed_again_at.get(unit, now_s)

    def note(self, unit: int, outcome: Outcome, now_s: float) -> None:
        """Count a silence, or forget them all at an answer; an absent gateway says nothing."""
        if _is_silence(outcome):
            misses = self._misses[unit] = self._misses.get(unit, 0) + 1
            if misses >= TRIES:
                pause_s = min(FIRST_PAUSE_S * 2.0 ** (misses - TRIES), PAUSE_MAX_S)
                self._closed_again_at[unit] = now_s + pause_s
        elif self._misses and not isinstance(outcome, Offline):
            self._misses.pop(unit, None)
            self._closed_again_at.pop(unit, None)


def _is_silence(outcome: Outcome) -> bool:
    if isinstance(outcome, Refused):
        return outcome.code in SILENT_BEHIND_GATEWAY
    return isinstance(outcome, NoAnswer | Garbled)
