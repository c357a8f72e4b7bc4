from pathlib import Path

import pytest
from fastapi import FastAPI

from api.auth import COOKIE, require_guards, scopes_by_route
from ledger.access import ROLES, SCOPES, User
from tests.harness.office import PASSWORD, Office, problem

SESSION = "/api/v1/session"


def test_every_route_names_its_scope_or_says_that_it_is_open(embedded: Office) -> None:
    scopes = dict(scopes_by_route(embedded.app))
    assert len(scopes) > 4
    assert None not in scopes.values()
    opened = {route for route, scope in scopes.items() if scope == ""}
    assert opened == {
        "GET /",
        "GET /api/v1/openapi.json",
        "GET /healthz",
        "GET /login",
        "GET /login/{link}",
        "GET /readyz",
        "GET /static/{folder}/{of_edition}/{name}",
        "POST /login",
        f"POST {SESSION}",
    }


def test_an_application_with_a_bare_route_does_not_start() -> None:
    app = FastAPI()
    app.get("/bare")(lambda: None)
    with pytest.raises(RuntimeError, match="/bare"):
        require_guards(app)


def test_roles_are_sets_of_known_scopes_and_customers_change_nothing() -> None:
    assert all(scopes <= SCOPES for scopes in ROLES.values())
    assert all(scope.endswith(":read") for scope in ROLES["customer"] | ROLES["auditor"])


