"""The leaf is what its description says, byte for byte, for ever."""

from hypothesis import example, given
from hypothesis import strategies as st

from ledger.events import command, command_batch, gateway, supply, trips, work_order
from ledger.events.leaf import leaf_entry, leaf_hash
from ledger.events.registry import EVENT_TYPES
from ledger.ports import Row
from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk
from tests.harness.ledgers import Opened
from tests.harness.soundness import assert_sound, leaf_of

words = st.text(st.characters(exclude_characters=" \n", exclude_categories=["Cs"]), min_size=1)
rows = st.builds(
    Row,
    shard=st.integers(0, 2**31 - 1),
    position=st.integers(1, 2**63 - 1),
    stream_id=st.uuids().map(str),
    version=st.integers(1, 2**31 - 1),
    topic=words,
    recorded_at=st.integers(-(2**63), 2**63 - 1),
    valid_at=st.integers(-(2**63), 2**63 - 1),
    command_id=st.none() | words,
    metadata=st.binary(),
    payload=st.binary(),
    salt=st.binary(min_size=16, max_size=16),
    leaf_hash=st.just(b""),
)


@given(rows)
@example(Row(0, 1, "-", 1, "t", 0, -1, None, b"", b"", bytes(16), b""))
def test_the_leaf_is_what_an_auditor_builds_from_its_description(row: Row) -> None:
    assert leaf_hash(leaf_entry(*row[:-1])) == leaf_of(row)


@given(rows, st.data())
def test_no_part_of_a_row_can_change_under_its_leaf(row: Row, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(Row._fields[:-1]))
    other = row._replace(**{field: getattr(data.draw(rows), field)})
    assert (leaf_of(other) == leaf_of(row)) == (other == row)


OF_METERS_ON_THE_WIRE = {
    topic
    for topic, event in EVENT_TYPES.items()
    if event
    in {
        *command.EVENTS,
        *command_batch.EVENTS,
        *work_order.EVENTS,
        *gateway.EVENTS,
        *supply.EVENTS,
        *trips.EVENTS,
    }
} | {"meter.connected.v1"}
"""Facts of buses and relays; their own tests write them on real sockets."""


def test_every_row_of_a_busy_day_fits_its_leaf(database_url: str) -> None:
    desk = Desk.at(database_url, shards=3)
    busy_day(desk)
    desk.restart()
    busy_day(desk, street="second-")
    written = assert_sound(Opened(desk.ledger, desk.engine))
    desk.close()
    unwritten = set(EVENT_TYPES) - {row.topic for row in written}
    assert unwritten <= OF_METERS_ON_THE_WIRE
    assert len({row.salt for row in written}) == len(written)
    assert {row.shard for row in written} == {0, 1, 2}
