"""Methods and paths: HEAD tells what GET would, a wrong method is told the right ones."""

from starlette.testclient import TestClient

from tests.harness.desk import point
from tests.harness.office import Office, problem


def test_head_tells_what_get_would_and_no_body(office: Office, admin: TestClient) -> None:
    office.desk.open("A1", point("M1"))
    office.catch_up()
    for path in ("/healthz", "/readyz", "/api/v1/accounts", "/api/v1/accounts/A1"):
        told, got = admin.head(path), admin.get(path)
        assert told.status_code == got.status_code == 200
        assert told.content == b""
        assert told.headers["Content-Length"] == str(len(got.content))
    assert admin.head("/api/v1/accounts/nobody").status_code == 404


def test_head_asks_for_the_same_scope(office: Office) -> None:
    with office.client(None) as nobody:
        assert nobody.head("/api/v1/accounts").status_code == 401


def test_a_wrong_method_is_told_every_right_one(admin: TestClient) -> None:
    for method in ("PUT", "OPTIONS", "DELETE"):
        answer = admin.request(method, "/api/v1/accounts")
        assert (answer.status_code, problem(answer)) == (405, "http_405")
        assert answer.headers["Allow"] == "GET, POST"
    assert admin.post("/api/v1/alerts").headers["Allow"] == "GET"


def test_what_is_not_there_is_not_told_from_what_is_misspelt(admin: TestClient) -> None:
    for path in ("/api/v1/account", "/api/v2/accounts", "/api/v1/accounts/A1/wallet"):
        assert problem(admin.get(path)) == "http_404"
