"""Many accounts at once, through the same rules as ever, in bulk works."""

from collections import deque
from concurrent.futures import Future
from functools import partial

from adapters.bench.scratch import BENCH, TARIFF_ID, Scratch
from ledger.aggregates.account import Account
from ledger.aggregates.account.money import credit
from ledger.aggregates.account.points import add_point
from ledger.aggregates.meter import Meter
from ledger.commands import Json
from ledger.events.account import AccountOpened
from ledger.store import Answer, Session
from ledger.values import shard_of, stream_id

CHUNK = 1_000
IN_FLIGHT = 4
START_US = 1_767_196_800_000_000
"""2026-01-01 00:00 in Shanghai."""
DAY_US = 86_400_000_000
OPENING_MINOR = 100_000_00


def account_no(index: int) -> str:
    """Number of the n-th account."""
    return f"A{index:07d}"


def meter_no(index: int) -> str:
    """Number of the n-th account's meter."""
    return f"M{index:07d}"


def seed(scratch: Scratch, count: int, start: int = 0, at_us: int = START_US) -> None:
    """Open the accounts from `start` to `count` with a meter and money each."""
    waiting: deque[Future[Answer]] = deque()
    for first in range(start, count, CHUNK):
        numbers = range(first, min(first + CHUNK, count))
        waiting.append(
            scratch.ledger.submit(
                partial(_open, scratch=scratch, numbers=numbers, at_us=at_us),
                BENCH,
                shards=range(scratch.ledger.terms.shards),
                weight=4 * len(numbers),
                is_bulk=True,
            )
        )
        if len(waiting) > IN_FLIGHT:
            waiting.popleft().result()
    for answer in waiting:
        answer.result()


def _open(session: Session, scratch: Scratch, numbers: range, at_us: int) -> Json:
    ledger = scratch.ledger
    tariff, version = session.tariff(TARIFF_ID)
    for index in numbers:
        number, meter = account_no(index), meter_no(index)
        shard = shard_of(number, session.shards)
        account = session.adopt(Account(shard, stream_id(Account.KIND, number)))
        opened = AccountOpened(number, "CNY", ledger.terms.timezone, "", "", {}, {})
        session.record(account, opened, at_us)
        added = add_point(
            account,
            service_kind="electricity",
            meter_no=meter,
            tariff=tariff,
            tariff_version=version,
            policy_id="standard",
            installed_at_us=at_us,
            registers={"total": 0},
            wrap=10**9,
            multiplier_milli=1_000,
        )
        session.record(account, added, at_us)
        installed = session.new(Meter, meter, shard)
        fact = installed.install(meter, number, added.point, added.registers, at_us)
        session.record(installed, fact, at_us)
        credited = credit(
            account,
            receipt_no=f"{shard}-{session.next_position(shard)}",
            channel="bench",
            channel_txn_id=number,
            currency="CNY",
            amount_minor=OPENING_MINOR,
        )
        session.record(account, credited, at_us)
        ledger.settle_meter(meter, number)
    return {}
