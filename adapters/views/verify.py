"""Verify a database: the log against itself, claims against the log, views against the log."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, func, or_, select

from adapters.store.eras import events_of
from adapters.store.past import facts_between
from adapters.store.rows import to_row
from adapters.store.tables import claims, events, log_heads, snapshots
from ledger.aggregates.account.intervals import Known
from ledger.aggregates.account.read_back import newest_first
from ledger.audit import CATALOGUE, Auditor, Behind, Chain, Finding
from ledger.commands.recharge import Recharge
from ledger.events.account import AccountCredited, UnitsSold
from ledger.events.registry import decode, encode
from ledger.ports import Head, Row
from ledger.store.folding import FOLD_HASH
from ledger.values import instant

Progress = Callable[[int, int], None]
READ_MAX: Final = 5_000
STREAMS_MAX: Final = 200_000
"""States that are held at once: a shard of more streams is folded in several passes."""
_ALL_BITS: Final = 32


class Part(NamedTuple):
    """Streams of a shard that are folded in one pass, by the first half of their random ids."""

    number: int
    low: str
    high: str

    def holds(self, row: Row) -> bool:
        """Whether a row is folded in this pass; the catalogue is known in each."""
        return self.low <= row.stream_id <= self.high or row.topic in CATALOGUE


def verify_log(engine: Engine, on_progress: Progress) -> Iterator[Finding]:
    """Findings in the log and its snapshots, shard by shard, the catalogue's first."""
    with engine.execution_options(read_only=True).begin() as connection:
        heads = {
            row.shard: Head(row.position, row.recorded_at)
            for row in connection.execute(select(log_heads).order_by(log_heads.c.shard))
        }
        parts = {shard: _parts(connection, shard) for shard in heads}
        total = sum(heads[shard].position * len(parts[shard]) for shard in heads)
        auditor = Auditor(_reader(connection))
        done = 0
        for shard, head in heads.items():
            for part in parts[shard]:
                progress = _Counted(on_progress, done, total)
                yield from _verify_part(connection, auditor, shard, head, part, progress)
                done += head.position
        on_progress(total, total)


class _Counted(NamedTuple):
    """How far a pass has come, in rows of all passes."""

    tell: Progress
    done: int
    total: int


def _verify_part(
    connection: Connection,
    auditor: Auditor,
    shard: int,
    head: Head,
    part: Part,
    progress: _Counted,
) -> Iterator[Finding]:
    chain = Chain(shard) if part.number == 0 else None
    kept = _snapshot_versions(connection, shard, part)
    rows = _rows(connection, shard, head.position, None if chain is not None else part)
    for count, row in enumerate(rows, start=1):
        if chain is not None:
            yield from chain.check(row)
        if part.holds(row):
            yield from auditor.check(row)
            if row.version in kept.get(row.stream_id, ()):
                kept[row.stream_id].remove(row.version)
                yield from _snapshot(connection, auditor, row)
        if count % READ_MAX == 0:
            progress.tell(
                progress.done + (count if chain is not None else row.position), progress.total
            )
    yield from auditor.end()
    yield from _of_nothing(connection, shard, kept)
    if chain is not None:
        yield from chain.end(head)


