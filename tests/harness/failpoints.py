"""The steps of the committer, and a writer that is killed before or after any of them."""

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from adapters.store import log
from adapters.store.log import SqlLog
from adapters.store.log_writer import SqlLogWriter
from ledger.commands import meters
from ledger.ports import Row
from ledger.store import session
from ledger.store.committer import Committer
from ledger.store.session import Session
from tests.harness.ledgers import CLERK, INSTALLED_AT, Opened, one_batch, open_ledger, reading
from tests.harness.processes import Asked, die

STEPS: Final[dict[str, tuple[Any, str]]] = {
    "lock the heads": (log, "lock_heads"),
    "catch up": (Committer, "_catch_up"),
    "load": (SqlLogWriter, "past"),
    "find claims": (SqlLogWriter, "find_claims"),
    "record": (Session, "record"),
    "release claims": (SqlLogWriter, "release_claims"),
    "take claims": (SqlLogWriter, "take_claims"),
    "hand over": (SqlLogWriter, "hand_over"),
    "append": (SqlLogWriter, "append"),
    "seal": (SqlLogWriter, "put_sealed"),
    "save snapshots": (SqlLogWriter, "save_snapshots"),
    "advance heads": (SqlLogWriter, "advance_heads"),
    "commit": (SqlLog, "_commit"),
    "answer": (Committer, "_settle"),
}
ROUNDS_MAX: Final = 50

Report = Callable[[Asked], None]


def kill_at(step: str, side: str, hit: int) -> None:
    """Let this process die `before` or `after` the `hit`-th time it takes a step."""
    owner, name = STEPS[step]
    inner = getattr(owner, name)
    left = itertools.count(hit - 1, -1)

    def lethal(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - in place of any step
        is_last = next(left) == 0
        if is_last and side == "before":
            die()
        outcome = inner(*args, **kwargs)
        if is_last:
            die()
        return outcome

    setattr(owner, name, lethal)


def kill_after(seconds: float) -> None:
    """Let this process die in a while, whatever it is doing then."""
    threading.Timer(seconds, die).start()


def tear_append(rows_written: int) -> None:
    """Die inside a batch of events: some rows have reached the database, the rest have not."""
    inner = SqlLogWriter.append

    def lethal(writer: SqlLogWriter, rows: list[Row]) -> None:
        if len(rows) > rows_written:
            inner(writer, rows[:rows_written])
            die()
        inner(writer, rows)

    SqlLogWriter.append = lethal  # type: ignore[assignment, method-assign] # as a failpoint does


def write_until_killed(
    report: Report, url: str, folder: Path, name: str, arm: Callable[[], None]
) -> None:
    """Do a little of everything, round after round, with the failpoint armed after the first."""
    often = patch.object(session, "SNAPSHOT_EVERY", 2)  # so that every round saves some …
    early = patch.object(session, "HAND_OVER", 2)  # … and hands some rows over early
    with often, early, open_ledger(url, folder) as opened:
        for n in range(ROUNDS_MAX):
            if n == 1:
                arm()
            _a_round(report, opened, f"{name}{n}")


def _a_round(report: Report, opened: Opened, number: str) -> None:
    """Open, pay (three at once in one batch), read, and move out: every step of the committer."""
    meter_no = f"M{number}"
    _tell(report, opened, "open", number, meter_no)
    with ThreadPoolExecutor(3) as pool:
        with one_batch(opened.ledger):
            paid = [
                pool.submit(_tell, report, opened, "recharge", number, f"{number}-{n}")
                for n in range(3)
            ]
        for payment in paid:
            payment.result()
    _tell(report, opened, "read", meter_no, 5)
    _tell(report, opened, "remove", number)


def _tell(report: Report, opened: Opened, order: str, *about: Any) -> None:  # noqa: ANN401 - see REQUESTS
    report(Asked(order, about))
    report(Asked(order, about, REQUESTS[order](opened, *about)))


def _open(opened: Opened, number: str, meter_no: str) -> dict[str, Any]:
    return opened.open(number, meter_no, name="Somebody", phone="13800000000").body


def _recharge(opened: Opened, number: str, txn: str) -> dict[str, Any]:
    return opened.recharge(number, txn).body


def _read(opened: Opened, meter_no: str, hours: int) -> dict[str, Any]:
    return opened.read(*(reading(meter_no, hour, hour) for hour in range(1, hours + 1))).body


def _remove(opened: Opened, number: str) -> dict[str, Any]:
    registers: dict[str, Any] = {"total": "5"}
    at = INSTALLED_AT + timedelta(hours=5)
    command = meters.RemoveMeter(account_no=number, removed_at=at, final=registers, reason="over")
    return meters.remove(command, opened.ledger, CLERK).body


REQUESTS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "open": _open,
    "recharge": _recharge,
    "read": _read,
    "remove": _remove,
}
