import json
from datetime import datetime

import openpyxl
import pytest

from tests.harness.import_files import (
    ACCOUNTS,
    RECHARGES,
    account_rows,
    balances,
    counts,
    reading_rows,
    refused,
)
from tests.harness.terminal import Terminal
from tests.pricing.tariffs import ENERGY, charges, document


def test_three_files_make_a_ledger_and_a_second_run_changes_nothing(terminal: Terminal) -> None:
    files = {
        "account": terminal.write("accounts.csv", account_rows(30)),
        "recharge": terminal.write(
            "recharges.csv",
            RECHARGES + "".join(f"A{n},bank,T{n},{n}.50,2026-01-01T08:00\n" for n in range(30)),
        ),
        "readings": terminal.write("readings.csv", reading_rows(30, 4)),
    }
    for topic, rows in (("account", 30), ("recharge", 30), ("readings", 120)):
        body = terminal.json(topic, "import", files[topic])
        assert counts(body) == (rows, 0, 0, 0)
        assert body["report"] is None
    before = balances(terminal)
    assert {number: balance for number, (balance, _) in before.items()} == {
        f"A{n}": n * 100 + 50 - 225 for n in range(30)
    }
    for topic, rows in (("account", 30), ("recharge", 30), ("readings", 120)):
        assert counts(terminal.json(topic, "import", files[topic])) == (0, rows, 0, 0)
    assert balances(terminal) == before
    assert not list(terminal.folder.glob("*.refused.csv*"))


def test_each_reading_that_is_not_charged_is_reported_with_its_line(terminal: Terminal) -> None:
    terminal.run("account", "import", terminal.write("a.csv", account_rows(2)))
    path = terminal.folder / "readings.csv"
    path.write_bytes(
        b"\xef\xbb\xbfAt,Total,Meter_no\r\n"
        b"2026-01-02T00:00:00,10,M0\r\n"  # 2
        b"2026-01-02T00:00:00,10.000,M0\r\n"  # 3 duplicate
        b"2026-01-02T00:00:00,11,M0\r\n"  # 4 contradiction
        b"2026-01-01T12:00:00,5,M0\r\n"  # 5 late
        b"2025-12-31T00:00:00,5,M0\r\n"  # 6 before installation
        b"2999-01-01T00:00:00,20,M0\r\n"  # 7 future
        b"2026-01-03T00:00:00,9,M0\r\n"  # 8 backward
        b"2026-01-03T00:00:00,900000,M0\r\n"  # 9 implausible
        b"2026-01-02T00:00:00,1,M9\r\n"  # 10 unknown meter
        b"2026-01-02,1,M1\r\n"  # 11 no time
        b"2026-01-02T00:00:00,1.2345,M1\r\n"  # 12 too exact
        b"2026-01-02T00:00:00,,M1\r\n"  # 13 no value
        b"2026-01-02T00:00:00,1,M 1\r\n"  # 14 no meter number
        b"2026-01-02T00:00:00,1\r\n"  # 15 too short
        b'2026-01-02T00:00:00,"1,M1\r\n'  # 16 open quote
        b"2026-01-02T00:00:00,1,\xff\r\n"  # 17 not UTF-8
        b"\r\n"
        b" 2026-01-02T00:00:00 , 4 ,\tM1\r\n"  # 19 blanks around cells
    )
    body = terminal.json("readings", "import", str(path), exit_code=3)
    assert counts(body) == (3, 1, 7, 6)
    assert body["report"] == f"{path}.refused.csv"
    assert refused(terminal, "readings.csv") == [
        (4, "contradiction"),
        (6, "before_installation"),
        (7, "future"),
        (8, "backward"),
        (9, "implausible"),
        (10, "meter_unknown"),
        *((line, "malformed") for line in range(11, 18)),
    ]
    report = terminal.read("readings.csv.refused.csv")
    again = terminal.json("readings", "import", str(path), exit_code=3)
    assert counts(again) == (0, 4, 7, 6)  # Kept aside once, told each time.
    assert terminal.read("readings.csv.refused.csv") == report
    assert {number: balance for number, (balance, _) in balances(terminal).items()} == {
        "A0": -500,
        "A1": -200,
    }


