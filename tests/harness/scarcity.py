"""Disks that are nearly full: a small file system, or files that may not grow."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.harness.postgres import Postgres

MIB: Final = 1 << 20


def can_mount() -> bool:
    """Whether this process may make file systems; the root of a container often may not."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        is_mounted = _mount(Path(folder), MIB)
        if is_mounted:
            _unmount(Path(folder))
        return is_mounted


@contextmanager
def small_file_system(folder: Path, size: int) -> Iterator[Path]:
    """A file system of so many bytes, open to every user."""
    folder.mkdir()
    if not _mount(folder, size):
        message = f"{folder} could not be mounted"
        raise OSError(message)
    try:
        yield folder
    finally:
        _unmount(folder)


def _mount(folder: Path, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def limit_files(server: Postgres, bytes_max: int | None) -> None:
    """No process of a server may make a file longer than this; None lifts the limit."""
    limit = "unlimited" if bytes_max is None else str(bytes_max)
    uid, gid = owner_of(server)
    for pid in _processes(server):
        command = ["prlimit", "--pid", str(pid), f"--fsize={limit}:"]
        if os.getuid() == 0:  # A process may be limited by its own user, who need not be root.
            subprocess.run(command, check=True, user=uid, group=gid, extra_groups=[])
        else:
            subprocess.run(command, check=True)


def owner_of(server: Postgres) -> tuple[int, int]:
    """User and group that the server runs as."""
    found = Path(f"/proc/{_processes(server)[0]}").stat()
    return found.st_uid, found.st_gid


def _processes(server: Postgres) -> list[int]:
    """The server's first process, which hands its limits on, and those that are there already."""
    process = server._process
    assert process is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [process.pid, *map(int, children.split())]
