"""One batch of decisions under the lock of the log: states to decide on, facts to be written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
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
HAND_OVER: Final = 1_000
"""Rows of a bulk work that the log begins to write while the next are decided."""
SALT_BYTES: Final = 16
SALTS_DRAWN: Final = 64

_new_row: Final = tuple.__new__
Wanted = tuple[type[Aggregate], str, int]
"""Kind, natural id and shard of a stream that a work will ask for."""


def _salts(entropy: Callable[[int], bytes]) -> Iterator[bytes]:
    """Salts of leaves, drawn many at once."""
    while True:
        drawn = entropy(SALT_BYTES * SALTS_DRAWN)
        for start in range(0, len(drawn), SALT_BYTES):
            yield drawn[start : start + SALT_BYTES]


def _restore(state: Aggregate, saved: Aggregate) -> None:
    for name in state.__struct_fields__:
        setattr(state, name, getattr(saved, name))


@lru_cache(maxsize=COMPILED_MAX)
def terms_of(document: bytes, version: int) -> Terms:
    """The terms of a published policy, read once."""
    return PolicyDocument.model_validate_json(document).terms(version)


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
        entropy: Callable[[int], bytes],
    ) -> None:
        self.writer = writer
        self.now_us = now_us
        self.shards = len(caches)
        self.positions = {shard: writer.heads[shard].position for shard in locked}
        """Last position of each shard that may be written to."""
        self._handed_over = 0
        self.rows: list[Row] = []
        """What will be written, and for each row its state and event."""
        self.facts: list[tuple[Aggregate, Event]] = []
        self.snapshots: list[Snapshot] = []
        """States that have just passed another multiple of `SNAPSHOT_EVERY`."""
        self.released: list[tuple[str, str]] = []
        self.sealed: list[tuple[int, str, str, bytes]] = []
        self._caches = caches
        self._recorded_at_us = {
            shard: max(now_us, head.recorded_at_us) for shard, head in writer.heads.items()
        }
        self._salts = _salts(entropy)
        self._command_id = ""
        self._metadata = b""
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

    def prepare(self, wanted: Iterable[Wanted]) -> None:
        """Have streams at hand before they are asked for one by one."""
        ids: dict[tuple[type[Aggregate], int], list[str]] = {}
        for kind, natural_id, shard in wanted:
            ids.setdefault((kind, shard), []).append(stream_id(kind.KIND, natural_id))
        for (kind, shard), streams in ids.items():
            self.load(kind, shard, streams)

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
            known = self._terms[policy_id] = terms_of(policy.document, policy.version)
        return known

    def decide_levels(self, account: Account, at_us: int) -> None:
        """Record what follows for the supply of an account after its money changed.

        What a policy with no-cut windows decides is true when it is decided, and not at the time
        of a reading that arrived later: that may lie in a window.
        """
        now_us = self._recorded_at_us[account.shard]
        for point in account.points:
            terms = self.terms(point.policy_id)
            if is_quiet(account, point, terms):
                continue
            valid_at_us = at_us if terms.no_cut is None else now_us
            for fact in decide_level(account, point, terms, now_us):
                self.record(account, fact, valid_at_us)

    def forget_catalogue(self) -> None:
        """Look tariffs and policies up again: one was published in this batch."""
        self._tariffs.clear()
        self._terms.clear()

    def next_position(self, shard: int) -> int:
        """Position that the next recorded event of a shard will have."""
        return self.positions[shard] + 1

    def record(self, state: Aggregate, event: Event, valid_at_us: int) -> int:
        """Add a fact to a stream, bring it into the state, and tell its position.

        The row is made here, while event and state are at hand in the processor's cache.
        """
        shard = state.shard
        positions = self.positions
        position = positions[shard] + 1
        payload = encode(event)  # First: what cannot be encoded must not reach the state.
        state.evolve(event, valid_at_us)
        positions[shard] = position
        envelope = (
            shard,
            position,
            state.stream_id,
            state.version,
            event.TOPIC,
            self._recorded_at_us[shard],
            valid_at_us,
            self._command_id,
            self._metadata,
            payload,
            next(self._salts),
        )
        self.rows.append(_new_row(Row, (*envelope, leaf_hash(leaf_entry(*envelope)))))
        self.facts.append((state, event))
        if state.version % SNAPSHOT_EVERY == 0:
            saved = Snapshot(shard, state.stream_id, state.version, FOLD_HASH, encode(state))
            self.snapshots.append(saved)
        if self._undo is None and len(self.rows) - self._handed_over >= HAND_OVER:
            self.writer.hand_over(self.rows[self._handed_over :])
            self._handed_over = len(self.rows)
        return position

    def write(self) -> None:
        """Write what has not been handed over yet."""
        self.writer.append(self.rows[self._handed_over :])

    def begin_work(self, command_id: str, metadata: Metadata, *, undoable: bool) -> None:
        """Start a command; only a small one keeps copies for undoing itself."""
        self._command_id = command_id
        self._metadata = encode(metadata)
        self._undo = {} if undoable else None
        counts = (len(self.rows), len(self.released), len(self.sealed), len(self.snapshots))
        self._mark = (*counts, dict(self.positions))

    def undo_work(self) -> None:
        """Take back everything since `begin_work`."""
        for state, saved in (self._undo or {}).values():
            _restore(state, saved)  # In place: earlier facts of the batch refer to this very state.
        rows, released, sealed, snapshots, self.positions = self._mark
        del self.rows[rows:], self.facts[rows:], self.released[released:], self.sealed[sealed:]
        del self.snapshots[snapshots:]
        self.forget_catalogue()

    def forget_touched(self) -> None:
        """Drop every state that carries facts which were not written."""
        for state, _ in self.facts:
            self._caches[state.shard].drop(state.stream_id)
        for shard, stream in self._undo or ():
            self._caches[shard].drop(stream)

    def recorded(self) -> list[Recorded]:
        """The written facts in their envelopes, for readers of this process."""
        return [
            Recorded(r[0], r[1], r[2], r[3], r[5], r[6], r[7], r[8], event)
            for r, (_, event) in zip(self.rows, self.facts, strict=True)
        ]
