"""Real processes on one ledger: tellers that do as they are told, and writers that die on the way.

They are forked from a server that has everything imported already, so each costs milliseconds.
"""

import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, NamedTuple

from ledger.aggregates import Refused
from ledger.commands import meters, publish_policy, publish_tariff
from ledger.commands.late_readings import Reading
from ledger.ports import LogUnavailableError
from ledger.store import Answer
from tests.harness.ledgers import (
    CLERK,
    TARIFF_ID,
    WAIT_S,
    Opened,
    moment,
    open_ledger,
    reading,
    real_clock,
)

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.harness.processes"])


class Told(NamedTuple):
    """What a teller answers: a result, or the refusal or fault it met."""

    result: Any
    code: str = ""
    fault: str = ""


class Teller:
    """One process with its own connections, caches and clock, doing one thing after the other."""

    def __init__(self, process: BaseProcess, pipe: "Connection[Any, Any]") -> None:
        self.process = process
        self._pipe = pipe

    def tell(self, order: str, *about: object) -> None:
        """Give an order without waiting for its end."""
        self._pipe.send((order, about))

    def told(self) -> Told:
        """The answer to the oldest order that was not answered yet."""
        assert self._pipe.poll(WAIT_S), "the teller does not answer"
        answer: Told = self._pipe.recv()
        return answer

    def ask(self, order: str, *about: object) -> Any:  # noqa: ANN401 - an answer as JSON
        """What comes of an order that must succeed."""
        self.tell(order, *about)
        told = self.told()
        assert not told.fault, told.fault
        assert not told.code, told.code
        return told.result

    def kill(self) -> None:
        """SIGKILL: no cleaning up, no goodbye."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(WAIT_S)


@contextmanager
def teller(url: str, folder: Path, shards: int = 1, now_us: int | None = None) -> Iterator[Teller]:
    """A process on the ledger of `url`; its clock stands still where `now_us` says so."""
    ours, theirs = CONTEXT.Pipe()
    process = CONTEXT.Process(target=_serve, args=(url, folder, shards, now_us, theirs))
    process.start()
    theirs.close()
    try:
        yield Teller(process, ours)
    finally:
        if process.is_alive():
            ours.send(("stop", ()))
            process.join(WAIT_S)
        process.kill()
        process.join()
        process.close()
        ours.close()


def _serve(
    url: str, folder: Path, shards: int, now_us: int | None, pipe: "Connection[Any, Any]"
) -> None:
    clock = real_clock if now_us is None else lambda: now_us
    with open_ledger(url, folder, shards=shards, clock=clock) as opened:
        while True:
            order, about = pipe.recv()
            if order == "stop":
                return
            try:
                pipe.send(Told(ORDERS[order](opened, *about)))
            except Refused as refusal:
                pipe.send(Told(None, code=refusal.code))
            except Exception as error:  # noqa: BLE001 - the test wants to know of any
                pipe.send(Told(None, fault=f"{type(error).__name__}: {error}"))


def _read(opened: Opened, meter_no: str, at_us: int, kwh: int) -> dict[str, Any]:
    return opened.read(Reading(meter_no, at_us, {"total": kwh * 1_000})).body


def _move(opened: Opened, meter_no: str, old: str, new: str, at_us: int, kwh: int) -> None:
    """Take a meter from one account and install it at another, where it counts on."""
    registers: dict[str, Any] = {"total": str(kwh)}
    removal = meters.RemoveMeter(
        account_no=old, removed_at=moment(at_us), final=registers, reason="moved"
    )
    meters.remove(removal, opened.ledger, CLERK)
    installation = meters.InstallMeter(
        account_no=new,
        service_kind="electricity",
        meter_no=meter_no,
        tariff_id=TARIFF_ID,
        installed_at=moment(at_us),
        initial=registers,
    )
    meters.install_meter(installation, opened.ledger, CLERK)


def _load(opened: Opened, name: str, numbers: list[str], times: int) -> list[str]:
    """Recharges and readings by eight threads; the transactions that were acknowledged."""

    def work(thread: int) -> list[str]:
        done = []
        for n in range(times):
            number = numbers[(thread + n) % len(numbers)]
            txn = f"{name}-{thread}-{n}"
            opened.recharge(number, txn, 100)
            done.append(txn)
            opened.read(reading(f"M{number}", 1 + n, n))
        return done

    with ThreadPoolExecutor(8) as pool:
        return [txn for done in pool.map(work, range(8)) for txn in done]


def _recharge_all(opened: Opened, number: str, txns: list[str]) -> list[tuple[Any, bool]]:
    """The same payments by a thread each, all at once."""
    with ThreadPoolExecutor(len(txns)) as pool:
        answers = pool.map(lambda txn: opened.recharge(number, txn), txns)
        return [(answer.body, answer.replayed) for answer in answers]


def _recharge_until(opened: Opened, number: str, txn: str, times: int) -> tuple[int, str]:
    """How many recharges were booked before the log became unavailable, and what it said."""
    for n in range(times):
        try:
            opened.recharge(number, f"{txn}-{n}")
        except LogUnavailableError as error:
            return n, str(error)
    return times, ""


def _limit_files(_opened: Opened, bytes_max: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max if bytes_max >= 0 else hard, hard))


def _answer(answer: Answer) -> tuple[dict[str, Any], bool]:
    return answer.body, answer.replayed


ORDERS: Final[dict[str, Callable[..., Any]]] = {
    "publish": lambda opened: opened.publish(),
    "publish tariff": lambda o, document: publish_tariff.handle(document, o.ledger, CLERK).body,
    "publish policy": lambda o, document: publish_policy.handle(document, o.ledger, CLERK).body,
    "open": lambda opened, number, *meters: _answer(opened.open(number, *meters)),
    "open as": lambda opened, number, site: _answer(opened.open(number, site=site)),
    "recharge": lambda opened, *about: _answer(opened.recharge(*about)),
    "recharge all": _recharge_all,
    "recharge until": _recharge_until,
    "read": _read,
    "move": _move,
    "load": _load,
    "limit files": _limit_files,
}


class Asked(NamedTuple):
    """A request, sent by a doomed writer before it made it; `body` once it was acknowledged."""

    order: str
    about: tuple[Any, ...]
    body: dict[str, Any] | None = None


class Killed(NamedTuple):
    """What a doomed writer had asked for when it died, and what it had been answered."""

    asked: list[Asked]
    acknowledged: list[Asked]
    exitcode: int | None


def doomed(target: Callable[..., None], *about: object) -> Killed:
    """Run `target(report, *about)` in a process until it dies; it reports each request twice."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_reporting, args=(target, theirs, about))
    process.start()
    theirs.close()
    asked: list[Asked] = []
    acknowledged: list[Asked] = []
    try:
        while ours.poll(WAIT_S):
            report: Asked = ours.recv()
            (asked if report.body is None else acknowledged).append(report)
    except EOFError:
        pass
    process.join(WAIT_S)
    exitcode = process.exitcode
    process.kill()
    process.close()
    ours.close()
    return Killed(asked, acknowledged, exitcode)


def _reporting(target: Callable[..., None], pipe: Any, about: tuple[object, ...]) -> None:  # noqa: ANN401 - one end of a pipe
    lock = threading.Lock()

    def report(asked: Asked) -> None:
        with lock:
            pipe.send(asked)

    target(report, *about)


def die() -> None:
    """As a power cut, an out-of-memory killer or `kill -9` would have it."""
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
