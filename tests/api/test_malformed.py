"""Whatever comes in, the answer is a problem that names it, and never a fault of ours."""

import json
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.harness.desk import Desk, point
from tests.harness.office import Office, key
from tests.harness.postgres import Postgres

ODD = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": "\\ud800"}',
    b'{"account_no": "\\u0000"}',
    b'{"amount_minor": 9223372036854775808, "currency": "CNY"}',
    b'{"amount_minor": -0.0}',
    b'{"amount_minor": 1e30}',
    b'{"amount_minor": ' + b"9" * 5_000 + b"}",
    b"[" * 20_000,
    b'{"a":' * 10_000,
    b'{"a": 1, "a": 2}',
    b'{"_type_": "x", "_data_": {}}',
    b'{"readings": {"0": 1}}',
    b'{"readings": [null]}',
    b'{"reason": "' + b"x" * 100_000 + b'"}',
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["A1", "M1", "CNY", "flat", "2026-01-01T00:00:00Z", "\x00", "\ud7ff", "1.5"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = """
    account_no amount_minor currency channel channel_txn_id paid_at reason wallet site group name
    service_points service_kind meter_no tariff_id policy_id installed_at wrap multiplier initial
    readings at registers kind expires_at until service_point gateway_id url unit model
    trip remind warn versions charges tiers user_id password attributes actual note
""".split()  # noqa: SIM905 - so many words read better as text
PATHS = """
    accounts accounts/A1 accounts/A1/events accounts/A1/usage accounts/A1/statement alerts
    quarantine readings commands work-orders tariffs policies meters gateways events
""".split()  # noqa: SIM905 - as above


Seats = tuple[TestClient, list[tuple[str, str]]]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def seats(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seats]:
    """A client that may do everything, and every route that takes a body; on each store."""
    folder = tmp_path_factory.mktemp("odd")
    url = f"sqlite:///{folder / 'ledger.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
    desk = Desk.at(url, shards=2)
    desk.open("A1", point("M1"))
    office = Office.of(desk, folder)
    office.catch_up()
    routes = [
        (method, route.path.format_map(_Names()))
        for route in office.app.routes
        if isinstance(route, APIRoute) and route.path.startswith("/api/")
        for method in route.methods or ()
        if method in {"POST", "DELETE"}
    ]
    assert len(routes) > 20
    with office.client() as client:
        yield client, routes
    desk.close()


class _Names(dict[str, str]):
    """Something for every name in a path."""

    def __missing__(self, name: str) -> str:
        known = {"account_no": "A1", "meter_no": "M1", "receipt_no": "0-1", "command_id": "0-c1"}
        return known.get(name, "0-1")


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_an_odd_body_is_told_what_is_wrong(seats: Seats, body: bytes) -> None:
    client, routes = seats
    for method, path in routes:
        answer = client.request(method, path, content=body, headers=key())
        assert 200 <= answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8) | VALUES,
    pick=st.integers(0, 10**6),
)
def test_any_json_gives_no_fault(seats: Seats, body: object, pick: int) -> None:
    client, routes = seats
    method, path = routes[pick % len(routes)]
    sent = json.dumps(body).encode()
    answer = client.request(method, path, content=sent, headers=key())
    assert answer.status_code < 500, (method, path, sent, answer.text)


@settings(max_examples=60)
@given(
    name=st.sampled_from(
        [
            "q",
            "cursor",
            "after",
            "known_at",
            "valid_at",
            "limit",
            "type",
            "from",
            "to",
            "sort",
            "site",
            "meter_no",
            "status",
            "level",
            "shard",
        ]
    ),
    value=st.text(max_size=30)
    | st.sampled_from(["0:1:2", ":", "%", "2026-13-01", "W10", "bnVsbA"]),
    pick=st.integers(0, 20),
)
def test_any_question_gives_no_fault(seats: Seats, name: str, value: str, pick: int) -> None:
    client, _ = seats
    path = PATHS[pick % len(PATHS)]
    answer = client.get(f"/api/v1/{path}", params={name: value})
    far = answer.status_code == 503 and "views_behind" in answer.text
    assert far or answer.status_code < 500, (path, name, value, answer.text)
