"""A view is made anew beside the live one, and takes its place only when both say the same."""

import pytest
from sqlalchemy import text

from adapters.views import folding, rebuild, runs, writer
from adapters.views.views import UnknownViewError
from ledger.commands.late_readings import Reading
from ledger.projections.accounts import Accounts
from tests.harness.desk import Desk, at_us, point
from tests.harness.meanwhile import IsOver, going_on
from tests.harness.postgres import Postgres
from tests.harness.reckoning import check_all
from tests.harness.tampering import smuggle

CELLS = {
    "account_totals": "accounts = accounts + 1",
    "accounts": "balance_minor = balance_minor + 1",
    "alerts": "level = 'none'",
    "energy_by_day": "quantity = quantity + 1",
    "journal_totals": "debit_minor = debit_minor + 1",
    "quarantine": "code = 'late'",
    "statements": "charged_minor = charged_minor - 1",
}


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """A ledger in which every view has rows, caught up."""
    for number in range(6):
        desk.open(f"A{number}", point(f"M{number}"))
        desk.recharge(f"A{number}", 30_00)
    desk.read_all(
        *(Reading(f"M{n}", at_us("2026-01-02"), {"total": n * 20_000}) for n in range(6)),
        Reading("M9", at_us("2026-01-02"), {"total": 1}),
    )
    desk.views.catch_up()
    return desk


def execute(desk: Desk, statement: str) -> int:
    with desk.engine.begin() as connection:
        changed: int = connection.execute(text(statement)).rowcount
        return changed


def rows(desk: Desk, view: str) -> set[str]:
    with desk.engine.begin() as connection:
        return {repr(tuple(row)) for row in connection.execute(text(f"SELECT * FROM {view}"))}


@pytest.mark.postgres
def test_who_may_use_a_view_may_use_it_after_a_rebuild(
    postgres: Postgres, postgres_url: str
) -> None:
    desk = Desk.at(postgres_url)
    desk.open("A1", point("M1"))
    desk.views.catch_up()
    roles = [f"{role}_{postgres_url.rpartition('/')[2]}" for role in ("serving", "report")]
    serving, report = roles
    for role in roles:
        execute(desk, f"CREATE ROLE {role} LOGIN")
    execute(desk, f"GRANT SELECT, INSERT, UPDATE ON accounts TO {serving}")
    execute(desk, f"GRANT SELECT ON accounts TO {report} WITH GRANT OPTION")
    execute(desk, f"GRANT UPDATE (balance_minor) ON accounts TO {report}")
    execute(desk, "GRANT SELECT ON accounts TO PUBLIC")
    rights = "SELECT relacl::text FROM pg_class WHERE relname = 'accounts' UNION ALL "
    rights += "SELECT attacl::text FROM pg_attribute WHERE attrelid = 'accounts'::regclass"
    rights += " AND attacl IS NOT NULL"
    try:
        before = held(desk, rights)
        assert len(before) == 2
        for _ in range(2):
            assert desk.views.rebuild("accounts").swapped
            assert held(desk, rights) == before
    finally:
        for role in roles:
            execute(desk, f"DROP OWNED BY {role}")
            execute(desk, f"DROP ROLE {role}")
        desk.close()


def held(desk: Desk, rights: str) -> list[set[str]]:
    """What each list of rights holds, in any order."""
    with desk.engine.begin() as connection:
        return [set(acl.strip("{}").split(",")) for acl in connection.scalars(text(rights))]


def test_a_corrupted_cell_is_found_and_repaired_on_demand(lived: Desk) -> None:
    for view, change in CELLS.items():
        before = rows(lived, view)
        assert execute(lived, f"UPDATE {view} SET {change}") > 0
        found = lived.views.differences()
        assert {item.view for item in found} == {view}
        assert {item.side for item in found} == {"live", "log"}
        kept = lived.views.rebuild(view)
        assert (kept.swapped, len(kept.differences)) == (False, len(found))
        assert rows(lived, view) != before
        assert lived.views.rebuild(view, accept=True).swapped
        assert rows(lived, view) == before
    assert lived.views.differences() == []


def test_a_lost_row_is_found(lived: Desk) -> None:
    for view in CELLS:
        assert execute(lived, f"DELETE FROM {view} WHERE shard IN (0, 2)") > 0, view
    found = lived.views.differences()
    assert {(item.view, item.side) for item in found} == {(view, "log") for view in CELLS}


def test_a_row_that_no_event_tells_is_found(lived: Desk) -> None:
    execute(lived, "INSERT INTO quarantine (shard, position, code) VALUES (0, 99, 'made up')")
    (found,) = lived.views.differences()
    assert (found.view, found.side, found.row["code"]) == ("quarantine", "live", "made up")


def test_every_view_is_rebuilt_in_one_pass(lived: Desk) -> None:
    before = {view: rows(lived, view) for view in lived.views.names()}
    told: list[tuple[int, int]] = []
    rebuilt = lived.views.rebuild_all(on_progress=lambda done, total: told.append((done, total)))
    assert [item.view for item in rebuilt] == lived.views.names()
    assert all(item.swapped and not item.differences for item in rebuilt)
    assert all(item.rows == len(before[item.view]) for item in rebuilt)
    assert {view: rows(lived, view) for view in lived.views.names()} == before
    total = sum(lived.heads().values())
    assert {item.events for item in rebuilt} == {total}
    assert told[-1] == (total, total)


