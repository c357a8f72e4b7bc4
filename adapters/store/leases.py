"""Leases: of several processes one acts, and another takes over when it falls silent."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine, text

SECOND_US: Final = 1_000_000
AHEAD_MAX: Final = 10
"""One that ends later than so many of its spans from now is from a clock that has gone back."""
TAKE: Final = text(
    "INSERT INTO leases (shard, name, holder, until_us) VALUES (0, :name, :holder, :until_us) "
    "ON CONFLICT (shard, name) DO UPDATE SET holder = :holder, until_us = :until_us "
    "WHERE leases.holder = :holder OR leases.until_us NOT BETWEEN :now_us AND :latest_us"
)
GIVE_BACK: Final = text("DELETE FROM leases WHERE shard = 0 AND name = :name AND holder = :holder")


class Lease:
    """The right to act under a name; `holder` is unique to the process, `clock` tells µs."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        holder: str,
        clock: Callable[[], int],
        lasts_us: int = 6 * SECOND_US,
    ) -> None:
        self._engine = engine
        self._about = {"name": name, "holder": holder}
        self._clock = clock
        self._lasts_us = lasts_us
        self._until_us = 0

    @property
    def is_held(self) -> bool:
        """Whether nobody else may act yet."""
        now_us = self._clock()
        return now_us < self._until_us <= now_us + AHEAD_MAX * self._lasts_us

    def renew(self) -> bool:
        """Take it or keep it; False while another holds it."""
        now_us = self._clock()
        until_us = now_us + self._lasts_us
        with self._engine.begin() as connection:
            taken = connection.execute(
                TAKE,
                {
                    **self._about,
                    "until_us": until_us,
                    "now_us": now_us,
                    "latest_us": now_us + AHEAD_MAX * self._lasts_us,
                },
            )
            self._until_us = until_us if taken.rowcount == 1 else 0
        return self._until_us != 0

    def give_back(self) -> None:
        """Let another take it at once."""
        self._until_us = 0
        with self._engine.begin() as connection:
            connection.execute(GIVE_BACK, self._about)
