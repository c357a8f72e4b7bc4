"""What was written is what is read, to the last byte, through COPY and through SQLite alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store.log import SqlLog
from ledger.ports import ConflictError, Row
from tests.harness.ledgers import Opened, open_ledger
from tests.harness.postgres import Postgres

INT = 2**31 - 1
BIG = 2**63 - 1
STREAM = "5d6bb4a4-8a51-5c0e-9a53-1f0c9a1d7a10"


def a_row(**parts: object) -> Row:
    """A plain row, but for these parts."""
    plain = Row(
        0, 1, STREAM, 1, "t.v1", 0, 0, "c", b"{}", b"{}", bytes(range(16)), bytes(range(32))
    )
    return plain._replace(**parts)  # type: ignore[arg-type] # each test names parts that fit


EDGES = {
    "no command": a_row(command_id=None),
    "an empty command": a_row(command_id=""),
    "a negative time": a_row(valid_at=-BIG - 1, recorded_at=-1),
    "the largest numbers": a_row(
        shard=INT, position=BIG, version=INT, recorded_at=BIG, valid_at=BIG
    ),
    "the smallest numbers": a_row(shard=-INT - 1, position=-BIG - 1, version=-INT - 1),
    "the first stream": a_row(stream_id="00000000-0000-0000-0000-000000000000"),
    "the last stream": a_row(stream_id="ffffffff-ffff-ffff-ffff-ffffffffffff"),
    "other alphabets": a_row(topic="充值.ü.v1", payload='{"a":"充值 𝟘 \u2028"}'.encode()),
    "escapes": a_row(payload=b'{"a":"\\u0000\\n\\t\\\\N \\."}', metadata=b"\\N\t\r\n\\."),
    "empty texts": a_row(topic="", metadata=b"", payload=b""),
    "a megabyte": a_row(payload=b"x" * 2**20),
    "only zeros": a_row(salt=bytes(16), leaf_hash=bytes(32)),
    "only ones": a_row(salt=b"\xff" * 16, leaf_hash=b"\xff" * 32),
}


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def empty(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opened]:
    """One log for all examples, each of which takes its own place in it."""
    folder: Path = tmp_path_factory.mktemp("copy")
    url = f"sqlite:///{folder}/ledger.db"
    server: Postgres | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        url = server.new_database()
    with open_ledger(url, folder) as opened:
        yield opened
    if server is not None:
        server.drop_database(url)


def test_every_edge_of_every_column_comes_back(opened: Opened) -> None:
    """In one batch, so that no row can shift the one behind it."""
    before = len(opened.rows())
    batch = [
        row._replace(position=1_000 + n, version=1_000 + n)
        if row.position == row.version == 1
        else row
        for n, row in enumerate(EDGES.values())
    ]
    with SqlLog(opened.engine, 1).write([0]) as writer:
        writer.append(batch)
    found = opened.rows()
    assert len(found) == before + len(batch)
    assert {row for row in found if row in batch} == set(batch)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_batch_handed_over_in_parts_comes_back_as_one(opened: Opened, size: int) -> None:
    head = opened.heads()[0][0]
    batch = [
        row._replace(shard=0, position=head + 1 + n, version=1_000 + n)
        for n, row in enumerate(EDGES.values())
    ]
    with SqlLog(opened.engine, 1).write([0]) as writer:
        for start in range(0, len(batch) - 1, size):
            writer.hand_over(batch[start : min(start + size, len(batch) - 1)])
        assert writer.find_claims([("account", "A1")]) == {}  # a COPY under way ends before
        writer.append(batch[-1:])
    assert opened.rows()[head:] == batch


def test_a_row_handed_over_to_a_taken_place_is_a_conflict(opened: Opened) -> None:
    before = opened.rows()
    log = SqlLog(opened.engine, 1)
    fresh = a_row(position=before[-1].position + 1)
    for rows in ([before[0]], [fresh, before[0]], [fresh, fresh]):
        with pytest.raises(ConflictError):
            _hand_over(log, rows)
    assert opened.rows() == before


def _hand_over(log: SqlLog, rows: list[Row]) -> None:
    with log.write([0]) as writer:
        writer.hand_over(rows)
        writer.append([])


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
rows = st.builds(
    Row,
    shard=st.just(0),
    position=st.just(0),
    stream_id=st.uuids().map(str),
    version=st.integers(-INT - 1, INT),
    topic=texts,
    recorded_at=st.integers(-BIG - 1, BIG),
    valid_at=st.integers(-BIG - 1, BIG),
    command_id=st.none() | texts,
    metadata=texts.map(str.encode),
    payload=texts.map(str.encode),
    salt=st.binary(min_size=16, max_size=16),
    leaf_hash=st.binary(min_size=32, max_size=32),
)


@given(st.lists(rows, min_size=1, max_size=5, unique_by=lambda row: (row.stream_id, row.version)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_batch_comes_back_as_it_was(empty: Opened, drawn: list[Row]) -> None:
    head = empty.heads()[0][0]
    taken = {(row.stream_id, row.version) for row in empty.rows()}
    fresh = [row for row in drawn if (row.stream_id, row.version) not in taken]
    batch = [row._replace(position=head + 1 + n) for n, row in enumerate(fresh)]
    with SqlLog(empty.engine, 1).write([0]) as writer:
        writer.append(batch)
    assert empty.rows()[head:] == batch
