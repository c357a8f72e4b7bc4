from starlette.testclient import TestClient

from tests.harness.busy_day import busy_day
from tests.harness.desk import at_us
from tests.harness.office import Office, key, problem

ACCOUNTS = "/api/v1/accounts"


def meter(meter_no: str, **particulars: object) -> dict[str, object]:
    return {
        "service_kind": "electricity",
        "meter_no": meter_no,
        "tariff_id": "flat",
        "installed_at": "2026-01-01T00:00:00+08:00",
        "initial": {"total": "0"},
        **particulars,
    }


def after(body: dict[str, dict[str, int]]) -> str:
    """Positions of a write, as a reader asks for them."""
    return ",".join(f"{shard}:{position}" for shard, position in body["positions"].items())


def test_an_account_is_opened_read_and_opened_again(office: Office, admin: TestClient) -> None:
    body = {"account_no": "A1", "name": "Anna", "service_points": [meter("M1")]}
    opened = admin.post(ACCOUNTS, json=body)
    assert opened.status_code == 201
    again = admin.post(ACCOUNTS, json=body)
    assert (again.status_code, again.json()) == (201, opened.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    other = admin.post(ACCOUNTS, json={**body, "site": "East"})
    assert (other.status_code, problem(other)) == (409, "account_exists")
    office.catch_up()
    shown = admin.get(f"{ACCOUNTS}/A1", params={"after": after(opened.json())}).json()
    assert shown["name"] == "Anna"
    assert shown["service_points"][0]["supply"] == {"intended": "on", "actual": "unknown"}
    assert shown["service_points"][0]["guaranteed"] is False
    assert {"window_from", "window_to", "used", "tier", "next_bound"} == set(
        shown["service_points"][0]["tier"]
    )


def test_what_is_not_there_is_not_found(admin: TestClient) -> None:
    for path in ("", "/events", "/statement", "/usage", "/why"):
        answer = admin.get(f"{ACCOUNTS}/nobody{path}")
        assert (answer.status_code, problem(answer)) == (404, "account_unknown"), path
    for odd in ("%00", "a%20b", "x" * 33, "%F0%9F%98%80"):
        assert admin.get(f"{ACCOUNTS}/{odd}").status_code == 404


def test_unknown_fields_are_refused_by_name(admin: TestClient) -> None:
    answer = admin.post(ACCOUNTS, json={"account_no": "A1", "nickname": "x"})
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert answer.json()["problems"][0]["path"] == "/nickname"
    deep = {"account_no": "A1", "service_points": [{**meter("M1"), "wrap": "-1"}]}
    answer = admin.post(ACCOUNTS, json=deep)
    assert [item["path"] for item in answer.json()["problems"]] == ["/service_points/0/wrap"]
    listed = admin.get(ACCOUNTS, params={"limit": 501})
    assert listed.json()["problems"][0]["path"] == "/limit"


def test_a_reader_waits_for_the_view_or_is_told_to_come_back(
    office: Office, admin: TestClient
) -> None:
    office.desk.open("A1")
    waited = admin.get(ACCOUNTS, params={"after": "0:1000000"})
    assert (waited.status_code, problem(waited)) == (503, "views_behind")
    assert int(waited.headers["Retry-After"]) >= 1
    assert admin.get(ACCOUNTS, params={"after": "0:x"}).status_code == 422


def test_a_parameter_or_cursor_that_means_nothing_is_named(
    office: Office, admin: TestClient
) -> None:
    office.desk.open("A1")
    office.catch_up()
    for path in (ACCOUNTS, f"{ACCOUNTS}/A1", f"{ACCOUNTS}/A1/events", "/api/v1/alerts"):
        answer = admin.get(path, params={"foo": "1"})
        assert answer.status_code == 422, path
        assert [each["path"] for each in answer.json()["problems"]] == ["/foo"]
    answer = admin.get(ACCOUNTS, params={"cursor": "A1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_invalid")
    oldest = {"from": "2026-01-01T00:00:00Z", "type": "account.opened"}
    assert admin.get(f"{ACCOUNTS}/A1/events", params=oldest).status_code == 200
    assert admin.get(ACCOUNTS, params={"after": "0:0", "limit": 1}).status_code == 200


def test_lists_page_to_their_end(office: Office, admin: TestClient) -> None:
    busy_day(office.desk)
    office.catch_up()
    for path in (ACCOUNTS, "/api/v1/quarantine", "/api/v1/tariffs", "/api/v1/alerts"):
        whole = admin.get(path, params={"limit": 500}).json()
        assert whole["cursor"] is None
        found, cursor = [], None
        while True:
            params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = admin.get(path, params=params).json()
            found += page["items"]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert found == whole["items"], path


def test_an_account_reads_as_it_was_true_and_known(office: Office, admin: TestClient) -> None:
    desk = office.desk
    desk.open("A1")
    desk.recharge("A1", 10_00)
    desk.clock.pass_by(days=1)
    desk.recharge("A1", 5_00)
    office.catch_up()
    yesterday = {"known_at": "2026-07-01T13:00:00+08:00"}
    assert admin.get(f"{ACCOUNTS}/A1", params=yesterday).json()["balance_minor"] == 10_00
    assert admin.get(f"{ACCOUNTS}/A1").json()["balance_minor"] == 15_00
    shard = desk.ledger.shard_of("A1")
    first = admin.get(f"{ACCOUNTS}/A1/events").json()["items"][0]
    at = {"known_at": f"{shard}:{first['position']}"}
    assert admin.get(f"{ACCOUNTS}/A1", params=at).json()["balance_minor"] == 0
    elsewhere = admin.get(f"{ACCOUNTS}/A1", params={"known_at": f"{shard + 1}:5"})
    assert elsewhere.json()["problems"][0]["path"] == "/known_at"
    for wrong in ("yesterday", "2026-07-01", "99999999999999999999:1:1"):
        assert admin.get(f"{ACCOUNTS}/A1", params={"known_at": wrong}).status_code == 422
    assert at_us("2026-07-02T12:00") == desk.clock()


def test_tariff_policy_and_group_are_assigned(office: Office, admin: TestClient) -> None:
    admin.post(ACCOUNTS, json={"account_no": "A1", "service_points": [meter("M1")]})
    for what, body in (
        ("tariff", {"tariff_id": "tiered"}),
        ("policy", {"policy_id": "standard"}),
        ("group", {"group": "shops"}),
    ):
        answer = admin.post(f"{ACCOUNTS}/A1/{what}", json=body)
        assert answer.status_code == 201, answer.text
    added = admin.post(f"{ACCOUNTS}/A1/service-points", json=meter("M2"))
    assert len(added.json()["service_points"]) == 2
    office.catch_up()
    shown = admin.get(f"{ACCOUNTS}/A1").json()
    assert (shown["group"], shown["service_points"][0]["tariff_id"]) == ("shops", "tiered")
    unknown = admin.post(f"{ACCOUNTS}/A1/tariff", json={"tariff_id": "none"})
    assert unknown.status_code in {404, 409, 422}


def test_an_account_with_meters_is_not_closed(admin: TestClient) -> None:
    admin.post(ACCOUNTS, json={"account_no": "A1", "service_points": [meter("M1")]})
    refused = admin.post(f"{ACCOUNTS}/A1/close", json={"reason": "moved"})
    assert (refused.status_code, problem(refused)) == (409, "service_points_left")
    admin.post(ACCOUNTS, json={"account_no": "A2"})
    assert admin.post(f"{ACCOUNTS}/A2/close", json={"reason": "moved"}).json()["status"] == "closed"


def test_the_path_and_the_body_do_not_name_the_account_twice(admin: TestClient) -> None:
    admin.post(ACCOUNTS, json={"account_no": "A1"})
    admin.post(ACCOUNTS, json={"account_no": "A2"})
    body = {"account_no": "A2", "group": "shops"}
    answer = admin.post(f"{ACCOUNTS}/A1/group", json=body, headers=key())
    assert answer.json()["problems"][0]["path"] == "/account_no"
