"""One batch of decisions under the lock of the log: states to decide on, facts to be written."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.control import Terms, decide_level, is_quiet
from ledger.aggregates.meter import Meter
from ledger.aggregates.policy import ControlPolicy, PolicyDocument
from ledger.aggregates.tariff import Tariff
from ledger.events import Event, Metadata, Recorded
from ledger.events.leaf import leaf_entry, leaf_hash
from ledger.events.registry import encode
from ledger.ports import LogWriter, Row, Snapshot
from ledger.pricing import CompiledTariff, compile_tariff
from ledger.store.cache import GenerationalCache
from ledger.store.folding import FOLD_HASH, SNAPSHOT_EVERY, State, fold
from ledger.values import shard_of, stream_id

LOAD_CHUNK: Final = 1_000
CATALOGUE_SHARD: Final = 0
COMPILED_MAX: Final = 1_000

Pending = tuple[int, int, Aggregate, int, Event, int]
"""(shard, position, state, version, event, valid_at_us)."""
Span = tuple[int, str, Metadata]
"""(index behind the last fact, command id, metadata) of one work."""


def _restore(state: Aggregate, saved: Aggregate) -> None:
    for name in state.__struct_fields__:
        setattr(state, name, getattr(saved, name))


@lru_cache(maxsize=COMPILED_MAX)
def compiled(document: bytes) -> CompiledTariff:
    """A published document, compiled once."""
    return compile_tariff(msgspec.json.decode(document))


class Session:
    """What a command sees while it decides; everything it records is written in one transaction."""

    def __init__(
        self,
        writer: LogWriter,
        caches: Sequence[GenerationalCache[Aggregate]],
        locked: Iterable[int],
        now_us: int,
    ) -> None:
        self.writer = writer
        self.now_us = now_us
        self.shards = len(caches)
        self.positions = {shard: writer.heads[shard].position for shard in locked}
        """Last position of each shard that may be written to."""
        self.pending: list[Pending] = []
        self.released: list[tuple[str, str]] = []
        self.sealed: list[tuple[int, str, str, bytes]] = []
        self._caches = caches
        self._tariffs: dict[str, tuple[CompiledTariff, int]] = {}
        self._terms: dict[str, Terms] = {}
        self._undo: dict[tuple[int, str], tuple[Aggregate, Aggregate]] | None = None

    def load(self, aggregate: type[State], shard: int, ids: Iterable[str]) -> dict[str, State]:
        """States of many streams, from the cache where it has them; a new stream has version 0."""
        cache = self._caches[shard]
        found: dict[str, State] = {}
        missing: list[str] = []
        for stream in ids:
            state = cache.get(stream)
            if state is None:
                missing.append(stream)
            else:
                found[stream] = state  # type: ignore[assignment] # a stream id names its kind
        for start in range(0, len(missing), LOAD_CHUNK):
            chunk = missing[start : start + LOAD_CHUNK]
            past = self.writer.past(shard, chunk, FOLD_HASH)
            for stream, state in fold(aggregate, shard, chunk, past).items():
                cache.put(stream, state)
                found[stream] = state
        return found

    def load_accounts(self, account_nos: Iterable[str]) -> None:
        """Have accounts at hand before they are asked for one by one."""
        ids: dict[int, list[str]] = {}
        for number in account_nos:
            stream = stream_id(Account.KIND, number)
            ids.setdefault(shard_of(number, self.shards), []).append(stream)
        for shard, streams in ids.items():
            self.load(Account, shard, streams)

    def accounts_at(self, homes: Iterable[tuple[int, str]]) -> dict[str, Account]:
        """Accounts by stream, many at once."""
        ids: dict[int, set[str]] = {}
        for shard, stream in homes:
            ids.setdefault(shard, set()).add(stream)
        found: dict[str, Account] = {}
        for shard, streams in ids.items():
            found.update(self.load(Account, shard, streams))
        return found

    def installed_at(self, meter_no: str, shard: int) -> int:
        """When a meter began to count where it counts now."""
        return self.aggregate(Meter, meter_no, shard).installed_at_us

    def new(self, kind: type[State], natural_id: str, shard: int) -> State:
        """State of a stream that cannot exist yet, because its claim was free."""
        return kind(shard, stream_id(kind.KIND, natural_id))

    def adopt(self, state: State) -> State:
        """Keep the state of a new stream at hand, when nothing is stored under its id yet."""
        self._caches[state.shard].put(state.stream_id, state)
        return state

    def aggregate(self, kind: type[State], natural_id: str, shard: int) -> State:
        """State of one stream, saved so that a refusal can undo what follows."""
        stream = stream_id(kind.KIND, natural_id)
        state = self.load(kind, shard, (stream,))[stream]
        if self._undo is not None:
            self._undo.setdefault((shard, stream), (state, state.clone()))
        return state

    def account(self, account_no: str) -> Account:
        """An account that was opened, or a refusal."""
        account = self.aggregate(Account, account_no, shard_of(account_no, self.shards))
        if account.version == 0:
            raise Refused("account_unknown", f"There is no account {account_no}.")
        return account

    def tariff(self, tariff_id: str) -> tuple[CompiledTariff, int]:
        """A tariff in force, ready to rate, and its publication number."""
        known = self._tariffs.get(tariff_id)
        if known is None:
            stream = stream_id(Tariff.KIND, tariff_id)
            tariff = self.load(Tariff, CATALOGUE_SHARD, (stream,))[stream]
            if tariff.version == 0:
                raise Refused("tariff_unknown", f"There is no tariff {tariff_id}; publish one.")
            known = self._tariffs[tariff_id] = (compiled(tariff.document), tariff.version)
        return known

    def terms(self, policy_id: str) -> Terms:
        """The terms of a control policy in force."""
        known = self._terms.get(policy_id)
        if known is None:
            stream = stream_id(ControlPolicy.KIND, policy_id)
            policy = self.load(ControlPolicy, CATALOGUE_SHARD, (stream,))[stream]
            if policy.version == 0:
                raise Refused("policy_unknown", f"There is no policy {policy_id}; publish one.")
            document = PolicyDocument.model_validate_json(policy.document)
            known = self._terms[policy_id] = document.terms(policy.version)
        return known

    def decide_levels(self, account: Account, at_us: int) -> None:
        """Record what follows for the supply of an account after its money changed."""
        for point in account.points:
            terms = self.terms(point.policy_id)
            if is_quiet(account, point, terms):
                continue
            for fact in decide_level(account, point, terms):
                self.record(account, fact, at_us)

    def forget_catalogue(self) -> None:
        """Look tariffs and policies up again: one was published in this batch."""
        self._tariffs.clear()
        self._terms.clear()

    def next_position(self, shard: int) -> int:
        """Position that the next recorded event of a shard will have."""
        return self.positions[shard] + 1

    def record(self, state: Aggregate, event: Event, valid_at_us: int) -> int:
        """Add a fact to a stream, bring it into the state, and tell its position."""
        shard = state.shard
        self.positions[shard] = position = self.positions[shard] + 1
        state.evolve(event, valid_at_us)
        self.pending.append((shard, position, state, state.version, event, valid_at_us))
        return position

    def begin_work(self, *, undoable: bool) -> None:
        """Start a command; only a small one keeps copies for undoing itself."""
        self._undo = {} if undoable else None
        self._mark = (len(self.pending), len(self.released), len(self.sealed), dict(self.positions))

    def undo_work(self) -> None:
        """Take back everything since `begin_work`."""
        for state, saved in (self._undo or {}).values():
            _restore(state, saved)  # In place: earlier facts of the batch refer to this very state.
        pending, released, sealed, self.positions = self._mark
        del self.pending[pending:], self.released[released:], self.sealed[sealed:]
        self.forget_catalogue()

    def forget_touched(self) -> None:
        """Drop every state that carries facts which were not written."""
        for shard, _, state, *_ in self.pending:
            self._caches[shard].drop(state.stream_id)
        for shard, stream in self._undo or ():
            self._caches[shard].drop(stream)

    def rows(self, spans: Sequence[Span], entropy: Callable[[int], bytes]) -> list[Row]:
        """Rows of all pending facts."""
        salts = entropy(16 * len(self.pending))
        times = {
            shard: max(self.now_us, head.recorded_at_us)
            for shard, head in self.writer.heads.items()
        }
        rows: list[Row] = []
        start = 0
        for end, command_id, about in spans:
            metadata = encode(about)
            for index in range(start, end):
                shard, position, state, version, event, valid_at = self.pending[index]
                envelope = (
                    *(shard, position, state.stream_id, version, event.TOPIC),
                    *(times[shard], valid_at, command_id, metadata),
                    *(encode(event), salts[16 * index : 16 * index + 16]),
                )
                rows.append(Row._make((*envelope, leaf_hash(leaf_entry(*envelope)))))
            start = end
        return rows

    def recorded(self, rows: Sequence[Row]) -> list[Recorded]:
        """The written facts in their envelopes, for readers of this process."""
        return [
            Recorded(r[0], r[1], r[2], r[3], r[5], r[6], r[7], r[8], pending[4])
            for r, pending in zip(rows, self.pending, strict=True)
        ]

    def snapshots(self) -> list[Snapshot]:
        """States whose stream has passed another multiple of `SNAPSHOT_EVERY`."""
        due = {
            (shard, state.stream_id): state
            for shard, _, state, version, *_ in self.pending
            if version % SNAPSHOT_EVERY == 0
        }
        return [
            Snapshot(shard, stream, state.version, FOLD_HASH, encode(state))
            for (shard, stream), state in due.items()
        ]
