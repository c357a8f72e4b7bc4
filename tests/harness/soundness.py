"""What must be true of every log at any moment, checked by someone who knows only the papers.

Nothing here calls the ledger's own leaf, fold or claims: the leaf is built from the text of
`docs/events.md`, money is added up from the payloads, and shards are counted anew.
"""

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ledger.ports import Row
from tests.harness.ledgers import Opened


def leaf_of(row: Row) -> bytes:
    """The leaf hash of a row, written from its description, not from the ledger's code."""
    content = hashlib.sha256()
    for part in (row.salt, row.metadata, b"\x00", row.payload):
        content.update(part)
    command = "-" if row.command_id is None else row.command_id
    lines = [
        "wattledger/1",
        " ".join([str(row.shard), str(row.position), row.stream_id, str(row.version), row.topic]),
        " ".join([str(row.recorded_at), str(row.valid_at), command]),
        content.hexdigest(),
    ]
    return hashlib.sha256(b"\x00" + "".join(f"{line}\n" for line in lines).encode("utf-8")).digest()


def assert_sound(opened: Opened) -> list[Row]:
    """The rows of the log, after everything that must hold of them has been checked."""
    rows = opened.rows()
    by_shard = _by(rows, "shard")
    _positions_have_no_gap(by_shard, opened.heads())
    _streams_have_no_gap(rows)
    _commands_are_contiguous(rows)
    altered = [(row.shard, row.position) for row in rows if leaf_of(row) != row.leaf_hash]
    assert not altered, f"leaves that do not fit their rows: {altered}"
    _shards_are_homes(rows, len(opened.heads()))
    _money_adds_up(rows)
    _payments_are_claimed(rows, opened.claims("payment"))
    return rows


def _by(rows: Iterable[Row], name: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


def _positions_have_no_gap(
    by_shard: dict[int, list[Row]], heads: dict[int, tuple[int, int]]
) -> None:
    for shard, (position, recorded_at) in heads.items():
        rows = by_shard.get(shard, [])
        assert [row.position for row in rows] == list(range(1, position + 1))
        times = [row.recorded_at for row in rows]
        assert times == sorted(times), "the log's clock went back"
        assert recorded_at == (times[-1] if times else 0)
    assert set(by_shard) <= set(heads)


def _streams_have_no_gap(rows: Sequence[Row]) -> None:
    for stream, of_stream in _by(rows, "stream_id").items():
        assert len({row.shard for row in of_stream}) == 1 or _is_of_a_meter(of_stream), stream
        for of_shard in _by(of_stream, "shard").values():
            assert [row.version for row in of_shard] == list(range(1, len(of_shard) + 1)), stream


def _is_of_a_meter(rows: Sequence[Row]) -> bool:
    """A meter that moved to an account of another shard has a stream in both."""
    return all(row.topic.startswith("meter.") for row in rows)


def _commands_are_contiguous(rows: Sequence[Row]) -> None:
    runs = [
        (row.shard, row.command_id)
        for before, row in zip([None, *rows[:-1]], rows, strict=True)
        if before is None or (before.shard, before.command_id) != (row.shard, row.command_id)
    ]
    assert len(runs) == len(set(runs)), "the events of one command are not side by side"


def _shards_are_homes(rows: Sequence[Row], shards: int) -> None:
    for row in rows:
        account_no = json.loads(row.payload).get("account_no")
        home = zlib.crc32(account_no.encode("utf-8")) % shards if account_no else 0
        assert row.shard == home, (row.topic, row.position)


def _money_adds_up(rows: Sequence[Row]) -> None:
    """Every event's balance is the one before it, moved by the event's own amount."""
    paid: dict[str, int] = defaultdict(int)
    granted: dict[str, int] = defaultdict(int)
    for row in rows:
        body = json.loads(row.payload)
        account_no, amount = body.get("account_no", ""), body.get("amount_minor", 0)
        match row.topic:
            case "account.credited.v1":
                paid[account_no] += amount
            case "account.credit_reversed.v1":
                paid[account_no] -= amount
            case "account.adjusted.v1":
                (paid if body["wallet"] == "paid" else granted)[account_no] += amount
            case "account.units_sold.v1":
                paid[account_no] -= amount
            case "account.units_returned.v1":
                paid[account_no] += amount
            case "account.charged.v1":
                units = body.get("units", {"paid_minor": 0})["paid_minor"]
                granted[account_no] -= body["granted_used_minor"]
                paid[account_no] -= amount - body["granted_used_minor"] - units
                assert amount == sum(line["amount_minor"] for line in body["lines"])
            case _:
                continue
        at = (row.shard, row.position)
        assert body["balance_after_minor"] == paid[account_no], at
        assert body["granted_after_minor"] == granted[account_no], at


def _payments_are_claimed(rows: Sequence[Row], claimed: dict[str, str]) -> None:
    settled = {}
    credited = []
    for row in rows:
        body = json.loads(row.payload)
        key = f"{body.get('channel')}/{body.get('channel_txn_id')}"
        if row.topic == "payment.settled.v1":
            assert key not in settled, f"booked twice: {key}"
            settled[key] = body["account_no"]
        elif row.topic == "account.credited.v1":
            credited.append(key)
    assert sorted(credited) == sorted(settled)
    assert claimed == settled
