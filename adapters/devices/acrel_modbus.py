"""Driver of Acrel's prepaid meters DDSY1352, DTSY1352 and ADF300L (one unit a circuit) on Modbus.

The relay has three states of command, not two: forced open, forced closed, and left to the meter's
own logic. A meter left forced closed ignores its own balance: that is what a guarantee (保电) is.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from adapters.devices.acrel_block import ADDRESS, WORDS, AcrelBlock
from adapters.devices.line import Line
from ledger.devices import (
    OBEYED,
    MeterState,
    Ok,
    Order,
    OrderKind,
    Outcome,
    Refused,
)

MODELS: Final = ("DDSY1352", "DTSY1352", "ADF300L")
Force = tuple[int, int]
TRIP: Final[Force] = (1, 1)
FORCE_CLOSED: Final[Force] = (1, 0)
RELEASE: Final[Force] = (0, 0)
FORCES: Final[dict[OrderKind, Force]] = {
    "trip": TRIP,
    "guarantee": FORCE_CLOSED,
    "end_guarantee": RELEASE,
    "close_permit": RELEASE,
}
"""What is written to `force_enable` and `force_open`. A permit leaves the relay to the meter, which
closes it at once or when the customer presses the button."""
CASE: Final = "switch_off_own_prepayment"
"""Flag of a meter forced closed because it deducts beside the platform: a case for people."""
POLL_STARTS: Final = range(ADDRESS, ADDRESS + 5)
VERIFY_STARTS: Final = range(ADDRESS + 5, ADDRESS + 21)
"""Where windows of the block may begin: each has its own length, so none is taken for another."""


class AcrelModbus:
    """One model on one line. `clock` gives UTC microseconds, `timezone` is that of the meters."""

    def __init__(
        self, line: Line, model: str, clock: Callable[[], int], timezone: ZoneInfo
    ) -> None:
        self._line = line
        self._block = AcrelBlock(model, timezone)
        self._force = self._block.map.field("force_enable").address
        self._clock = clock
        self._model = model
        self._windows: dict[int, tuple[int, int]] = {}
        """Units that were silent: the place of their next window, and how many are still to go."""
        self._verify_starts: Iterator[int] = cycle(VERIFY_STARTS)
        self._doubtful: set[int] = set()

    def capabilities(self) -> frozenset[str]:
        """What the model obeys; the meters of a multi-circuit box are its circuits."""
        return OBEYED[self._model] | ({"per_circuit"} if self._model == "ADF300L" else set())

    async def read(self, unit: int) -> Outcome:
        """The whole summary block; while a late reply may come, windows that it does not fit."""
        place, left = self._windows.get(unit, (0, 0))
        outcome = await self._window(unit, POLL_STARTS[place])
        if not isinstance(outcome, Ok | Refused):
            left = len(POLL_STARTS)
        if left:
            self._windows[unit] = ((place + 1) % len(POLL_STARTS), left - 1)
        else:
            self._windows.pop(unit, None)
        return outcome

    async def execute(self, unit: int, order: Order) -> Outcome:
        """Write the relay's words once; `close` looks first at who deducts."""
        if order.kind == "recall":
            return await self.read(unit)
        if order.kind not in self.capabilities():
            return Refused("not_supported")
        if order.kind == "close":
            return await self._close(unit, order)
        return await self._write(unit, FORCES[order.kind], order)

    async def verify(self, unit: int, order: Order) -> Outcome:
        """Read a window of a length of its own, twice where an answer is still out."""
        if unit in self._doubtful:
            outcome = await self._window(unit, next(self._verify_starts))
            if not isinstance(outcome, Ok):
                return outcome
        outcome = await self._window(unit, next(self._verify_starts))
        if not isinstance(outcome, Ok) or outcome.state is None:
            return outcome
        self._doubtful.discard(unit)
        return Ok(_with_case(outcome.state, order))

    async def _close(self, unit: int, order: Order) -> Outcome:
        """Release, but force a meter that deducts for itself what the platform deducts already."""
        outcome = await self.read(unit)
        if not isinstance(outcome, Ok) or outcome.state is None:
            return outcome
        state = outcome.state
        words = FORCE_CLOSED if _deducts_twice(state, order) else RELEASE
        done = await self._write(unit, words, order)
        return Ok(_with_case(state, order)) if isinstance(done, Ok) else done

    async def _write(self, unit: int, words: Force, order: Order) -> Outcome:
        if order.expires_at_us is not None and order.expires_at_us <= self._clock():
            return Refused("expired")
        return self._noted(unit, await self._line.write(unit, self._force, words))

    async def _window(self, unit: int, start: int) -> Outcome:
        answer = await self._line.read(unit, start, ADDRESS + WORDS - start)
        if isinstance(answer, list):
            return Ok(self._block.state(start, answer, self._clock()))
        return self._noted(unit, answer)

    def _noted(self, unit: int, outcome: Outcome) -> Outcome:
        """Remember that an answer of this unit may still be on its way."""
        if not isinstance(outcome, Ok | Refused):
            self._doubtful.add(unit)
        return outcome


def _deducts_twice(state: MeterState, order: Order) -> bool:
    held_by = (order.argument or {}).get("held_by", "platform")
    return bool(state.own_prepayment) and held_by == "platform"


def _with_case(state: MeterState, order: Order) -> MeterState:
    if order.kind != "close" or not _deducts_twice(state, order):
        return state
    return msgspec.structs.replace(state, flags=(*state.flags, CASE))
