"""The ledger of one organisation: its terms, its clock, and the one committer of this process."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

import msgspec

from ledger.aggregates.account import Account
from ledger.aggregates.meter import Meter
from ledger.events import Event, Metadata
from ledger.events.registry import decode
from ledger.ports import Claim, Log, Vault
from ledger.store.cache import GenerationalCache
from ledger.store.committer import Committer, Watcher
from ledger.store.session import Session, Wanted
from ledger.store.work import Answer, Body, Work
from ledger.values import shard_of, storable, stream_id

ID_BYTES: Final = 16
IDS_DRAWN: Final = 64
TRIPS_ALONE_MAX: Final = 50


class LedgerTerms(NamedTuple):
    """What `init` fixed for this ledger."""

    shards: int
    timezone: str
    currency: str


class Context(NamedTuple):
    """On whose behalf a command runs: an id, what led to it, and the door's idempotency claim."""

    actor: str
    cause: str = ""
    request: Claim | None = None


Home = tuple[int, str]
"""Shard and stream of an account."""


class Ledger:
    """Load accounts and record decisions; the only holder of clock and randomness."""

    def __init__(
        self,
        log: Log,
        terms: LedgerTerms,
        *,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        vault: Vault,
        cache_size: int = 1_200_000,
        approvals: frozenset[str] = frozenset(),
        trips_alone_max: int = TRIPS_ALONE_MAX,
    ) -> None:
        self.log = log
        self.approvals = approvals
        """What takes effect only when a second person approves it."""
        self.trips_alone_max = trips_alone_max
        """So many accounts one person may have cut off at once; for more a second must agree."""
        self.terms = terms
        self.clock = clock
        self.vault = vault
        self._entropy = entropy
        self._ids: list[str] = []
        self._homes = GenerationalCache[Home](cache_size)
        self._committer = Committer(log, clock, entropy, cache_size)

    def shard_of(self, account_no: str) -> int:
        """Shard of an account."""
        return shard_of(account_no, self.terms.shards)

    def new_id(self) -> str:
        """A fresh random id; drawn many at once, for each draw gives the interpreter away."""
        while True:
            try:
                return self._ids.pop()
            except IndexError:
                drawn = self._entropy(ID_BYTES * IDS_DRAWN).hex()
                step = 2 * ID_BYTES
                self._ids += [drawn[at : at + step] for at in range(0, len(drawn), step)]

    def decide(
        self,
        decide: Callable[[Session], Body],
        context: Context,
        *,
        accounts: Sequence[str] = (),
        meters: Sequence[str] = (),
        shards: Collection[int] = (),
        claims: tuple[Claim, ...] = (),
        weight: int = 1,
        is_bulk: bool = False,
    ) -> Answer:
        """Run a decision under the lock of its accounts' shards; returns when it is durable.

        Raises `Refused` (or `Contradiction`) when the rules say no, `LogUnavailableError` when
        nothing could be recorded.
        """
        return self.submit(
            decide,
            context,
            accounts=accounts,
            meters=meters,
            shards=shards,
            claims=claims,
            weight=weight,
            is_bulk=is_bulk,
        ).result()

    def submit(
        self,
        decide: Callable[[Session], Body],
        context: Context,
        *,
        accounts: Sequence[str] = (),
        meters: Sequence[str] = (),
        shards: Collection[int] = (),
        claims: tuple[Claim, ...] = (),
        weight: int = 1,
        is_bulk: bool = False,
    ) -> "Future[Answer]":
        """Hand a decision over without waiting for it."""
        homes = {self.shard_of(number) for number in accounts}
        wanted: list[Wanted] = [(Account, number, self.shard_of(number)) for number in accounts]
        wanted += [(Meter, meter_no, shard) for meter_no in meters for shard in homes]
        request = (context.request,) if context.request else ()
        return self._committer.submit(
            Work(
                decide=decide,
                shards=frozenset(shards) | homes,
                command_id=self.new_id(),
                metadata=Metadata(context.actor, context.cause),
                wanted=tuple(wanted),
                claims=request + claims,
                weight=weight,
                is_bulk=is_bulk,
            )
        )

    def watch(self, watcher: Watcher) -> None:
        """Be handed the facts of every commit of this process, in order."""
        self._committer.watch(watcher)

    def meter_homes(self, meter_nos: Iterable[str]) -> dict[str, Home]:
        """Where the account of each installed meter lives; a meter in no account is left out."""
        homes: dict[str, Home] = {}
        unknown: list[str] = []
        for meter_no in meter_nos:
            home = self._homes.get(meter_no)
            if home is None:
                unknown.append(meter_no)
            else:
                homes[meter_no] = home
        if unknown:
            # A number that no database holds is that of no installed meter.
            keys = [("meter", number) for number in set(unknown) if number == storable(number)]
            owners = self.log.owners(keys)
            for (_, meter_no), account_no in owners.items():
                homes[meter_no] = self.settle_meter(meter_no, account_no)
            self._homes.trim()
        return homes

    def settle_meter(self, meter_no: str, account_no: str) -> Home:
        """Remember to which account a meter belongs."""
        home = (self.shard_of(account_no), stream_id(Account.KIND, account_no))
        self._homes.put(meter_no, home)
        return home

    def event(self, shard: int, position: int) -> Event | None:
        """The fact at a position."""
        found = self.log.event(shard, position)
        return None if found is None else decode(*found)

    def close(self) -> None:
        """Commit what was handed over and stop."""
        self._committer.close()


def fingerprint(path: str, body: Any) -> str:  # noqa: ANN401 - any JSON value
    """SHA-256 of a path and a parsed body as sorted compact JSON."""
    encoded = msgspec.json.encode(body, order="deterministic")
    return hashlib.sha256(path.encode() + b"\0" + encoded).hexdigest()
