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
    poisons: list[Poison] = []
    aside = dict(parked)
    sound: list[Recorded] = []
    for item in batch:
        if item.stream_id in aside and item.position >= aside[item.stream_id]:
            continue
        if isinstance(item, Unreadable):
            aside[item.stream_id] = item.position
            poisons.append(Poison(item.stream_id, item.position, item.reason))
        else:
            sound.append(item)
    try:
        return Projected([projection.rows(sound) for projection in projections], poisons)
    except Exception:  # noqa: BLE001 - one of the events is poison; find it
        found = _poisons(projections, sound)
    from_position = {poison.stream_id: poison.position for poison in found}
    kept = [r for r in sound if r.position < from_position.get(r.stream_id, r.position + 1)]
    poisons += found
    return Projected([projection.rows(kept) for projection in projections], poisons)


def _poisons(projections: Sequence[Projection], batch: Sequence[Recorded]) -> list[Poison]:
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
    return list(found.values())
