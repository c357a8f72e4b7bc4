"""Group commit: every writer of a process hands its work here; one transaction serves many.

Under the lock of the shards' heads the committer first catches up with other processes, then lets
each work decide on fresh states, one after the other, and writes all facts at once. So a hot account
costs no more than a cold one, a refusal touches nobody else, and positions are gapless.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.store.cache import GenerationalCache
from ledger.events import Metadata, Recorded
from ledger.ports import (
    Claim,
    ClaimKey,
    ConflictError,
    Log,
    LogUnavailableError,
    LogWriter,
    OutcomeUnknownError,
    Row,
    StoredClaim,
)
from ledger.store.session import Session

EVENTS_MAX: Final = 5_000
LINGER_S: Final = 0.002
"""How long a batch waits for as many writers as the one before it had."""
ATTEMPTS: Final = 5
READ_BACK_S: Final = 30.0
READ_BACK_PAUSE_S: Final = 0.2

TAKEN: Final = {
    "account": ("account_exists", "The account {key} was opened before with other particulars."),
    "meter": ("meter_in_use", "The meter {key} is installed at account {owner}."),
    "payment": (
        "payment_contradiction",
        "The payment {key} was booked before to account {owner} with another content.",
    ),
}
CONTRADICTION: Final = ("key_reused", "This key was used before for another request.")

Body = dict[str, Any]
Watcher = Callable[[Sequence[Recorded]], None]


class Contradiction(Refused):
    """The same key came before with another content."""


class Answer(msgspec.Struct, frozen=True):
    """What a command answers; `replayed` when an earlier run of it was the one that counted."""

    body: Body
    replayed: bool = False


@dataclass(slots=True)
class Work:
    """One command on its way into the log.

    `shards` are those it may write to, `accounts` those it will ask for, `weight` is about how many
    events it makes. A bulk work never refuses as a whole.
    """

    decide: Callable[[Session], Body]
    shards: frozenset[int]
    command_id: str
    metadata: Metadata
    accounts: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()
    weight: int = 1
    is_bulk: bool = False
    answer: Future[Answer] = field(default_factory=Future)


class Committer:
    """The one writer of a process."""

    def __init__(
        self,
        log: Log,
        clock: Callable[[], int],
        entropy: Callable[[int], bytes],
        cache_size: int,
        watchers: Iterable[Watcher] = (),
    ) -> None:
        self._log = log
        self._clock = clock
        self._entropy = entropy
        self._watchers = list(watchers)
        size = max(1, cache_size // log.shards)
        self._caches = [GenerationalCache[Aggregate](size) for _ in range(log.shards)]
        self._known: dict[int, int] = {}
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._held: Work | None = None
        self._last_count = 1
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._is_closed = False
        self._thread.start()

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with the facts of every commit, in order, from the committer's thread."""
        self._watchers.append(watcher)

    def submit(self, work: Work) -> "Future[Answer]":
        """Hand over a work; the future answers when it is durable, or raises its refusal."""
        if self._is_closed:
            raise LogUnavailableError("The ledger is shutting down.")
        self._queue.put(work)
        return work.answer

    def close(self) -> None:
        """Commit what has been handed over, then stop."""
        self._is_closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            self._last_count = len(batch)
            try:
                self._commit_all(batch)
            except LogUnavailableError as error:
                self._fail(batch, error)
            except Exception as error:  # noqa: BLE001 - a fault here is each writer's answer
                self._fail(batch, error)

    def _take(self) -> list[Work]:
        """What has arrived: at least one work, at most `EVENTS_MAX` events; empty to stop."""
        first = self._held or self._queue.get()
        self._held = None
        if first is None:
            return []
        batch, weight = [first], first.weight
        until = time.monotonic() + LINGER_S
        while weight < EVENTS_MAX:
            wait = until - time.monotonic() if len(batch) < self._last_count else 0
            try:
                work = self._queue.get(timeout=wait) if wait > 0 else self._queue.get_nowait()
            except queue.Empty:
                break
            if work is None:
                self._queue.put(None)
                break
            if weight + work.weight > EVENTS_MAX:
                self._held = work
                break
            batch.append(work)
            weight += work.weight
        return batch

    def _commit_all(self, batch: list[Work]) -> None:
        """Commit the batch; a work that fails by itself is answered and left out of the next try."""
        for attempt in range(ATTEMPTS):
            try:
                self._commit(batch, alone=attempt == ATTEMPTS - 1)
            except ConflictError:
                continue
            except _WorkFailedError as failure:
                failure.work.answer.set_exception(failure.error)
                batch.remove(failure.work)
            else:
                return
            if not batch:
                return
        raise LogUnavailableError("Another writer was faster each time; try again.")

    def _commit(self, batch: list[Work], *, alone: bool) -> None:
        if alone and len(batch) > 1:
            for work in list(batch):
                self._commit_all_of(batch, work)
            return
        shards = sorted(frozenset().union(*(work.shards for work in batch)))
        session: Session | None = None
        rows: list[Row] = []
        answers: list[tuple[Work, Answer | Exception]] = []
        try:
            with self._log.write(shards) as writer:
                self._catch_up(writer)
                session = Session(writer, self._caches, self._clock())
                answers, rows = self._decide_and_write(session, batch)
        except OutcomeUnknownError:
            if not rows or not self._read_back(rows[0]):
                self._abandon(session)
                raise ConflictError from None
        except BaseException:
            self._abandon(session)
            raise
        self._settle(session, rows, answers)

    def _commit_all_of(self, batch: list[Work], work: Work) -> None:
        batch.remove(work)
        try:
            self._commit_all([work])
        except LogUnavailableError as error:
            self._fail([work], error)

    def _catch_up(self, writer: LogWriter) -> None:
        """Forget the states that other processes have written to since our last commit."""
        for shard, head in writer.heads.items():
            known = self._known.get(shard)
            if known == head.position:
                continue
            changed = writer.streams_changed(shard, known) if known is not None else None
            if changed is None:
                self._caches[shard].clear()
            else:
                for stream in changed:
                    self._caches[shard].drop(stream)
            self._known[shard] = head.position

    def _decide_and_write(
        self, session: Session, batch: Sequence[Work]
    ) -> tuple[list[tuple[Work, Answer | Exception]], list[Row]]:
        writer = session.writer
        session.load_accounts([number for work in batch for number in work.accounts])
        keys = [(claim.kind, claim.key) for work in batch for claim in work.claims]
        standing = writer.find_claims(keys) if keys else {}
        answers: list[tuple[Work, Answer | Exception]] = []
        spans: list[tuple[int, str, Metadata]] = []
        taken: dict[ClaimKey, tuple[Claim, bytes]] = {}
        for work in batch:
            answer = _decide(session, work, standing, taken)
            answers.append((work, answer))
            spans.append((len(session.pending), work.command_id, work.metadata))
        if session.released:
            writer.release_claims(session.released)
        if taken and not writer.take_claims(list(taken.values())):
            raise ConflictError
        rows = session.rows(spans, self._entropy)
        writer.append(rows)
        if session.sealed:
            writer.put_sealed(session.sealed)
        if snapshots := session.snapshots():
            writer.save_snapshots(snapshots)
        return answers, rows

    def _read_back(self, row: Row) -> bool:
        """Whether a COMMIT with an unknown outcome has landed; waits for the log to come back."""
        until = time.monotonic() + READ_BACK_S
        while True:
            try:
                return self._log.landed(row)
            except LogUnavailableError:
                if time.monotonic() > until:
                    raise
                time.sleep(READ_BACK_PAUSE_S)

    def _abandon(self, session: Session | None) -> None:
        if session is not None:
            session.forget_touched()

    def _settle(
        self,
        session: Session,
        rows: Sequence[Row],
        answers: Iterable[tuple[Work, Answer | Exception]],
    ) -> None:
        self._known.update(session.positions)
        if rows and self._watchers:
            recorded = session.recorded(rows)
            for watcher in self._watchers:
                watcher(recorded)
        for work, answer in answers:
            if isinstance(answer, Answer):
                work.answer.set_result(answer)
            else:
                work.answer.set_exception(answer)

    def _fail(self, batch: Iterable[Work], error: Exception) -> None:
        for work in batch:
            if not work.answer.done():
                work.answer.set_exception(error)


