"""Verify a database: the log against itself, claims against the log, views against the log."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, select

from adapters.store.past import facts_between
from adapters.store.rows import to_row
from adapters.store.tables import claims, events, log_heads, snapshots
from ledger.aggregates.account.intervals import Known
from ledger.aggregates.account.read_back import newest_first
from ledger.audit import Auditor, Behind, Finding
from ledger.events.account import AccountCredited
from ledger.events.registry import decode, encode
from ledger.ports import Head, Row
from ledger.store.folding import FOLD_HASH, SNAPSHOT_EVERY

Progress = Callable[[int, int], None]
READ_MAX: Final = 5_000


def verify_log(engine: Engine, on_progress: Progress) -> Iterator[Finding]:
    """Findings in the log and its snapshots, in order of position, catalogue's shard first."""
    with engine.execution_options(read_only=True).begin() as connection:
        heads = {
            row.shard: Head(row.position, row.recorded_at)
            for row in connection.execute(select(log_heads))
        }
        total = sum(head.position for head in heads.values())
        auditor = Auditor(_reader(connection))
        for shard in sorted(heads):
            for row in _rows(connection, shard, heads[shard].position):
                yield from auditor.check(row)
                if row.version % SNAPSHOT_EVERY == 0:
                    yield from _snapshot(connection, auditor, row)
                if auditor.events % READ_MAX == 0:
                    on_progress(auditor.events, total)
            yield from auditor.end(shard, heads[shard])
        on_progress(auditor.events, total)


def _reader(connection: Connection) -> Behind:
    """How the auditor reads the past of a stream back."""

    def behind(shard: int, stream: str, version: int) -> Iterator[Known]:
        return newest_first(lambda span: facts_between(connection, shard, [span]), stream, version)

    return behind


def _rows(connection: Connection, shard: int, until: int) -> Iterator[Row]:
    position = 0
    while found := connection.execute(
        select(events)
        .where(events.c.shard == shard, events.c.position > position)
        .order_by(events.c.position)
        .limit(READ_MAX)
    ).all():
        for row in found:
            if row.position <= until:
                yield to_row(row)
        position = found[-1].position


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
    row = connection.execute(
        select(events.c.topic, events.c.payload).where(
            events.c.shard == shard, events.c.position == position
        )
    ).first()
    credited = decode(row.topic, row.payload.encode()) if row is not None else None
    if not isinstance(credited, AccountCredited):
        return f"no credit was booked at {shard}-{position}"
    told = (claim.owner, claim.key, answer["amount_minor"], answer["balance_minor"])
    payment = f"{credited.channel}/{credited.channel_txn_id}"
    truth = (credited.account_no, payment, credited.amount_minor, credited.balance_after_minor)
    return None if told == truth else f"it says {told}, booked was {truth}"
