"""A console that is really served: a small town in SQLite, an HTTP server, and a Chromium."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from sqlalchemy import Engine, text

from adapters.settings import Settings
from adapters.store.schema import initialise
from adapters.wiring import now_us, open_engine, open_ledger, open_users, open_vault
from api.main import serving
from api.server import Server
from api.stream import Stream
from ledger.access import User
from ledger.commands import open_account, publish_policy, publish_tariff, recharge, record_readings
from ledger.commands.answers import account_answer
from ledger.commands.late_readings import Reading
from ledger.commands.quantities import milli
from ledger.service import Service
from ledger.store import Answer, Ledger
from ledger.store.ledger import Context, LedgerTerms
from ledger.values import MICROS_PER_DAY, instant
from tests.harness.documents import WATER, energy, policy, tariff, version

CLERK: Final = Context("clerk-1")
HOUR_US: Final = MICROS_PER_DAY // 24
WAIT_S: Final = 120.0
HOMES: Final = ("东区1栋", "东区2栋", "西区1栋", "西区2栋", "学生公寓A", "商铺")
FAMILY: Final = "王李张刘陈杨赵黄周吴徐孙"
GIVEN: Final = ("秀英", "伟", "芳", "娜", "敏", "静", "磊", "洋", "艳", "勇", "杰", "霞")
DAYS: Final = 30
HOME: Final = tariff(
    "residential-tou",
    version(
        energy(
            {
                "peak": ["0.6580", "0.7080", "0.9580"],
                "flat": ["0.5580", "0.6080", "0.8580"],
                "valley": ["0.3580", "0.4080", "0.6580"],
            }
        ),
        bounds=("230", "400"),
    ),
    registers=("peak", "flat", "valley"),
)
SHARES: Final = {"peak": 42, "flat": 38, "valley": 20}
BUSY: Final = "A000001"
"""An account with everything: two meters, tiers, notices, payments."""
EMPTY_PURSE: Final = "A000007"
"""Cut off for want of money."""


class Town:
    """Accounts that were opened weeks ago, paid, and used electricity and water since."""

    def __init__(self, ledger: Ledger, accounts: int, *, is_known: bool) -> None:
        self._ledger = ledger
        self._is_known = is_known
        self._chance = random.Random(7)
        self._numbers = [f"A{number:06}" for number in range(1, accounts + 1)]
        self._now_us = now_us()
        self._start_us = self._now_us - DAYS * MICROS_PER_DAY

    def found(self) -> None:
        """Publish prices and rules, and open the accounts."""
        for document in (HOME, WATER):
            publish_tariff.handle(document, self._ledger, CLERK)
        publish_policy.handle(policy(), self._ledger, CLERK)
        _all(open_account.submit(self._opening(no), self._ledger, CLERK) for no in self._numbers)

    def live_through(self) -> None:
        """Pay, and read every day, and every hour of the last."""
        self._pay({no: self._purse(no) for no in self._numbers}, self._start_us)
        for day in range(1, DAYS):
            self._read(self._start_us + day * MICROS_PER_DAY, day * 24)
        payers = [no for no in self._numbers[::4] if no != EMPTY_PURSE]
        self._pay(dict.fromkeys(payers, 3_000), self._now_us - MICROS_PER_DAY - HOUR_US)
        for hour in range(24):
            self._read(self._now_us - (24 - hour) * HOUR_US, (DAYS - 1) * 24 + hour)

    def _opening(self, account_no: str) -> open_account.OpenAccount:
        number = int(account_no[1:])
        points: list[dict[str, Any]] = [
            {
                "service_kind": "electricity",
                "meter_no": f"E{number:08}",
                "tariff_id": "residential-tou",
                "installed_at": instant(self._start_us),
                "initial": {"peak": 0, "flat": 0, "valley": 0},
            }
        ]
        if account_no == BUSY:
            points.append(
                {
                    "service_kind": "water",
                    "meter_no": f"W{number:08}",
                    "tariff_id": "water",
                    "installed_at": instant(self._start_us),
                    "initial": {"total": 0},
                }
            )
        return open_account.OpenAccount.model_validate(
            {
                "account_no": account_no,
                **(self._person(number) if self._is_known else {}),
                "site": "阳光花园",
                "group": HOMES[number % len(HOMES)],
                "service_points": points,
            }
        )

    def _person(self, number: int) -> dict[str, str]:
        name = f"{self._chance.choice(FAMILY)}{self._chance.choice(GIVEN)}"
        return {"name": name, "phone": f"1380000{number:04}"}

    def _purse(self, account_no: str) -> int:
        if account_no == EMPTY_PURSE:
            return 2_000
        return self._chance.choice((10_000, 13_000, 17_000, 22_000, 30_000))

    def _pay(self, amounts_minor: dict[str, int], at_us: int) -> None:
        channels = ("cash", "wechat", "alipay", "pos")
        _all(
            recharge.submit(
                recharge.Recharge(
                    account_no=account_no,
                    amount_minor=amount_minor,
                    currency="CNY",
                    channel=self._chance.choice(channels),
                    channel_txn_id=f"{account_no}-{self._chance.randrange(10**9)}",
                    paid_at=instant(at_us),
                ),
                self._ledger,
                CLERK,
            )
            for account_no, amount_minor in amounts_minor.items()
        )

    def _read(self, at_us: int, hours: int) -> None:
        readings = [self._electricity(no, at_us, hours) for no in self._numbers]
        readings.append(Reading(f"W{int(BUSY[1:]):08}", at_us, {"total": hours * 11}))
        record_readings.handle(readings, self._ledger, CLERK)

    def _electricity(self, account_no: str, at_us: int, hours: int) -> Reading:
        number = int(account_no[1:])
        days, rest = divmod(hours, 24)
        used_wh = sum(_day_wh(number, day) for day in range(days))
        used_wh += _day_wh(number, days) * rest // 24
        registers = {name: used_wh * share // 100 for name, share in SHARES.items()}
        return Reading(f"E{number:08}", at_us, registers)


def _day_wh(number: int, day: int) -> int:
    """What a home uses on a day: its own pace, more at weekends, nothing twice the same."""
    return 2_000 + number * 370 % 6_000 + (1_500 if day % 7 in {2, 3} else 0) + day * number % 700


def _all(futures: "Iterator[Future[Answer]]") -> None:
    for future in list(futures):
        future.result(WAIT_S)


class Console:
    """A served console: where it is, whose it is, and a hand on the ledger behind it."""

    def __init__(self, url: str, settings: Settings, engine: Engine, app: FastAPI) -> None:
        self.url = url
        self._engine = engine
        self._users = open_users(engine, settings)
        self._stream: Stream = app.state.stream
        self.ledger: Ledger = app.state.service.ledger
        self._known: set[str] = set()

    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._stream._listeners)

    @contextmanager
    def with_a_broken_row(self, account_no: str) -> Iterator[None]:
        """A row of the accounts view that cannot be read, for as long as the block lasts."""
        usage = self._swap_usage(account_no, "{")
        try:
            yield
        finally:
            self._swap_usage(account_no, usage)

    def _swap_usage(self, account_no: str, usage: str) -> str:
        with self._engine.begin() as connection:
            of_account = {"account_no": account_no, "usage": usage}
            was = connection.scalar(
                text("SELECT usage FROM accounts WHERE account_no = :account_no"), of_account
            )
            connection.execute(
                text("UPDATE accounts SET usage = :usage WHERE account_no = :account_no"),
                of_account,
            )
            return str(was)

    def break_streams(self) -> None:
        """End every open stream, as a server does that goes away; new ones are taken."""
        for told in tuple(self._stream._listeners):
            told.put_nowait(None)

    def account(self, account_no: str) -> dict[str, Any]:
        """An account as it is in the log, whatever the views say."""
        found = self.ledger.decide(
            lambda session: account_answer(session.account(account_no), session),
            CLERK,
            accounts=(account_no,),
        )
        return found.body

    def link(self, role: str = "admin", sites: Sequence[str] = ()) -> str:
        """A one-time link of somebody with a role."""
        user_id = f"{role}-{'-'.join(sites)}".strip("-")
        if user_id not in self._known:
            self._users.add(User(user_id, role, frozenset(sites)))
            self._known.add(user_id)
        return f"{self.url}/login/{self._users.issue_link(user_id)}"


def next_reading(console: Console, account_no: str) -> Reading:
    """What the electricity meter of an account shows now: 3 kWh more than before."""
    point = console.account(account_no)["service_points"][0]
    shown = {name: milli(value) + 1_000 for name, value in point["registers"].items()}
    return Reading(point["meter_no"], now_us(), shown)


@contextmanager
def served(folder: Path, accounts: int, *, has_a_past: bool = True) -> Iterator[Console]:
    """A console over a town of so many accounts, until the block ends."""
    settings = Settings(
        database_url=f"sqlite:///{folder / 'ledger.db'}", vault_key_file=str(folder / "vault.key")
    )
    engine = open_engine(settings)
    initialise(engine, LedgerTerms(1, "Asia/Shanghai", "CNY"))
    open_vault(engine, settings).prepare()
    open_users(engine, settings).prepare()
    ledger = open_ledger(settings, engine)
    town = Town(ledger, accounts, is_known=has_a_past)
    town.found()
    if has_a_past:
        town.live_through()
    ledger.close()
    engine.dispose()
    with serving(settings) as app, _listening(app) as url:
        _until_caught_up(app.state.service)
        yield Console(url, settings, open_engine(settings), app)


@contextmanager
def _listening(app: FastAPI) -> Iterator[str]:
    server = Server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + WAIT_S
    while not server.started:
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


def _until_caught_up(service: Service) -> None:
    deadline = time.monotonic() + WAIT_S
    while any(service.views.lag().values()):
        assert time.monotonic() < deadline, "the views do not catch up"
        time.sleep(0.02)
