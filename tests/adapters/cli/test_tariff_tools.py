"""What the author of a tariff and whoever answers for a bill do at a terminal."""

import json
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.commands.test_hours_of_a_register import BY_DAY_TYPE, by_hours
from tests.harness.documents import daily_fee, energy, sold, version
from tests.harness.documents import tariff as made
from tests.harness.ledgers import tariff
from tests.harness.terminal import Terminal


@pytest.fixture
def read(embedded: Terminal) -> Terminal:
    """An account that was read on two days, with a reading that contradicts."""
    embedded.open("A1", "M1")
    rows = [("2026-01-02T00:00:00", 10), ("2026-01-04T00:00:00", 30), ("2026-01-04T00:00:00", 31)]
    lines = "".join(f"M1,{at},{total}\n" for at, total in rows)
    path = embedded.write("r.csv", f"meter_no,at,total\n{lines}")
    embedded.run("readings", "import", path, exit_code=3)
    return embedded


def test_two_documents_are_compared_place_by_place(embedded: Terminal) -> None:
    old = embedded.write("old.json", json.dumps(tariff()))
    new = embedded.write("new.json", json.dumps(tariff(rate="0.60")))
    assert embedded.json("tariff", "diff", old, old) == {"same": True, "changes": []}
    body = embedded.json("tariff", "diff", old, new, exit_code=3)
    (change,) = body["changes"]
    assert change["path"].startswith("/versions/")
    assert "energy" in change["path"]
    assert "0.60" in str(change["new"])
    assert change["path"] in embedded.run("tariff", "diff", old, new, exit_code=3).stdout


def test_a_draft_is_tried_and_nothing_is_written(read: Terminal) -> None:
    before = len(read.lines("events"))
    same = read.json("tariff", "preview", str(read.folder / "flat.json"))
    assert (same["accounts"], same["intervals"], same["difference_minor"]) == (1, 2, 0)
    dearer = read.write("dearer.json", json.dumps(tariff(rate="0.60")))
    body = read.json("tariff", "preview", dearer, "--accounts", "A1")
    assert (body["before_minor"], body["after_minor"], body["losers"]) == (15_00, 18_00, 1)
    since = read.json("tariff", "preview", dearer, "--from", "2026-01-02T12:00:00+08:00")
    assert since["difference_minor"] == 2_00
    assert "18.00" in read.run("tariff", "preview", dearer).stdout
    assert len(read.lines("events")) == before


def test_what_payments_would_buy_under_a_draft_is_told_in_units(embedded: Terminal) -> None:
    embedded.run("tariff", "publish", embedded.write("sold.json", json.dumps(sold())))
    opening = ("account", "open", "A2", "--meter", "M2", "--tariff", "sold")
    embedded.json(*opening, "--installed-at", "2026-01-01 00:00", "--initial", "0")
    paid = ("--channel", "cash", "--txn", "T1", "--paid-at", "2026-03-02T00:00:00+08:00")
    embedded.json("recharge", "A2", "398", *paid)
    draft = sold()
    draft["versions"][0]["charges"][0]["amount"] = "49.00"
    path = embedded.write("draft.json", json.dumps(draft))
    body = embedded.json("tariff", "preview", path)
    assert (body["unit"], body["units"]["before"], body["units"]["after"]) == (
        "kWh",
        "247.6",
        "286.2",
    )
    text = embedded.run("tariff", "preview", path).stdout
    assert "247.6 → 286.2 kWh (38.6)" in text
    assert re.search(r"A2 .* 247\.6 .* 286\.2 .* 38\.6", text)