class _WorkFailedError(Exception):
    """A bulk work broke half-way; the batch is decided again without it."""

    def __init__(self, work: Work, error: Exception) -> None:
        super().__init__(str(error))
        self.work = work
        self.error = error


def _decide(
    session: Session,
    work: Work,
    standing: dict[ClaimKey, StoredClaim],
    taken: dict[ClaimKey, tuple[Claim, bytes]],
) -> Answer | Exception:
    """Let one work decide; its refusal undoes what it did and nothing else."""
    session.begin_work(undoable=not work.is_bulk)
    try:
        for claim in work.claims:
            if (replayed := _earlier_answer(claim, standing, taken)) is not None:
                return replayed
        positions = dict(session.positions)
        body = work.decide(session)
        body["positions"] = {
            str(shard): position
            for shard, position in session.positions.items()
            if position != positions[shard]
        }
    except Refused as refusal:
        session.undo_work()
        return refusal
    except Exception as error:
        if work.is_bulk:
            raise _WorkFailedError(work, error) from error
        session.undo_work()
        return error
    encoded = msgspec.json.encode(body) if work.claims else b""
    for claim in work.claims:
        taken[claim.kind, claim.key] = (claim, encoded)
    return Answer(body)


def _earlier_answer(
    claim: Claim,
    standing: dict[ClaimKey, StoredClaim],
    taken: dict[ClaimKey, tuple[Claim, bytes]],
) -> Answer | None:
    """The answer of an earlier run under the same key; a contradiction is refused."""
    key = (claim.kind, claim.key)
    stored = standing.get(key)
    fingerprint, answer = (stored.fingerprint, stored.answer) if stored else ("", b"")
    if stored is None and key in taken:
        fingerprint, answer = taken[key][0].fingerprint, taken[key][1]
    elif stored is None:
        return None
    if fingerprint == claim.fingerprint:
        return Answer(msgspec.json.decode(answer), replayed=True)
    owner = stored.owner if stored else taken[key][0].owner
    code, message = TAKEN.get(claim.kind, CONTRADICTION)
    raise Contradiction(code, message.format(key=claim.key, owner=owner))
