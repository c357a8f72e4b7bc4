"""A desk with its doors open: the web application over the same ledger, and people to sign in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from adapters.store.faults import STORE_MEANINGS
from adapters.store.users import SqlUsers
from adapters.store.vault import SqlVault
from adapters.views.queries import SqlQueries
from api.app import create_app
from ledger.access import User
from ledger.service import Service
from tests.harness.contract import witnessed
from tests.harness.desk import Desk

PASSWORD = "a long enough password"


@dataclass(frozen=True)
class Office:
    """The application of a desk; views are brought up to date by hand, with `catch_up`."""

    desk: Desk
    users: SqlUsers
    app: FastAPI
    _names: "count[int]"

    @classmethod
    def of(cls, desk: Desk, folder: Path) -> "Office":
        users = SqlUsers(desk.engine, folder / "session.key", desk.clock, os.urandom)
        desk.ledger.vault = vault = SqlVault(desk.engine, folder / "vault.key", os.urandom)
        vault.prepare()
        queries = SqlQueries(desk.engine, desk.terms)
        app = create_app(Service(desk.ledger, desk.views, queries), users, STORE_MEANINGS)
        witnessed(app)
        return cls(desk, users, app, count(1))

    def hire(self, role: str, *sites: str, account_no: str = "", password: str = "") -> User:
        """A new user."""
        user = User(f"{role}-{next(self._names)}", role, frozenset(sites), account_no)
        return self.users.add(user, password)

    def token(self, role: str = "admin", *sites: str, account_no: str = "") -> str:
        """The API token of a new user."""
        return self.users.issue_token(self.hire(role, *sites, account_no=account_no).user_id)

    @contextmanager
    def client(
        self, role: str | None = "admin", *sites: str, account_no: str = ""
    ) -> Iterator[TestClient]:
        """A client with the token of a new user; without a role it says nothing about itself."""
        headers: dict[str, str] = {}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.token(role, *sites, account_no=account_no)}"
        with TestClient(self.app, headers=headers, follow_redirects=False) as client:
            yield client

    def catch_up(self) -> None:
        """Bring the views to the log's end."""
        self.desk.views.catch_up()


def key() -> dict[str, str]:
    """The header of a fresh idempotency key."""
    return {"Idempotency-Key": os.urandom(8).hex()}


def problem(response: Any) -> str:  # noqa: ANN401 - a response of whichever client
    """Code of the problem document in a response."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:wattledger:problem:{body['code']}"
    code: str = body["code"]
    return code
