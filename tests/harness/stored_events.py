"""Stored events as any application might write them."""

from collections.abc import Iterator
from uuid import UUID, uuid4

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent

PAGE = 100


def a_stream(length: int, originator_id: UUID | str | None = None) -> list[StoredEvent]:
    """The first events of an aggregate, of a new one unless named."""
    if originator_id is None:
        originator_id = uuid4()
    return [
        StoredEvent(originator_id, version, "meter.read.v1", b'{"register_wh":%d}' % version)
        for version in range(1, length + 1)
    ]


def everything(recorder: ApplicationRecorder) -> Iterator[Notification]:
    """All events in the order of their positions, read page by page."""
    position = 0
    while page := recorder.select_notifications(position, PAGE, inclusive_of_start=False):
        yield from page
        position = page[-1].id
