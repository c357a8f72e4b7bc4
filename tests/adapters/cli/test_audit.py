import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from adapters.store.engine import create_engine
from tests.harness.copies import Copies
from tests.harness.postgres import Postgres
from tests.harness.terminal import Terminal

BEFORE = '"amount_minor":1200,"balance_after_minor":'
AFTER = '"amount_minor":1300,"balance_after_minor":'
READINGS = "meter_no,at,total\nM1,2026-01-02T00:00:00,10\nM1,2026-01-03T00:00:00,40\n"


@pytest.fixture
def busy(blank: Terminal, copies: Copies) -> Terminal:
    """A ledger in which an account was paid for, read, cut and paid for again, late."""
    return copies.hand_out("busy", blank, get_busy)


def get_busy(terminal: Terminal) -> None:
    terminal.prepare()
    terminal.open("A1", "M1", "--name", "Zhang San")
    paid = ("--channel", "cash", "--paid-at")
    terminal.run("recharge", "A1", "12", "--txn", "T1", *paid, "2026-01-01 09:00")
    terminal.run("readings", "import", terminal.write("r.csv", READINGS))
    terminal.run("recharge", "A1", "30", "--txn", "T2", *paid, "2026-01-02 12:00")
    terminal.run("adjust", "A1", "2", "--wallet", "granted", "--reason", "sorry")
    terminal.open("A2", "M2")


def topics(lines: list[Any]) -> list[str]:
    return [line["topic"].removesuffix(".v1") for line in lines]


# ---------------------------------------------------------------- events


def test_events_are_printed_in_order_with_payload_and_metadata_as_written(busy: Terminal) -> None:
    lines = busy.lines("events")
    assert [line["position"] for line in lines] == list(range(1, len(lines) + 1))
    credited = next(line for line in lines if line["topic"] == "account.credited.v1")
    assert credited["payload"]["amount_minor"] == 1_200
    assert credited["valid_at"] == "2026-01-01T01:00:00Z"
    assert credited["metadata"]["actor"].startswith("cli:")
    assert busy.run("events").stdout == busy.run("events", "--json").stdout


def test_events_can_be_narrowed_and_continued(busy: Terminal) -> None:
    of_account = busy.lines("events", "--account", "A1")
    assert {line["payload"]["account_no"] for line in of_account} == {"A1"}
    charged = busy.lines("events", "--account", "A1", "--topic", "account.charged")
    assert topics(charged) == ["account.charged"] * 2
    assert set(topics(busy.lines("events", "--topic", "tariff."))) == {"tariff.published"}
    assert busy.lines("events", "--topic", "account.charge") == []
    first = busy.lines("events", "--limit", "3")
    rest = busy.lines("events", "--after", f"0:{first[-1]['position']}")
    assert first + rest == busy.lines("events")
    unknown = busy.lines("events", "--account", "A9", exit_code=4)
    assert [problem["code"] for problem in unknown] == ["account_unknown"]


# ---------------------------------------------------------------- replay


def test_a_replay_adds_up_the_money_after_each_event(busy: Terminal) -> None:
    lines = busy.lines("replay", "A1")
    moves = [(line["amount_minor"], line["available_minor"]) for line in lines]
    moving = [move for move in moves if move[0]]
    assert moving == [(1_200, 1_200), (-500, 700), (-1_500, -800), (3_000, 2_200), (200, 2_400)]
    assert lines[-1]["balance_minor"] == busy.json("account", "show", "A1")["balance_minor"]
    assert lines[-1]["granted_minor"] == 200
    assert not [line for line in lines if "stated_balance_minor" in line]
    levels = [line["alert_level"] for line in lines]
    assert levels[levels.index("trip") :].count("trip") == 2
    assert "account.supply_trip_ordered" in busy.run("replay", "A1").stdout


def test_a_replay_as_it_was_true_counts_a_late_payment_from_when_it_was_paid(
    busy: Terminal,
) -> None:
    until = {"2026-01-01 10:00": 1_200, "2026-01-02 06:00": 700, "2026-01-02 12:00": 3_700}
    for moment, available in until.items():
        lines = busy.lines("replay", "A1", "--valid-at", moment)
        assert lines[-1]["available_minor"] == available


