"""Commands that wait for their meters: one at a time for a meter, few at a time for a gateway."""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ledger.aggregates.account.supply import TRIP
from ledger.aggregates.command import OPEN

ENDED_KEPT: Final = 10_000
NEVER_US: Final = 2**62
"""When to go on with a command of which more is told first."""
AT_ONCE: Final = 4
"""Commands under way behind one gateway, so that a dead one keeps few hands waiting."""


@dataclass(slots=True)
class Waiting:
    """What the dispatcher knows of a command; `position` tells which word about it is newer."""

    command_id: str
    kind: str
    meter_no: str
    gateway: str
    status: str
    attempt: int
    again_at_us: int
    position: int

    @property
    def turn(self) -> tuple[bool, int, int]:
        """Who goes first of those that are due: whoever waits for supply, then the oldest."""
        return self.kind == TRIP, self.again_at_us, self.position


class WaitingList:
    """All open commands; not safe for threads: its owner locks."""

    def __init__(self) -> None:
        self._commands: dict[str, Waiting] = {}
        self._busy: dict[str, str] = {}
        """Meters that a command is under way to -> their gateways."""
        self._ended: OrderedDict[str, Waiting] = OrderedDict()
        """Commands that ended, so that an older word about one does not bring it back."""

    def __len__(self) -> int:
        return len(self._commands)

    def put(self, command: Waiting) -> None:
        """Know a command as it is now; one that ended is forgotten, an older word is ignored."""
        command_id = command.command_id
        known = self.last(command_id)
        if known is not None and known.position > command.position:
            return
        if command.status in OPEN:
            self._commands[command_id] = command
            self._ended.pop(command_id, None)
            return
        self._commands.pop(command_id, None)
        self._ended[command_id] = command
        if len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)

    def get(self, command_id: str) -> Waiting | None:
        """An open command."""
        return self._commands.get(command_id)

    def last(self, command_id: str) -> Waiting | None:
        """What was told last of a command, whether it is open or has ended."""
        return self._commands.get(command_id) or self._ended.get(command_id)

    def hasten(self, meter_no: str, now_us: int) -> bool:
        """The meter answers: whatever waits for that is due at once; whether anything does."""
        found = False
        for command in self._commands.values():
            if command.meter_no == meter_no and command.status != "held":
                found = found or command.again_at_us > now_us
                command.again_at_us = min(command.again_at_us, now_us)
        return found

    def free(self, now_us: int) -> None:
        """What is held may be so no longer: look at it at once."""
        for command in self._commands.values():
            if command.status == "held":
                command.again_at_us = min(command.again_at_us, now_us)

    def set_back(self, by_us: int) -> None:
        """The clock went back: what waits does so no longer than it would have."""
        for command in self._commands.values():
            if command.again_at_us < NEVER_US:
                command.again_at_us -= by_us

    def take_due(self, now_us: int) -> Iterator[Waiting]:
        """Commands to be carried on now; each has to be given back by `done`."""
        under_way = Counter(self._busy.values())
        due = [each for each in self._commands.values() if each.again_at_us <= now_us]
        for command in sorted(due, key=lambda each: each.turn):
            if command.meter_no in self._busy or under_way[command.gateway] >= AT_ONCE:
                continue
            under_way[command.gateway] += 1
            self._busy[command.meter_no] = command.gateway
            yield command

    def done(self, command: Waiting) -> None:
        """The command is not under way any more; its meter is free."""
        self._busy.pop(command.meter_no, None)

    def wait_us(self, now_us: int) -> float:
        """How long until something is due whose meter is free; for ever where nothing is."""
        free = (
            command.again_at_us
            for command in self._commands.values()
            if command.meter_no not in self._busy
        )
        return max(0, min(free, default=math.inf) - now_us)