def test_a_report_is_taken_away_when_nothing_is_refused_any_more(embedded: Terminal) -> None:
    embedded.run("account", "open", "A1")
    text = f"{RECHARGES}A1,bank,T1,5,\nA2,bank,T2,5,\n"
    path = embedded.write("r.csv", text)
    embedded.run("recharge", "import", path, exit_code=3)
    assert refused(embedded, "r.csv") == [(3, "account_unknown")]
    embedded.run("account", "open", "A2")
    assert counts(embedded.json("recharge", "import", path)) == (1, 1, 0, 0)
    assert [file.name for file in embedded.folder.glob("r.csv*")] == ["r.csv"]


def test_each_payment_that_is_not_booked_is_reported_with_its_line(terminal: Terminal) -> None:
    terminal.run("account", "import", terminal.write("a.csv", account_rows(1)))
    path = terminal.write(
        "r.csv",
        "paid_at,amount,channel_txn_id,channel,account_no,currency\n"
        "2026-01-01 08:00,5,T1,bank,A0,\n"
        "2026-01-01 00:00Z,5.00,T1,bank,A0,CNY\n"  # 3 duplicate: the same instant
        "2026-01-01 08:00,6,T1,bank,A0,\n"  # 4 contradiction
        "2026-01-01 08:00,0,T2,bank,A0,\n"  # 5
        "2026-01-01 08:00,-3,T3,bank,A0,\n"  # 6
        "2026-01-01 08:00,1.001,T4,bank,A0,\n"  # 7
        "2026-01-01 08:00,1,T5,bank,A9,\n"  # 8
        "2026-01-01 08:00,1,T6,bank,A0,USD\n"  # 9
        "2999-01-01 08:00,1,T7,bank,A0,\n"  # 10
        "2026-01-01 08:00,1,,bank,A0,\n"  # 11
        "noon,1,T8,bank,A0,\n"  # 12
        ",2,T9,bank,A0,\n",
    )
    assert counts(terminal.json("recharge", "import", path, exit_code=3)) == (2, 1, 9, 0)
    assert refused(terminal, "r.csv") == [
        (4, "payment_contradiction"),
        (5, "amount_not_positive"),
        (6, "amount_not_positive"),
        (7, "malformed"),
        (8, "account_unknown"),
        (9, "wrong_currency"),
        (10, "paid_in_the_future"),
        (11, "malformed"),
        (12, "malformed"),
    ]
    assert terminal.json("account", "show", "A0")["balance_minor"] == 700


def test_a_further_row_of_an_account_adds_a_point_wherever_it_stands(terminal: Terminal) -> None:
    path = terminal.write(
        "a.csv",
        "account_no,name,site,group,service_kind,tariff_id,policy_id,meter_no,installed_at,wrap,"
        "multiplier,initial_total\n"
        'A1,"Zhang, San",n,,electricity,flat,,M1,2026-01-01T00:00:00,10000,40,1.5\n'
        "A1,,,,electricity,flat,,M2,2026-01-01T00:00:00,,,0\n"
        "A2,,,,electricity,flat,,M3,2026-01-01T00:00:00,,,0\n"
        "A1,,,,electricity,flat,,M4,2026-01-01T00:00:00,,,0\n"
        "A3,Li Si,,,,,,,,,,\n",
    )
    assert counts(terminal.json("account", "import", path)) == (5, 0, 0, 0)
    assert counts(terminal.json("account", "import", path)) == (0, 5, 0, 0)
    shown = terminal.json("account", "show", "A1")
    assert shown["name"] == "Zhang, San"
    assert [point["meter_no"] for point in shown["service_points"]] == ["M1", "M2", "M4"]
    assert terminal.json("account", "show", "A3")["name"] == "Li Si"
    (first, *_) = terminal.lines("events", "--topic", "account.service_point_added")
    kept = {name: first["payload"][name] for name in ("wrap", "multiplier_milli", "registers")}
    assert kept == {"wrap": 10_000_000, "multiplier_milli": 40_000, "registers": {"total": 1_500}}


