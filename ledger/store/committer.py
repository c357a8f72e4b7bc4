"""Group commit: every writer of a process hands its work here; one transaction serves many.

Under the lock of the shards' heads the committer first catches up with other processes, then lets
each work decide on fresh states, one after the other, and writes all facts at once. So a hot
account costs no more than a cold one, a refusal touches nobody else, and positions are gapless.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Final

from ledger.aggregates import Aggregate, Refused
from ledger.events import Recorded
from ledger.ports import ConflictError, Log, LogUnavailableError, LogWriter
from ledger.store.cache import GenerationalCache
from ledger.store.claim_book import ClaimBook
from ledger.store.session import Session
from ledger.store.work import Answer, MoreShardsError, Work

EVENTS_MAX: Final = 5_000
LINGER_S: Final = 0.002
"""How long a batch waits for as many writers as the one before it had."""
ATTEMPTS: Final = 5
NEVER: Final = -1

Watcher = Callable[[Sequence[Recorded]], None]
Outcome = Answer | Refused
Outcomes = list[tuple[Work, Outcome]]

_log: Final = logging.getLogger(__name__)


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
        self._door = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with the facts of every commit, in order, from the committer's thread."""
        self._watchers.append(watcher)

    def submit(self, work: Work) -> "Future[Answer]":
        """Hand over a work; the future answers when it is durable, or raises its refusal."""
        with self._door:
            if self._is_closed:
                raise LogUnavailableError("The ledger is shutting down.")
            self._queue.put(work)
        return work.answer

    def close(self) -> None:
        """Commit what has been handed over, then stop."""
        with self._door:
            self._is_closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._take():
            self._last_count = len(batch)
            wanted = [work for work in batch if work.answer.set_running_or_notify_cancel()]
            try:
                self._commit_all(wanted)
            except Exception as error:  # noqa: BLE001 - a fault here is each writer's answer
                for work in wanted:
                    work.settle(error)

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

    def _commit_all(self, works: Sequence[Work]) -> None:
        """Commit the works together; one that fails by itself is left out of the next try."""
        batch = list(works)
        for _ in range(ATTEMPTS - 1):
            if not batch:
                return
            try:
                self._commit(batch)
            except ConflictError:
                continue
            except _WorkFailedError as failure:
                if not failure.has_widened():
                    failure.work.settle(failure.error)
                    batch.remove(failure.work)
            except LogUnavailableError:
                raise
            except Exception:  # noqa: BLE001 - one of them holds what cannot be written: find it
                break
            else:
                return
        for work in batch:
            self._commit_alone(work)

    def _commit_alone(self, work: Work) -> None:
        last = ConflictError()
        for _ in range(ATTEMPTS):
            try:
                self._commit([work])
            except ConflictError as conflict:
                last = conflict
                continue
            except LogUnavailableError:
                raise
            except _WorkFailedError as failure:
                if failure.has_widened():
                    continue
                work.settle(failure.error)
            except Exception as error:  # noqa: BLE001 - a fault here is its writer's answer
                work.settle(error)
            return
        work.settle(LogUnavailableError(f"Others came in between each time; try again: {last}"))

    def _commit(self, batch: Sequence[Work]) -> None:
        """Decide and write the batch in one transaction, then answer."""
        shards = sorted(frozenset().union(*(work.shards for work in batch)))
        begun: Session | None = None
        try:
            with self._log.write(shards) as writer:
                self._catch_up(writer)
                begun = session = Session(
                    writer, self._caches, shards, self._clock(), self._entropy
                )
                decided = self._decide_and_write(session, batch)
        except BaseException:
            if begun is not None:
                begun.forget_touched()
            raise
        self._settle(session, decided)

    def _catch_up(self, writer: LogWriter) -> None:
        """Forget the states that other processes have written to since our last commit."""
        for shard, head in writer.heads.items():
            known = self._known.get(shard, NEVER)
            if known == head.position:
                continue
            # A head that went back is that of a database restored from its backup.
            is_behind = NEVER < known < head.position
            changed = writer.streams_changed(shard, known) if is_behind else None
            if changed is None:
                self._caches[shard].clear()
            else:
                for stream in changed:
                    self._caches[shard].drop(stream)
            self._known[shard] = head.position

    def _decide_and_write(self, session: Session, batch: Sequence[Work]) -> Outcomes:
        session.prepare([wanted for work in batch for wanted in work.wanted])
        book = ClaimBook(session.writer, [claim for work in batch for claim in work.claims])
        outcomes: Outcomes = []
        for work in batch:
            outcomes.append((work, _decide(session, work, book)))
        book.write()
        session.write()
        if session.sealed:
            session.writer.put_sealed(session.sealed)
        if session.snapshots:
            session.writer.save_snapshots(session.snapshots)
        return outcomes

    def _settle(self, session: Session, outcomes: Outcomes) -> None:
        self._known.update(session.positions)
        for shard in session.positions:
            self._caches[shard].trim()
        for work, outcome in outcomes:
            work.settle(outcome)
        if session.rows and self._watchers:
            recorded = session.recorded()
            for watcher in self._watchers:
                try:
                    watcher(recorded)
                except Exception:  # noqa: BLE001 - its trouble is not that of the writers
                    _log.exception("A watcher of commits failed; the events are in the log.")


class _WorkFailedError(Exception):
    """A work broke half-way; the batch is decided again without it."""

    def __init__(self, work: Work, error: Exception) -> None:
        super().__init__(str(error))
        self.work = work
        self.error = error

    def has_widened(self) -> bool:
        """Whether the work only lacked the lock of some shards, and has it from now on."""
        if not isinstance(self.error, MoreShardsError) or self.error.shards <= self.work.shards:
            return False
        self.work.shards |= self.error.shards
        return True


def _decide(session: Session, work: Work, book: ClaimBook) -> Outcome:
    """Let one work decide; its refusal undoes what it did and nothing else."""
    session.begin_work(work.command_id, work.metadata, undoable=not work.is_bulk)
    released = len(session.released)
    before = dict(session.positions)
    try:
        if (earlier := book.earlier_answer(work.claims)) is not None:
            return earlier
        body = work.decide(session)
    except Refused as refusal:
        if work.is_bulk:
            raise _WorkFailedError(work, refusal) from refusal
        session.undo_work()
        return refusal
    except (ConflictError, LogUnavailableError):
        raise
    except Exception as error:
        raise _WorkFailedError(work, error) from error
    body["positions"] = {
        str(shard): position
        for shard, position in session.positions.items()
        if position != before[shard]
    }
    book.settle(work.claims, body, session.released[released:])
    return Answer(body)
