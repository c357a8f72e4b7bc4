"""Tiers that several points share (共用阶梯): one position for all of one kind and tariff.

The intervals of their meters are rated as one series, in order of their ends. What comes in that
order is charged at once; what does not makes the series be rated again from there.
"""

from collections.abc import Iterator

import msgspec

from ledger.aggregates.account.state import Account, Point
from ledger.pricing.position import Position


def kind_of(point_name: str) -> str:
    """The service kind of a point by its name, also where the point was removed since."""
    return point_name.partition("-")[0]


def points_of(account: Account, kind: str, tariff_id: str) -> Iterator[Point]:
    """The points that count towards the same tiers now."""
    for point in account.points:
        if point.tariff_id == tariff_id and point.service_kind == kind:
            yield point


def standing(account: Account, kind: str, tariff_id: str, at_us: int) -> Position | None:
    """Where the tiers of a kind and tariff stand, for a fact of that time; None before any."""
    for point in points_of(account, kind, tariff_id):
        return ahead(_without_bill(point.position), end_of(account, point), at_us)
    for left_kind, left_tariff, position in account.left:
        if (left_kind, left_tariff) == (kind, tariff_id):
            return ahead(position, position.ahead_us, at_us)
    return None


def ahead(position: Position, end_us: int, at_us: int) -> Position:
    """A position that tells up to when it counts, where that is later than its fact."""
    known = end_us if end_us > at_us else 0
    if position.ahead_us == known:
        return position
    return msgspec.structs.replace(position, ahead_us=known)


def _without_bill(position: Position) -> Position:
    """A position for all: whose bill goes on is known of each meter."""
    if not position.bill_goes_on:
        return position
    return msgspec.structs.replace(position, bill_goes_on=False)


def end_of(account: Account, point: Point) -> int:
    """Up to when anything is counted towards the tiers of a point."""
    end_us = point.position.ahead_us
    for mate in points_of(account, point.service_kind, point.tariff_id):
        end_us = max(end_us, mate.last_at_us)
    return end_us


def end_beside(account: Account, point_name: str, tariff_id: str) -> int:
    """Up to when others than a point, which may be gone, count towards its tiers."""
    end_us = 0
    for mate in points_of(account, kind_of(point_name), tariff_id):
        end_us = max(end_us, mate.position.ahead_us)
        if mate.name != point_name and mate.counted_from_us:
            end_us = max(end_us, mate.last_at_us)
    return end_us


# ---------------------------------------------------------------- what facts do to shared tiers


def spread(account: Account, name: str, tariff_id: str, position: Position, at_us: int) -> None:
    """Let all points of the same tiers stand where a fact says.

    A past without its later facts has not come so far as the fact: then they stay.
    """
    kind = kind_of(name)
    known = [point for point in points_of(account, kind, tariff_id) if point.is_shared]
    if known:
        if end_of(account, known[0]) >= max(at_us, position.ahead_us):
            for point in known:
                point.position = position
        return
    account.left = tuple(
        (kind, tariff_id, ahead(position, was.ahead_us, 0))
        if (left_kind, left_tariff) == (kind, tariff_id)
        else (left_kind, left_tariff, was)
        for left_kind, left_tariff, was in account.left
    )


def join(account: Account, joined: Point) -> None:
    """Let a point count towards tiers that others count towards, or did."""
    joined.is_shared = True
    for mate in points_of(account, joined.service_kind, joined.tariff_id):
        if mate is not joined and not mate.is_shared:
            mate.is_shared = True
            mate.counted_from_us = 1  # When its last interval began is forgotten: before others.
            bills = joined.position.bills
            mate.position = msgspec.structs.replace(_without_bill(mate.position), bills=bills)
    account.left = tuple(
        each for each in account.left if each[:2] != (joined.service_kind, joined.tariff_id)
    )


def leave(account: Account, gone: Point) -> bool:
    """Keep in the others' position up to when a point counted that is gone; whether any is left."""
    others = [
        mate
        for mate in points_of(account, gone.service_kind, gone.tariff_id)
        if mate.name != gone.name
    ]
    for mate in others:
        end_us = max(gone.position.ahead_us, gone.last_at_us)
        mate.position = ahead(gone.position, end_us, 0)
    return bool(others)


def keep(account: Account, gone: Point) -> None:
    """Remember where tiers stand whose last point is removed: a further one goes on from there."""
    end_us = max(gone.position.ahead_us, gone.last_at_us)
    kept = gone.service_kind, gone.tariff_id, ahead(gone.position, end_us, 0)
    account.left = (*(each for each in account.left if each[:2] != kept[:2]), kept)
