"""What PostgreSQL and SQLite say differently says the same, and is found in the index."""

from sqlalchemy import select, text

from adapters.store.dialects import by_shard
from adapters.store.tables import claims
from tests.harness.desk import Desk


def test_rows_of_many_shards_are_found_and_no_others(database_url: str) -> None:
    desk = Desk.at(database_url, shards=3)
    kept = [(0, "a"), (0, "b"), (1, "a"), (2, "c")]
    with desk.engine.begin() as connection:
        for shard, key in kept:
            row = {"shard": shard, "kind": "x", "key": key}
            connection.execute(
                claims.insert(), {**row, "fingerprint": "", "owner": "", "answer": ""}
            )
        for wanted in ([(0, "b"), (1, "a"), (2, "a"), (9, "c")], [], kept):
            of_kind = select(claims.c.shard, claims.c.key).where(claims.c.kind == "x")
            among = by_shard(connection, claims.c.shard, claims.c.key, wanted)
            found = {tuple(row) for row in connection.execute(of_kind.where(among))}
            assert found == set(wanted) & set(kept)
    desk.close()


def test_sqlite_reads_no_whole_table_for_a_few_keys(sqlite_url: str) -> None:
    desk = Desk.at(sqlite_url, shards=2)
    with desk.engine.begin() as connection:
        among = by_shard(connection, claims.c.shard, claims.c.key, [(0, "a"), (1, "b")])
        statement = select(claims.c.owner).where(claims.c.kind == "x", among)
        compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
    desk.close()
    searched = [row[-1] for row in plan if "SEARCH" in row[-1]]
    assert searched
    assert all("key=?" in step for step in searched)
    assert not [row for row in plan if "SCAN" in row[-1]]
