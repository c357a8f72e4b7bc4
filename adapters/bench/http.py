"""Recharges over HTTP: many customers on connections of their own, each waiting for its answer."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random  # noqa: TID251 - seeded: the same accounts in every run
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from adapters.bench.readings import percentile
from adapters.bench.scratch import Scratch
from adapters.bench.seeding import account_no, seed
from adapters.store.users import SqlUsers, session_key_file
from adapters.wiring import now_us
from ledger.access import User

HOST: Final = "127.0.0.1"
READY_S: Final = 60.0
PROGRAM: Final = (sys.executable, "-c", "from adapters.cli import main; main()")


class Run(NamedTuple):
    """One measured run: requests a second, and each one's wait in milliseconds."""

    rate: float
    waits_ms: list[float]


def measure_http(scratch: Scratch, accounts: int, clients: int, seconds: float) -> dict[str, Any]:
    """Recharge random accounts over keep-alive connections; the server is a process of its own."""
    seed(scratch, accounts)
    for feed in scratch.views.feeds.values():
        feed.catch_up(0)  # Else the server would do that while it is measured.
    with TemporaryDirectory() as folder:
        key_file = str(Path(folder) / "vault.key")
        users = SqlUsers(scratch.engine, session_key_file(key_file), now_us, os.urandom)  # noqa: TID251 - a throwaway key
        users.add(User("bench", "cashier"))
        token = users.issue_token("bench")
        with _served(scratch, key_file) as (port, process):
            load = _Load(port, token, accounts, clients)
            asyncio.run(load.run("warm", seconds / 4))
            before_s = _cpu_s(process)
            measured = asyncio.run(load.run("spread", seconds))
            used_s = _cpu_s(process) - before_s
    return {
        "bench": "http",
        "store": scratch.store,
        "clients": clients,
        "requests": len(measured.waits_ms),
        "rate": round(measured.rate),
        "p50_ms": percentile(measured.waits_ms, 50),
        "p99_ms": percentile(measured.waits_ms, 99),
        "server_cpu_ms": round(used_s * 1_000 / len(measured.waits_ms), 3),
    }


class _Load:
    """Customers who pay one after the other, each on its own connection."""

    def __init__(self, port: int, token: str, accounts: int, clients: int) -> None:
        self._port = port
        self._token = token
        self._accounts = accounts
        self._clients = clients

    async def run(self, name: str, seconds: float) -> Run:
        """All customers at once for a while."""
        started = time.perf_counter()
        until = started + seconds
        everyone = await asyncio.gather(
            *(self._customer(name, index, until) for index in range(self._clients))
        )
        waits = [wait for own in everyone for wait in own]
        return Run(len(waits) / (time.perf_counter() - started), waits)

    async def _customer(self, name: str, index: int, until: float) -> list[float]:
        random = Random(index)  # noqa: S311 - which account is no secret
        reader, writer = await asyncio.open_connection(HOST, self._port)
        waits: list[float] = []
        while (since := time.perf_counter()) < until:
            number = account_no(random.randrange(self._accounts))
            writer.write(self._request(number, f"{name}-{index}-{len(waits)}"))
            status = await _answer(reader)
            if status != b"201":
                raise RuntimeError(f"A recharge was answered with {status.decode()}.")
            waits.append((time.perf_counter() - since) * 1_000)
        writer.close()
        return waits

    def _request(self, number: str, txn: str) -> bytes:
        body = f'{{"amount_minor":100,"currency":"CNY","channel":"bench","channel_txn_id":"{txn}"}}'
        return (
            f"POST /api/v1/accounts/{number}/recharges HTTP/1.1\r\nHost: {HOST}\r\n"
            f"Authorization: Bearer {self._token}\r\nIdempotency-Key: {txn}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Status of the next answer, read to its end."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length:")
    await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return head[9:12]


@contextmanager
def _served(scratch: Scratch, key_file: str) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """The served application on a free port."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port = int(found.getsockname()[1])
    environment = {
        **os.environ,
        "LEDGER_DATABASE_URL": scratch.url,
        "LEDGER_VAULT_KEY_FILE": key_file,
    }
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*PROGRAM, "serve", "--host", HOST, "--port", str(port), "--quiet"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        _await(port, process)
        yield port, process
    finally:
        process.terminate()
        process.wait()


def _cpu_s(process: "subprocess.Popen[bytes]") -> float:
    """Processor time that the server has used so far; 0 where the system does not tell."""
    try:
        told = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    user, system = told.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection((HOST, port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("The server did not come up.")