def test_a_long_log_is_folded_by_processes_side_by_side(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "LONG", 0)
    monkeypatch.setattr(rebuild, "READ_MAX", 5)
    test_every_view_is_rebuilt_in_one_pass(lived)
    execute(lived, "DELETE FROM statements")
    assert {item.view for item in lived.views.differences()} == {"statements"}


def test_processes_find_nothing_to_do_where_no_view_has_moved_yet(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "LONG", 0)
    desk.open("A1", point("M1"))
    made = desk.views.rebuild_all()
    assert all(item.swapped and (item.events, item.rows) == (0, 0) for item in made)


def test_rows_written_often_or_once_come_to_the_same(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "READ_MAX", 7)
    monkeypatch.setattr(folding, "READ_MAX", 3)
    assert lived.views.differences() == []
    monkeypatch.setattr(folding, "PILED_MAX", 1)
    assert lived.views.differences() == []
    monkeypatch.setattr(runs, "TOGETHER", 2)
    assert lived.views.differences() == []


def test_a_rebuilt_view_is_kept_on_as_before(lived: Desk) -> None:
    lived.views.rebuild_all()
    lived.read("M1", "2026-01-03", 30_000)
    lived.recharge("A2", 5_00)
    lived.views.catch_up()
    check_all(lived)
    assert lived.views.differences() == []
    assert all(item.swapped for item in lived.views.rebuild_all())


def test_a_new_version_of_a_view_waits_for_consent(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Accounts, "version", 2)
    assert not lived.views.rebuild("accounts").swapped
    assert lived.views.rebuild("accounts", accept=True).swapped
    assert lived.views.rebuild("accounts").swapped


def test_a_rebuild_that_was_interrupted_leaves_nothing_in_the_way(lived: Desk) -> None:
    execute(lived, "CREATE TABLE accounts__next (leftover INTEGER)")
    assert lived.views.rebuild("accounts").swapped
    with pytest.raises(UnknownViewError, match="There is no view account;"):
        lived.views.rebuild("account")


def test_a_rebuild_stops_where_the_live_view_stands(lived: Desk) -> None:
    lived.recharge("A0", 5_00)
    heads = lived.heads()
    rebuilt = lived.views.rebuild("accounts")
    assert (rebuilt.swapped, rebuilt.events) == (True, sum(heads.values()) - 2)
    lived.views.catch_up()
    check_all(lived)


def test_shards_that_are_folded_together_at_the_end_stay_apart(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step folds what is left of every shard in one transaction."""
    monkeypatch.setattr(writer, "MANY", 1)
    monkeypatch.setattr(rebuild, "LONG", 10**9)
    monkeypatch.setattr(rebuild, "_cut", lambda *_about: [])
    assert lived.views.differences() == []
    monkeypatch.setattr(rebuild, "READ_MAX", 2)
    monkeypatch.setattr(rebuild, "APPROACHED", 3)
    monkeypatch.setattr(folding, "READ_MAX", 3)
    assert lived.views.differences() == []


def test_a_rebuild_goes_on_while_everybody_writes(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "READ_MAX", 5)
    monkeypatch.setattr(folding, "READ_MAX", 5)
    colleague = lived.colleague()

    def work(is_over: IsOver) -> int:
        number = 0
        while not is_over():
            number += 1
            colleague.recharge(f"A{number % 6}", 1_00)
            later = at_us("2026-01-03") + number
            colleague.read_all(Reading(f"M{number % 6}", later, {"total": 100_000 + number}))
            colleague.views.catch_up()
        return number

    with going_on(work) as (working,):
        made = lived.views.rebuild_all()
        while made[-1].events < made[0].events + 60 and not working.done():
            made += lived.views.rebuild_all()
    assert working.result() >= 15
    assert all(item.swapped and not item.differences for item in made)
    lived.views.catch_up()
    check_all(lived)
    assert lived.views.differences() == []
    colleague.close()


def test_a_log_with_holes_is_folded_to_its_end(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuild, "READ_MAX", 4)
    monkeypatch.setattr(folding, "READ_MAX", 2)
    is_server = lived.engine.dialect.name == "postgresql"
    off = (
        "ALTER TABLE events DISABLE TRIGGER USER" if is_server else "DROP TRIGGER events_no_delete"
    )
    execute(lived, off)
    assert execute(lived, "DELETE FROM events WHERE topic LIKE 'account.charged.%'") > 0
    found = {item.view for item in lived.views.differences()}
    assert {"accounts", "statements", "energy_by_day"} <= found
    kept = lived.views.rebuild("energy_by_day", accept=True)
    assert (kept.swapped, kept.rows) == (True, 0)
    last = "SELECT max(position) FROM events WHERE shard = 1"
    execute(lived, f"DELETE FROM events WHERE shard = 1 AND position = ({last})")
    assert lived.views.differences() != []


def test_an_event_of_no_known_topic_is_found(lived: Desk) -> None:
    smuggle(lived, 1, "00000000-0000-5000-8000-000000000000", "account.promoted.v1", "{}")
    findings = lived.views.verify()
    assert [item["check"] for item in findings] == ["payload"]