def test_each_account_that_is_not_opened_is_reported_with_its_line(terminal: Terminal) -> None:
    path = terminal.write(
        "a.csv",
        ACCOUNTS + "A1,electricity,flat,M1,2026-01-01T00:00:00,0\n"
        "A2,electricity,none,M2,2026-01-01T00:00:00,0\n"  # 3
        "A3,electricity,flat,M1,2026-01-01T00:00:00,0\n"  # 4
        ",electricity,flat,M4,2026-01-01T00:00:00,0\n"  # 5
        "A5,electricity,flat,M5,someday,0\n"  # 6
        "A6,electricity,flat,M6,,0\n"  # 7
        "A7,steam,flat,M7,2026-01-01T00:00:00,0\n"  # 8
        "A1,electricity,flat,M1,2026-02-01T00:00:00,0\n"  # 9
        "A 8,,,,,\n"  # 10
        "A9,electricity,flat,M9,2026-01-01T00:00:00,\n",  # 11
    )
    assert counts(terminal.json("account", "import", path, exit_code=3)) == (1, 0, 9, 0)
    assert refused(terminal, "a.csv") == [
        (3, "tariff_unknown"),
        (4, "meter_in_use"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "malformed"),
        (8, "malformed"),
        (9, "meter_in_use"),
        (10, "malformed"),
        (11, "register_missing"),
    ]
    assert list(balances(terminal)) == ["A1"]


def test_a_spreadsheet_is_imported_as_a_csv_file_is(embedded: Terminal) -> None:
    embedded.run("account", "import", embedded.write("a.csv", account_rows(2)))
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["meter_no", "at", "total"])
    for day in range(2, 5):
        sheet.append(["M0", datetime(2026, 1, day), day + 0.125])  # noqa: DTZ001 - a cell
    sheet.append(["M1", "2026-01-05T00:00:00", "x"])
    path = embedded.folder / "readings.xlsx"
    book.save(path)
    body = embedded.json("readings", "import", str(path), exit_code=3)
    assert counts(body) == (3, 0, 1, 0)
    assert refused(embedded, "readings.xlsx") == [(5, "malformed")]
    (point,) = embedded.json("account", "show", "A0")["service_points"]
    assert point["registers"] == {"total": "4.125"}


@pytest.mark.parametrize(
    ("topic", "text", "code"),
    [
        ("readings", "meter_no,total\nM1,5\n", "columns_missing"),
        ("readings", "meter_no,at\nM1,2026-01-01 00:00\n", "columns_missing"),
        ("readings", "meter_no,at,Total kWh\nM1,2026-01-01 00:00,5\n", "columns_unknown"),
        ("readings", "meter_no;at;total\n", "columns_missing"),
        ("readings", "", "header_missing"),
        ("recharge", "account_no,amount\n", "columns_missing"),
        ("recharge", RECHARGES.strip() + ",colour\n", "columns_unknown"),
        ("account", "name\n", "columns_missing"),
        ("account", "account_no,colour\n", "columns_unknown"),
    ],
)
def test_a_file_of_another_kind_is_unreadable(
    embedded: Terminal, topic: str, text: str, code: str
) -> None:
    path = embedded.write("file.csv", text)
    assert embedded.json(topic, "import", path, exit_code=2)["code"] == code
    assert not list(embedded.folder.glob("*.refused.csv*"))


def test_a_column_may_be_any_register_that_a_tariff_may_have(embedded: Terminal) -> None:
    registers = ["on-peak", "2.8.0"]
    tariff = document(charges(ENERGY | {"rates": {name: ["1", "2"] for name in registers}}))
    file = embedded.write("t.json", json.dumps(tariff | {"registers": registers}))
    embedded.run("tariff", "publish", file)
    header = "account_no,service_kind,tariff_id,meter_no,installed_at,initial_on-peak,initial_2.8.0"
    rows = f"{header}\nA1,electricity,example,M1,2026-01-01T00:00:00,0,0\n"
    embedded.run("account", "import", embedded.write("a.csv", rows))
    rows = "meter_no,at,on-peak,2.8.0\nM1,2026-01-02T00:00:00,3,4\n"
    assert counts(embedded.json("readings", "import", embedded.write("r.csv", rows)))[0] == 1
    (point,) = embedded.json("account", "show", "A1")["service_points"]
    assert point["registers"] == {"on-peak": "3", "2.8.0": "4"}


def test_a_folder_is_no_file(embedded: Terminal) -> None:
    problem = embedded.json("readings", "import", str(embedded.folder), exit_code=2)
    assert problem["code"] == "file_unreadable"


def test_several_shards_take_one_file(blank: Terminal) -> None:
    blank.prepare("--shards", "4")
    blank.run("account", "import", blank.write("a.csv", account_rows(20)))
    rows = blank.write("r.csv", reading_rows(20, 3))
    assert counts(blank.json("readings", "import", rows)) == (60, 0, 0, 0)
    assert {balance for balance, _ in balances(blank).values()} == {-175}
    assert {line["shard"] for line in blank.lines("events")} == {0, 1, 2, 3}
