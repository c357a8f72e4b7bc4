"""The served application in a process of its own, on a free port, as an operator runs it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.harness.ports import held_port
from tests.harness.terminal import Terminal

READY_S = 120
STOP_S = 60


@dataclass(frozen=True)
class Served:
    """Where it listens, and its process."""

    url: str
    process: "subprocess.Popen[str]"

    def stop(self) -> float:
        """Ask it to stop; the seconds it took."""
        since = time.monotonic()
        self.process.terminate()
        self.process.communicate(timeout=STOP_S)
        return time.monotonic() - since


@contextmanager
def served(terminal: Terminal, **environment: str) -> Iterator[Served]:
    """`wattledger serve` on the terminal's ledger."""
    with held_port() as port:
        process = terminal.start("serve", "--port", str(port), **environment)
        try:
            _await(port, process)
            yield Served(f"http://127.0.0.1:{port}", process)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def _await(port: int, process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not come up")
