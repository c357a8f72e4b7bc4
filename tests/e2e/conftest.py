"""The demonstration as a process of its own, in a folder that must be empty when it is over."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2 as httpx
import pytest

from tests.harness.terminal import PROGRAM, ROOT

METERS = 20
Json = dict[str, Any]


class Demo(NamedTuple):
    """A demonstration at work; it draws its port and keeps its files in a folder of ours."""

    process: subprocess.Popen[str]
    ready: Json
    folder: Path

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.ready['token']}"}
        return httpx.Client(base_url=self.ready["url"], headers=headers, timeout=60)


@contextmanager
def started(folder: Path) -> Iterator[Demo]:
    """A demonstration whose time runs fast, ready to be looked at."""
    words = ("demo", "--meters", str(METERS), "--speed", "600", "--port", "0", "--json")
    with subprocess.Popen(
        [*PROGRAM, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        try:
            yield Demo(process, json.loads(line), folder)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demonstration of one test's own."""
    with started(tmp_path) as found:
        yield found
