"""One ledger from two sides: through a network that fails on demand, and beside the server."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from adapters.store import log
from tests.harness.chaos_proxy import ChaosProxy
from tests.harness.ledgers import Opened

BREAK_S = 0.1


@dataclass
class Line:
    """One ledger from two sides: a process beyond a faulty network, and one beside the server."""

    proxy: ChaosProxy
    far: Opened
    near: Opened

    def lose_the_answer_to_commit(self) -> None:
        self.proxy.faults.lose_answer_to = b"COMMIT"

    def cut_after(self, up_bytes: int) -> None:
        self.proxy.faults.cut_after_up_bytes = up_bytes

    def was_cut(self) -> bool:
        return self.proxy.faults.cut_after_up_bytes is None

    def lose_all_from_now(self) -> None:
        """Nothing reaches the server any more, and shortly the connection is gone."""
        self.proxy.faults.drop_up = True
        threading.Timer(BREAK_S, self.mend).start()

    def mend(self) -> None:
        self.proxy.mend()


def at_commit(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None], times: int = 1) -> None:
    """Let something happen when a COMMIT is about to be sent, so many times."""
    inner = log.SqlLog._commit
    left = [act] * times

    def commit(self: log.SqlLog, *about: object) -> None:
        if left:
            left.pop()()
        inner(self, *about)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(log.SqlLog, "_commit", commit)
