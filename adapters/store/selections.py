"""What the recorder interface of the `eventsourcing` library can ask for, as SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select

Asked = Select[*tuple[Any, ...]]


def of_versions(
    asked: Asked,
    version: ColumnElement[int],
    *,
    gt: int | None,
    lte: int | None,
    desc: bool,
    limit: int | None,
) -> Asked:
    """Events of a sequence behind `gt` up to `lte`, in order of version or against it."""
    ordered = asked.order_by(version.desc() if desc else version)
    return between(ordered, version, gt=gt, lte=lte).limit(limit)


def between(asked: Asked, version: ColumnElement[int], *, gt: int | None, lte: int | None) -> Asked:
    """Those behind `gt` up to `lte`."""
    if gt is not None:
        asked = asked.where(version > gt)
    return asked if lte is None else asked.where(version <= lte)


def of_positions(
    asked: Asked,
    position: ColumnElement[int],
    topic: ColumnElement[str],
    *,
    start: int | None,
    stop: int | None,
    topics: Sequence[str],
    inclusive_of_start: bool,
    limit: int,
) -> Asked:
    """Events of these topics (or of any) from a position on up to another one, in order."""
    if start is not None:
        asked = asked.where(position >= start if inclusive_of_start else position > start)
    if stop is not None:
        asked = asked.where(position <= stop)
    if topics:
        asked = asked.where(topic.in_(topics))
    return asked.order_by(position).limit(limit)
