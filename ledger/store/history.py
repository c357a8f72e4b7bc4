"""What an account was at any moment: as true then (`valid_at`), as known then (`known_at`).

Streams are read through the `eventsourcing` library's own seams: an `Application` per shard, with
our mapper in the place of its transcoder and the log's table behind its recorder.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, Mapper, StoredEvent, Transcoder

from ledger.aggregates.account import Account
from ledger.events import Recorded
from ledger.events.registry import decode, encode
from ledger.ports import Snapshot
from ledger.store.folding import FOLD_HASH, SNAPSHOT_EVERY, decode_state
from ledger.values import shard_of, stream_id

LATEST: Final = 2**62


@dataclass(frozen=True)
class StoredFact(StoredEvent):
    """A stored event with the rest of its envelope."""

    shard: int
    position: int
    recorded_at_us: int
    valid_at_us: int
    command_id: str | None
    metadata: bytes


class Moment(NamedTuple):
    """A point on both time axes; each open end means "up to now"."""

    valid_at_us: int = LATEST
    known_at_us: int = LATEST
    known_position: int = LATEST


class ShardRecorder(Protocol):
    """What history needs of a shard beside the library's own recorder interface."""

    def facts(
        self, stream: str, after_version: int, until_version: int, valid_at_us: int
    ) -> Sequence[StoredFact]:
        """Facts of a stream between two versions that were true by a time, in order."""

    def version_known_at(self, stream: str, moment: Moment) -> int:
        """The stream's last version recorded by a moment; 0 when there was none."""

    def snapshots(self, stream: str, until_version: int, fold_hash: str) -> Sequence[bytes]:
        """Folded states of a stream up to a version, oldest first."""

    def save_snapshots(self, made: Sequence[Snapshot]) -> None:
        """Keep folded states."""


class EnvelopeMapper(Mapper[UUID]):
    """Stored events to recorded facts by the closed registry; nothing is imported by name."""

    def __init__(self) -> None:
        super().__init__(transcoder=_NoTranscoder())

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """The fact in its envelope."""
        assert isinstance(stored_event, StoredFact)  # noqa: S101 - only our recorder feeds this mapper
        return Recorded(
            shard=stored_event.shard,
            position=stored_event.position,
            stream_id=str(stored_event.originator_id),
            version=stored_event.originator_version,
            recorded_at_us=stored_event.recorded_at_us,
            valid_at_us=stored_event.valid_at_us,
            command_id=stored_event.command_id,
            metadata=stored_event.metadata,
            event=decode(stored_event.topic, stored_event.state),
        )


class _NoTranscoder(Transcoder):
    """The mapper decodes by itself; the library wants to be given something."""

    def encode(self, obj: Any) -> bytes:  # noqa: ANN401 - the library's signature
        return encode(obj)

    def decode(self, data: bytes) -> Any:  # noqa: ANN401 - the library's signature
        raise TypeError(f"A payload of {len(data)} bytes is decoded by its topic only.")


class ShardLog(Application[UUID]):
    """One shard of the ledger as an `eventsourcing` application that is read, not written."""

    name = "ledger"

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self._recorder = recorder
        super().__init__(env={"PERSISTENCE_MODULE": "eventsourcing.popo"})

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder over the log's table."""
        return self._recorder

    def construct_mapper(self) -> Mapper[UUID]:
        """Our mapper: explicit topics, payload and envelope apart."""
        return EnvelopeMapper()


class History:
    """Accounts at any moment; snapshots bound the work, the first deep read makes them."""

    def __init__(self, recorders: Mapping[int, Any]) -> None:
        self._recorders = recorders
        self._logs = {shard: ShardLog(recorder) for shard, recorder in recorders.items()}

    def account(self, account_no: str, moment: Moment = Moment()) -> Account:  # noqa: B008 - immutable
        """An account at a moment; its version is 0 when it was not yet known."""
        shard = shard_of(account_no, len(self._recorders))
        stream = stream_id(Account.KIND, account_no)
        recorder: ShardRecorder = self._recorders[shard]
        until = recorder.version_known_at(stream, moment)
        account = self._nearest(recorder, shard, stream, until, moment.valid_at_us)
        made: list[Snapshot] = []
        since = account.version
        for recorded in self._events(shard, stream, since, until, moment.valid_at_us):
            account.evolve(recorded.event, recorded.valid_at_us)
            if account.version == recorded.version and account.version % SNAPSHOT_EVERY == 0:
                state = encode(account)
                made.append(Snapshot(shard, stream, account.version, FOLD_HASH, state))
        if made:
            recorder.save_snapshots(made)
        return account

    def events(
        self,
        account_no: str,
        moment: Moment = Moment(),  # noqa: B008 - immutable
    ) -> Iterator[Recorded]:
        """The facts of an account in order, as they were known and true at a moment."""
        shard = shard_of(account_no, len(self._recorders))
        stream = stream_id(Account.KIND, account_no)
        until = self._recorders[shard].version_known_at(stream, moment)
        return self._events(shard, stream, 0, until, moment.valid_at_us)

    def _events(
        self, shard: int, stream: str, after: int, until: int, valid_at_us: int
    ) -> Iterator[Recorded]:
        to_recorded: Any = self._logs[shard].mapper.to_domain_event
        recorder: ShardRecorder = self._recorders[shard]
        return map(to_recorded, recorder.facts(stream, after, until, valid_at_us))

    def _nearest(
        self, recorder: ShardRecorder, shard: int, stream: str, until: int, valid_at_us: int
    ) -> Account:
        """The newest folded state that holds nothing from after the moment.

        `valid_through_us` never falls from one snapshot to the next, so they can be bisected.
        """
        kept = recorder.snapshots(stream, until, FOLD_HASH)
        usable = bisect_right(
            kept, valid_at_us, key=lambda state: decode_state(Account, state).valid_through_us
        )
        return decode_state(Account, kept[usable - 1]) if usable else Account(shard, stream)
