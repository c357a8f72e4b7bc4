"""One batch of a feed: what each view makes of it, with poisoned streams set aside."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ledger.events import Recorded
from ledger.projections import Projection, Row


class Unreadable(NamedTuple):
    """An event that this release cannot decode."""

    shard: int
    position: int
    stream_id: str
    reason: str


class Poison(NamedTuple):
    """Where a stream was parked, and why."""

    stream_id: str
    position: int
    reason: str


class Projected(NamedTuple):
    """Rows for each view, in the order of the projections, and the streams to be parked."""

    rows: list[list[Row]]
    poisons: list[Poison]


def project(
    projections: Sequence[Projection],
    batch: Sequence[Recorded | Unreadable],
    parked: Mapping[str, int],
) -> Projected:
    """Fold a batch; an event that cannot be read or folded parks its own stream only.

    `parked` maps the streams set aside before to the position from which on they are passed over.
    """
    sound, poisons = _sound(batch, parked)
    try:
        rows = [projection.rows(sound) for projection in projections]
    except Exception:  # noqa: BLE001 - one of the events is poison; find it
        found = _poisons(projections, sound)
        poisons |= found  # What breaks a stream comes before what could not be read of it.
        kept = [item for item in sound if not _is_behind(item, found)]
        rows = [projection.rows(kept) for projection in projections]
    return Projected(rows, list(poisons.values()))


def _sound(
    batch: Sequence[Recorded | Unreadable], parked: Mapping[str, int]
) -> tuple[list[Recorded], dict[str, Poison]]:
    """What can be folded; and what could not be read, which sets its stream aside from there on."""
    readable = [item for item in batch if isinstance(item, Recorded)]
    if not parked and len(readable) == len(batch):
        return readable, {}
    poisons: dict[str, Poison] = {}
    sound: list[Recorded] = []
    for item in batch:
        stream = item.stream_id
        if stream in poisons or item.position >= parked.get(stream, item.position + 1):
            continue
        if isinstance(item, Unreadable):
            poisons[stream] = Poison(stream, item.position, item.reason)
        else:
            sound.append(item)
    return sound, poisons


def _is_behind(item: Recorded, poisons: Mapping[str, Poison]) -> bool:
    poison = poisons.get(item.stream_id)
    return poison is not None and item.position >= poison.position


def _poisons(projections: Sequence[Projection], batch: Sequence[Recorded]) -> dict[str, Poison]:
    """The first event of each stream at which a projection breaks."""
    found: dict[str, Poison] = {}
    for recorded in batch:
        if recorded.stream_id in found:
            continue
        try:
            for projection in projections:
                projection.rows([recorded])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept as the reason
            reason = f"{type(error).__name__}: {error}"
            found[recorded.stream_id] = Poison(recorded.stream_id, recorded.position, reason)
    return found
