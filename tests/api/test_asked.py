"""What a question may say: times that exist, cursors of the very list, positions to wait for."""

import base64
from urllib.parse import urlencode

import msgspec
import pytest
from starlette.testclient import TestClient

from ledger.commands import request_command
from ledger.commands.request_command import RequestCommand
from tests.harness.busy_day import busy_day
from tests.harness.desk import ACTOR
from tests.harness.office import Office, problem

ACCOUNTS = "/api/v1/accounts"
LISTS = (
    ACCOUNTS,
    f"{ACCOUNTS}?sort=balance",
    f"{ACCOUNTS}/A1/events",
    "/api/v1/alerts",
    "/api/v1/commands",
    "/api/v1/gateways",
    "/api/v1/policies",
    "/api/v1/quarantine",
    "/api/v1/readings?meter_no=M1",
    "/api/v1/tariffs",
    "/api/v1/work-orders",
)


@pytest.fixture
def town(office: Office) -> Office:
    """A ledger with something in most of its lists."""
    desk = office.desk
    busy_day(desk)
    for number in ("A1", "A2"):
        command = RequestCommand(
            account_no=number, service_point="electricity", kind="recall", reason="a look"
        )
        request_command.handle(command, desk.ledger, ACTOR)
    office.catch_up()
    return office


def test_the_cursor_of_another_list_is_refused(town: Office) -> None:
    with town.client() as admin:
        cursors = {
            path: admin.get(path, params={"limit": 1}).json()["cursor"]
            for path in ("/api/v1/accounts", "/api/v1/tariffs", "/api/v1/commands")
        }
        assert all(cursors.values())
        for begun, cursor in cursors.items():
            for path in LISTS:
                answer = admin.get(f"{path}{_more(path)}cursor={cursor}")
                if path == begun:
                    assert answer.status_code == 200, path
                else:
                    assert (answer.status_code, problem(answer)) == (422, "cursor_invalid"), path


@pytest.mark.parametrize(
    "key",
    [
        ["account_no", "\x00"],
        ["account_no", 10**20],
        ["balance", 10**30, 0, "A1"],
        ["commands", 2**63, 0, "x"],
        ["commands", -(2**63), 0, "\x00"],
        ["tariff", "\x00"],
        {"a": 1},
        None,
    ],
)
def test_a_made_up_cursor_is_refused_and_breaks_nothing(office: Office, key: object) -> None:
    cursor = base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")
    with office.client() as admin:
        for path in (ACCOUNTS, f"{ACCOUNTS}?sort=balance", "/api/v1/commands", "/api/v1/tariffs"):
            answer = admin.get(f"{path}{_more(path)}cursor={cursor}")
            assert (answer.status_code, problem(answer)) == (422, "cursor_invalid"), path


def test_a_time_that_no_calendar_has_is_named(office: Office, admin: TestClient) -> None:
    office.desk.open("A1")
    office.catch_up()
    odd = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00", "x")
    for wrong in odd:
        for path, name in (
            (f"{ACCOUNTS}/A1", "valid_at"),
            (f"{ACCOUNTS}/A1", "known_at"),
            (f"{ACCOUNTS}/A1/events", "from"),
            (f"{ACCOUNTS}/A1/events", "to"),
            ("/api/v1/readings?meter_no=M1", "from"),
        ):
            answer = admin.get(f"{path}{_more(path)}{urlencode({name: wrong})}")
            assert (answer.status_code, problem(answer)) == (422, "invalid"), (path, name, wrong)
            assert answer.json()["problems"][0]["path"] == f"/{name}"


def test_what_was_written_can_be_waited_for_in_every_read_of_it(
    office: Office, admin: TestClient
) -> None:
    office.desk.open("A1")
    office.catch_up()
    heads = office.desk.heads()
    after = ",".join(f"{shard}:{position}" for shard, position in heads.items())
    for path in ("", "/events", "/statement", "/usage", "/why"):
        answer = admin.get(f"{ACCOUNTS}/A1{path}", params={"after": after})
        assert answer.status_code == 200, path
    for path in ("readings?meter_no=M1", "quarantine", "commands", "tariffs", "meters", "totals"):
        joined = f"{path}{_more(path)}after={after}"
        assert admin.get(f"/api/v1/{joined}").status_code == 200, path


def _more(path: str) -> str:
    """What joins a further parameter to a path."""
    return "&" if "?" in path else "?"