def test_a_charge_is_explained_by_its_position(read: Terminal) -> None:
    charged = [each for each in read.lines("events") if each["topic"] == "account.charged.v1"]
    position = str(charged[-1]["position"])
    body = read.json("explain", "A1", position)
    (interval,) = body["intervals"]
    assert interval["steps"][0]["lines"][0]["arithmetic"] == "20 × 0.5"
    text = read.run("explain", "A1", f"0:{position}").stdout
    assert "20 × 0.5" in text
    local = datetime.fromisoformat(body["valid_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    assert f"{local:%Y-%m-%d %H:%M:%S}" in text
    assert body["valid_at"].endswith("Z")
    assert not re.search(r"\dT\d", text)
    assert read.json("explain", "A1", "1", exit_code=4)["code"] == "position_unknown"
    assert read.json("explain", "A1", "x", exit_code=2)["code"] == "position_invalid"


def test_what_waits_is_listed_and_settled(read: Terminal) -> None:
    (item,) = read.json("readings", "quarantine", "list")["items"]
    assert item["code"] == "contradiction"
    place = f"{item['shard']}:{item['position']}"
    assert place in read.run("readings", "quarantine", "list", "--meter", "M1").stdout
    waiting = read.json("readings", "quarantine", "recompute", exit_code=3)["waiting"]
    assert [each["code"] for each in waiting] == ["contradiction"]
    words = ("readings", "quarantine", "correct", place, "--register", "31", "--reason", "typo")
    assert read.json(*words, exit_code=1)["code"] == "contradiction"
    dismiss = ("readings", "quarantine", "dismiss", place, "--reason", "typo")
    assert read.json(*dismiss)["outcome"] == "dismissed"
    assert read.json("readings", "quarantine", "list")["items"] == []
    assert read.json(*dismiss, exit_code=4)["code"] == "quarantine_unknown"


def test_silent_meters_accrue_once(embedded: Terminal) -> None:
    by_day = made("by_day", version(energy(["0.5"]), daily_fee("0.2")))
    embedded.run("tariff", "publish", embedded.write("by_day.json", json.dumps(by_day)))
    installed = ("--installed-at", "2026-01-01 00:00", "--initial", "0")
    embedded.json("account", "open", "A2", "--meter", "M2", "--tariff", "by_day", *installed)
    first = embedded.json("accrue")
    assert first["accounts"] == 1
    assert first["days"] > 100
    assert embedded.json("accrue")["days"] == 0


def test_the_holidays_of_a_year_are_added_from_a_file(embedded: Terminal) -> None:
    embedded.run("tariff", "publish", embedded.write("h.json", json.dumps(by_hours(BY_DAY_TYPE))))
    notice = {"calendar": "cn", "year": 2031, "off": ["2031-01-01"]}
    path = embedded.write("2031.json", json.dumps(notice))
    body = embedded.json("tariff", "add-holidays", path)
    assert (body["year"], [each["tariff_id"] for each in body["tariffs"]]) == (2031, ["hours"])
    assert "knows 2031 already" in embedded.run("tariff", "add-holidays", path).stdout
    wrong = embedded.write("wrong.json", json.dumps(notice | {"year": 2032}))
    problem = embedded.json("tariff", "add-holidays", wrong, exit_code=1)
    assert (problem["code"], problem["problems"][0]["path"]) == (
        "tariff_invalid",
        "/holidays/1/off/0",
    )
    unread = embedded.write("unread.json", json.dumps({"year": 2032}))
    embedded.json("tariff", "add-holidays", unread, exit_code=2)


def test_a_draft_waits_for_a_second_person(
    embedded: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_APPROVALS", "tariff")
    monkeypatch.setenv("LOGNAME", "ann")
    path = embedded.write("new.json", json.dumps(tariff("new")))
    assert embedded.json("tariff", "publish", path)["waits_for_approval"] is True
    assert embedded.json("tariff", "approve", "new", "1", exit_code=1)["code"] == "same_person"
    monkeypatch.setenv("LOGNAME", "bob")
    assert embedded.json("tariff", "approve", "new", "1")["approved_by"] == "cli:bob"
    monkeypatch.setenv("LEDGER_APPROVALS", "everything")
    assert embedded.json("tariff", "approve", "new", "1", exit_code=2)["status"] == 400


def test_the_bench_of_previews_rates_every_interval(embedded: Terminal) -> None:
    body = embedded.json("bench", "preview", "--accounts", "3", "--days", "20")
    assert (body["bench"], body["intervals"]) == ("preview", 60)