def test_a_replay_as_it_was_known_ends_at_that_position_or_time(busy: Terminal) -> None:
    whole = busy.lines("replay", "A1")
    for line in whole:
        known = busy.lines("replay", "A1", "--known-at", f"0:{line['position']}")
        assert known == whole[: whole.index(line) + 1]
    last_known = whole[2]["recorded_at"]
    known = busy.lines("replay", "A1", "--known-at", last_known)
    assert known == [line for line in whole if line["recorded_at"] <= last_known]


@pytest.mark.parametrize(
    ("options", "exit_code", "code"),
    [
        (("A9",), 4, "account_unknown"),
        (("A1", "--valid-at", "2025-01-01 00:00"), 4, "account_unknown"),
        (("A1", "--known-at", "0:1"), 4, "account_unknown"),
        (("A1", "--known-at", "3:1"), 2, "position_invalid"),
        (("A1", "--known-at", "then"), 2, "time_invalid"),
        (("A1", "--valid-at", "0:1"), 2, "time_invalid"),
    ],
)
def test_a_replay_of_nothing_says_so(
    embedded: Terminal, options: tuple[str, ...], exit_code: int, code: str
) -> None:
    embedded.open("A1", "M1")
    assert embedded.json("replay", *options, exit_code=exit_code)["code"] == code


# ---------------------------------------------------------------- verify


def test_an_untouched_ledger_is_verified(busy: Terminal) -> None:
    assert busy.json("verify") == {"ok": True, "count": 0, "differences": []}
    assert "Everything follows from the log" in busy.run("verify").stdout


def test_a_single_changed_byte_in_a_copy_ends_with_3_and_its_line(
    busy: Terminal, tmp_path: Path
) -> None:
    copy = busy
    if busy.database_url.startswith("sqlite"):
        copy = Terminal(busy.folder, _forged_copy(busy.database_url, tmp_path / "copy.db"))
    else:
        _forge(busy.database_url)
    body = copy.json("verify", exit_code=3)
    assert not body["ok"]
    first = body["differences"][0]
    forged = copy.lines("events", "--topic", "account.credited", "--limit", "1")[0]
    assert (first["shard"], first["position"]) == (0, forged["position"])
    assert copy.run("verify", exit_code=3).stdout
    replayed = copy.lines("replay", "A1", exit_code=3)
    differing = [line for line in replayed if "stated_balance_minor" in line]
    assert differing[0]["position"] == forged["position"]


def _forged_copy(url: str, path: Path) -> str:
    """A copy of a database file in which one byte of the first payment is another."""
    source_path = make_url(url).database or ""
    with closing(sqlite3.connect(source_path)) as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    content = path.read_bytes()
    assert BEFORE.encode() in content
    path.write_bytes(content.replace(BEFORE.encode(), AFTER.encode(), 1))
    return f"sqlite:///{path}"