def test_without_a_token_or_with_a_wrong_one_nobody_is_let_in(office: Office) -> None:
    token = office.token()
    with office.client(None) as client:
        answer = client.get(SESSION)
        assert (answer.status_code, problem(answer)) == (401, "not_signed_in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        wrong = (token[:-1] + ("0" if token[-1] != "0" else "1"), "wl_x_y", "", "wl", "wl_" * 9)
        for other in wrong:
            sent = {"Authorization": f"Bearer {other}"}
            assert client.get(SESSION, headers=sent).status_code == 401
        assert client.get(SESSION, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_a_token_grants_no_more_than_was_asked_for_it(embedded: Office) -> None:
    user = embedded.hire("admin")
    token = embedded.users.issue_token(user.user_id, ["readings:write"])
    with embedded.client(None) as client:
        answer = client.get(SESSION, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, problem(answer)) == (403, "forbidden")


def test_a_token_ends_when_it_is_revoked_expires_or_its_user_is_shut_out(office: Office) -> None:
    users = office.users
    user = office.hire("operator")
    token = users.issue_token(user.user_id, days=2)
    assert users.by_token(token) is not None
    users.set_active(user.user_id, is_active=False)
    assert users.by_token(token) is None
    users.set_active(user.user_id, is_active=True)
    assert users.by_token(token) is not None
    assert users.revoke_token(token.split("_")[1])
    assert users.by_token(token) is None
    fresh = users.issue_token(user.user_id, days=2)
    office.desk.clock.pass_by(days=2)
    assert users.by_token(fresh) is None


def test_a_token_is_looked_up_by_one_asker_while_the_others_go_on(embedded: Office) -> None:
    users, clock = embedded.users, embedded.desk.clock
    token = embedded.token("operator")
    assert users.remembered(token) is None
    known = users.by_token(token)
    assert users.remembered(token) == known
    clock.pass_by(seconds=5)
    assert users.remembered(token) is None
    assert users.remembered(token) == known
    clock.pass_by(seconds=1)
    assert users.remembered(token) is None


def test_a_password_opens_a_session_that_ends_for_ever(office: Office) -> None:
    user = office.hire("operator", password=PASSWORD)
    with office.client(None) as client:
        signed = client.post(SESSION, json={"user_id": user.user_id, "password": PASSWORD})
        assert signed.status_code == 201
        cookie = signed.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        shown = client.get(SESSION).json()
        assert shown["role"] == "operator"
        kept = client.cookies[COOKIE]
        assert problem(client.delete(SESSION)) == "csrf"
        ended = client.delete(SESSION, headers={"X-CSRF-Token": shown["csrf_token"]})
        assert ended.status_code == 204
        client.cookies.set(COOKIE, kept)
        assert client.get(SESSION).status_code == 401


def test_a_session_grows_old_and_a_forged_one_is_none(embedded: Office) -> None:
    users = embedded.users
    cookie = users.start_session(embedded.hire("operator"))
    assert users.by_session(cookie) is not None
    head, body, _ = cookie.split(".")
    assert users.by_session(f"{head}.{body}.{'A' * 43}") is None
    assert users.by_session("nonsense") is None
    embedded.desk.clock.pass_by(hours=12)
    assert users.by_session(cookie) is None


def test_wrong_passwords_are_limited_for_a_while(office: Office) -> None:
    user = office.hire("cashier", password=PASSWORD)
    body = {"user_id": user.user_id, "password": "wrong"}
    with office.client(None) as client:
        for _ in range(5):
            assert problem(client.post(SESSION, json=body)) == "not_signed_in"
        limited = client.post(SESSION, json={**body, "password": PASSWORD})
        assert (limited.status_code, problem(limited)) == (429, "logins_limited")
        assert 0 < int(limited.headers["Retry-After"]) <= 301
        office.desk.clock.pass_by(seconds=301)
        assert client.post(SESSION, json={**body, "password": PASSWORD}).status_code == 201


def test_a_user_without_a_password_or_not_known_is_refused_alike(embedded: Office) -> None:
    user = embedded.hire("cashier")
    with embedded.client(None) as client:
        for user_id in (user.user_id, "nobody"):
            answer = client.post(SESSION, json={"user_id": user_id, "password": ""})
            assert problem(answer) == "invalid"
            answer = client.post(SESSION, json={"user_id": user_id, "password": "x"})
            assert problem(answer) == "not_signed_in"


def test_a_login_link_works_once_and_not_for_long(office: Office) -> None:
    user = office.hire("auditor")
    link = office.users.issue_link(user.user_id, minutes=10)
    late = office.users.issue_link(user.user_id, minutes=10)
    with office.client(None) as client:
        assert client.get(f"/login/{link}").status_code == 303
        assert client.get(SESSION).json()["user_id"] == user.user_id
        client.cookies.clear()
        assert client.get(f"/login/{link}").status_code == 401
        office.desk.clock.pass_by(minutes=10)
        assert client.get(f"/login/{late}").status_code == 401


def test_a_page_sends_those_who_are_not_signed_in_to_the_login(embedded: Office) -> None:
    with embedded.client(None) as client:
        answer = client.get("/metrics", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/login")


def test_every_answer_is_strict_with_browsers_and_carries_its_id(embedded: Office) -> None:
    with embedded.client(None) as client:
        for path in ("/healthz", "/nothing", SESSION):
            answer = client.get(path, headers={"X-Request-Id": "abc-1"})
            assert answer.headers["X-Request-Id"] == "abc-1"
            wanted = "'none'" if path.startswith("/api/") else "'self'"
            assert answer.headers["Content-Security-Policy"].startswith(f"default-src {wanted};")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        odd = client.get("/healthz", headers={"X-Request-Id": "a b;c"})
        assert odd.headers["X-Request-Id"] != "a b;c"


def test_no_secret_is_kept_as_it_is(embedded: Office) -> None:
    user = embedded.hire("admin", password=PASSWORD)
    token = embedded.users.issue_token(user.user_id)
    link = embedded.users.issue_link(user.user_id)
    path = Path(str(embedded.desk.engine.url.database))
    kept = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert user.user_id.encode() in kept
    for secret in (PASSWORD, token.rpartition("_")[2], link):
        assert secret.encode() not in kept


def test_who_may_sign_in_is_checked_when_they_are_added(embedded: Office) -> None:
    with pytest.raises(Exception, match="no role"):
        embedded.users.add(User("x", "king"))
    with pytest.raises(Exception, match="customer"):
        embedded.users.add(User("x", "customer"))
    embedded.users.add(User("x", "admin"))
    with pytest.raises(Exception, match="already"):
        embedded.users.add(User("x", "admin"))