def _parts(connection: Connection, shard: int) -> list[Part]:
    """Passes over a shard, so many that each holds `STREAMS_MAX` states or a few more."""
    first = select(func.count()).where(events.c.shard == shard, events.c.version == 1)
    count = max(1, -(-(connection.scalar(first) or 0) // STREAMS_MAX))
    bounds = [-(-(number << _ALL_BITS) // count) for number in range(count + 1)]
    return [
        Part(
            number,
            f"{low:08x}-0000-0000-0000-000000000000",
            f"{high - 1:08x}-ffff-ffff-ffff-ffffffffffff",
        )
        for number, (low, high) in enumerate(pairwise(bounds))
    ]


def _reader(connection: Connection) -> Behind:
    """How the auditor reads the past of a stream back."""

    def behind(shard: int, stream: str, version: int) -> Iterator[Known]:
        return newest_first(lambda span: facts_between(connection, shard, [span]), stream, version)

    return behind


def _rows(connection: Connection, shard: int, until: int, part: Part | None) -> Iterator[Row]:
    """Rows in order of position: all of a shard, or those of a part and the catalogue."""
    wanted = select(events).where(events.c.shard == shard)
    if part is not None:
        of_part = events.c.stream_id.between(part.low, part.high)
        wanted = wanted.where(or_(of_part, events.c.topic.in_(CATALOGUE)))
    position = 0
    while found := connection.execute(
        wanted.where(events.c.position > position).order_by(events.c.position).limit(READ_MAX)
    ).all():
        for row in found:
            if row.position <= until:
                yield to_row(row)
        position = found[-1].position


def _snapshot_versions(connection: Connection, shard: int, part: Part) -> dict[str, set[int]]:
    """Versions of which this code's fold was saved, by stream."""
    kept: dict[str, set[int]] = {}
    saved = select(snapshots.c.stream_id, snapshots.c.version).where(
        snapshots.c.shard == shard,
        snapshots.c.fold_hash == FOLD_HASH,
        snapshots.c.stream_id.between(part.low, part.high),
    )
    for stream, version in connection.execute(saved):
        kept.setdefault(stream, set()).add(version)
    return kept


def _snapshot(connection: Connection, auditor: Auditor, row: Row) -> Iterator[Finding]:
    """A snapshot must be what the fold gives at its version."""
    kept = connection.scalar(
        select(snapshots.c.state).where(
            snapshots.c.shard == row.shard,
            snapshots.c.stream_id == row.stream_id,
            snapshots.c.version == row.version,
            snapshots.c.fold_hash == FOLD_HASH,
        )
    )
    state = auditor.state(row.shard, row.stream_id)
    if kept is not None and kept.encode() != encode(state):
        message = f"the snapshot of version {row.version} is not what the events fold to"
        yield Finding(row.shard, row.position, row.stream_id, "snapshot", message)


def _of_nothing(connection: Connection, shard: int, kept: dict[str, set[int]]) -> Iterator[Finding]:
    """Snapshots of versions that no event has; one that was saved meanwhile is none of them."""
    for stream, versions in kept.items():
        for version in sorted(versions):
            there = events_of(connection, [shard], [stream], low=version, high=version)
            if connection.scalar(select(there.c.version)) is None:
                message = f"there is a snapshot of version {version}, and no event"
                yield Finding(shard, 0, stream, "snapshot", message)


def verify_claims(engine: Engine) -> Iterator[Finding]:
    """Every claim on a payment must name the credit that was booked under it."""
    with engine.execution_options(read_only=True).begin() as connection:
        booked: Any = connection.execute(
            select(claims).where(claims.c.kind == "payment").execution_options(yield_per=READ_MAX)
        )
        for claim in booked:
            message = _claim_problem(connection, claim)
            if message is not None:
                yield Finding(claim.shard, 0, "", "claim", f"payment {claim.key}: {message}")


def _claim_problem(connection: Connection, claim: Any) -> str | None:  # noqa: ANN401 - a database row
    try:
        answer = msgspec.json.decode(claim.answer)
        shard, position = (int(part) for part in answer["receipt_no"].split("-"))
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        return f"its answer cannot be read ({error})"
    found = connection.execute(
        select(events.c.topic, events.c.payload, events.c.valid_at)
        .where(events.c.shard == shard, events.c.position.in_((position, position + 1)))
        .order_by(events.c.position)
    )
    facts = [(decode(row.topic, row.payload.encode()), row.valid_at) for row in found]
    credited, valid_at_us = facts[0] if facts else (None, 0)
    if not isinstance(credited, AccountCredited) or credited.receipt_no != answer["receipt_no"]:
        return f"no credit was booked at {shard}-{position}"
    sold = facts[1][0] if len(facts) > 1 else None
    if not isinstance(sold, UnitsSold) or sold.receipt_no != credited.receipt_no:
        sold = None
    told = (claim.owner, claim.key, answer["amount_minor"], answer["balance_minor"])
    payment = f"{credited.channel}/{credited.channel_txn_id}"
    balance_minor = (sold or credited).balance_after_minor
    truth = (credited.account_no, payment, credited.amount_minor, balance_minor)
    if told != truth:
        return f"it says {told}, booked was {truth}"
    named = answer.get("service_point")
    if claim.fingerprint not in _fingerprints(credited, sold, valid_at_us, named):
        return "its fingerprint is not that of the payment that was booked"
    return None


def _fingerprints(
    credited: AccountCredited, sold: UnitsSold | None, valid_at_us: int, point: str | None
) -> Iterator[str]:
    """Of the request that booked a payment: with the time that it named, or without one."""
    for paid_at in (instant(valid_at_us), None):
        request = Recharge(
            account_no=credited.account_no,
            amount_minor=credited.amount_minor,
            currency=credited.currency,
            channel=credited.channel,
            channel_txn_id=credited.channel_txn_id,
            paid_at=paid_at,
            service_point=point,
            channel_fee_minor=0 if sold is None else sold.channel_fee_minor,
        )
        yield request.fingerprint("payment")