def _forge(url: str) -> None:
    """Change one digit of the first payment, past the guards, as only an owner can."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE events DISABLE TRIGGER USER"))
        statement = text(
            "UPDATE events SET payload = replace(payload, :before, :after) WHERE position ="
            " (SELECT min(position) FROM events WHERE topic = 'account.credited.v1')"
        )
        connection.execute(statement, {"before": BEFORE, "after": AFTER})
    engine.dispose()


def test_a_changed_balance_in_a_view_is_found_and_rebuilt(busy: Terminal) -> None:
    busy.run("account", "list")
    engine = create_engine(busy.database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE account_no = 'A1'")
        )
    engine.dispose()
    body = busy.json("verify", exit_code=3)
    assert {(each["check"], each["view"]) for each in body["differences"]} == {("view", "accounts")}
    kept = busy.json("rebuild", "accounts", exit_code=3)
    assert kept["differences"]
    assert not kept["swapped"]
    assert busy.json("account", "show", "A1")["balance_minor"] == 2_201
    assert busy.json("rebuild", "accounts", "--accept")["swapped"]
    assert busy.json("account", "show", "A1")["balance_minor"] == 2_200
    assert busy.json("verify")["ok"]


def test_every_view_is_rebuilt_and_equal(busy: Terminal) -> None:
    bodies = busy.json("rebuild")
    assert {body["view"] for body in bodies} >= {"accounts", "statements", "energy_by_day"}
    assert all(body["swapped"] and not body["differences"] for body in bodies)
    assert busy.json("rebuild", "acounts", exit_code=4)["code"] == "view_unknown"


# ---------------------------------------------------------------- doctor


def failed(body: Any) -> list[str]:  # noqa: ANN401 - a body
    return [check["name"] for check in body["checks"] if check["status"] == "failed"]


def test_a_healthy_ledger_passes_every_check(busy: Terminal) -> None:
    body = busy.json("doctor")
    assert body["ok"]
    names = {check["name"] for check in body["checks"]}
    assert names >= {"database", "schema", "guards", "durability", "log 0", "clock", "vault key"}
    assert "append" in busy.run("doctor").stdout
    (clock,) = [check["detail"] for check in body["checks"] if check["name"] == "clock"]
    assert re.fullmatch(r"\d+\.\d s past the log's end", clock)


def test_a_stream_that_is_not_parked_is_left_alone(busy: Terminal) -> None:
    for stream in ("A1", "meter/M1"):
        assert busy.json("unpark", stream) == {"stream": stream, "events": 0}


def test_a_missing_guard_is_found(busy: Terminal) -> None:
    guard = "events_no_update" if busy.database_url.startswith("sqlite") else "events_no_change"
    on = "" if busy.database_url.startswith("sqlite") else " ON events"
    engine = create_engine(busy.database_url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {guard}{on}"))
    engine.dispose()
    body = busy.json("doctor", exit_code=3)
    assert failed(body) == ["guards"]
    assert guard in json.dumps(body)


def test_a_head_that_is_not_the_last_position_is_found(busy: Terminal) -> None:
    engine = create_engine(busy.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE log_heads SET position = position + 1"))
    engine.dispose()
    assert failed(busy.json("doctor", exit_code=3)) == ["log 0"]


def test_an_old_schema_a_clock_behind_the_log_and_a_lost_key_are_found(busy: Terminal) -> None:
    (busy.folder / "vault.key").unlink()
    engine = create_engine(busy.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(text("UPDATE log_heads SET recorded_at = recorded_at + 60000000"))
    engine.dispose()
    body = busy.json("doctor", exit_code=3)
    assert set(failed(body)) == {"schema", "clock", "vault key"}
    assert "s before the log's end" in json.dumps(body)


def test_a_key_that_others_may_read_is_a_warning(busy: Terminal) -> None:
    (busy.folder / "vault.key").chmod(0o644)
    body = busy.json("doctor")
    (check,) = [check for check in body["checks"] if check["name"] == "vault key"]
    assert check["status"] == "warning"


def test_views_behind_the_log_are_counted(embedded: Terminal) -> None:
    embedded.run("account", "open", "A1")
    checks = {check["name"]: check["detail"] for check in embedded.json("doctor")["checks"]}
    assert checks["views front"] == "3 events behind"
    embedded.run("account", "list")
    checks = {check["name"]: check["detail"] for check in embedded.json("doctor")["checks"]}
    assert checks["views front"] == "0 events behind"


@pytest.mark.postgres
def test_a_role_that_may_change_the_log_is_found(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    database = postgres_url.rpartition("/")[2]
    admin = create_engine(postgres_url)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE ROLE clerk_{database} LOGIN"))
        connection.execute(text(f"ALTER DATABASE {database} OWNER TO clerk_{database}"))
    terminal = Terminal(tmp_path, postgres_url.replace("postgres@", f"clerk_{database}@"))
    terminal.prepare()
    grants = {check["name"]: check for check in terminal.json("doctor")["checks"]}["grants"]
    assert (grants["status"], grants["detail"]) == ("ok", "read and append only")
    with admin.begin() as connection:
        connection.execute(text(f"GRANT UPDATE ON events TO clerk_{database}"))
    body = terminal.json("doctor", exit_code=3)
    assert failed(body) == ["grants"]
    with admin.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {database} OWNER TO postgres"))
        connection.execute(text(f"REASSIGN OWNED BY clerk_{database} TO postgres"))
        connection.execute(text(f"DROP OWNED BY clerk_{database}"))
        connection.execute(text(f"DROP ROLE clerk_{database}"))
    admin.dispose()
