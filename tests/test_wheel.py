"""What is shipped works without the repository: the wheel alone makes a ledger."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.harness.program import Program

ROOT = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target), cwd=ROOT)
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that holds the pinned dependencies and the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    _run(sys.executable, "-m", "venv", str(folder))
    pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install")
    _run(*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock"), cwd=folder)
    _run(*pip, "--no-deps", str(wheel), cwd=folder)
    return folder / "bin"


def test_the_wheel_holds_the_migrations_beside_the_store(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        f"adapters/store/migrations/{path.relative_to(ROOT / 'alembic')}"
        for path in (ROOT / "alembic").rglob("*.py")
    }
    assert shipped
    assert shipped <= names
    assert {"ledger/py.typed", "adapters/py.typed", "api/py.typed"} <= names


def test_the_wheel_holds_the_pages_with_all_they_need(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = ("templates", "static", "locale")
    shipped = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / "api" / "console" / folder).rglob("*")
        if path.is_file()
    }
    assert shipped
    assert shipped <= names


def test_the_wheel_holds_no_tests_and_no_second_alembic(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ledger", "adapters", "api"}


def test_the_installed_command_makes_a_ledger(environment: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    answer = _run(environment / "wattledger", "init", "--json", cwd=tmp_path, url=url)
    assert isinstance(json.loads(answer), dict)
    assert (tmp_path / "ledger.db").stat().st_size > 0
    tariff = ROOT / "docs" / "examples" / "beijing-residential.json"
    publish = (environment / "wattledger", "tariff", "publish", tariff, "--json")
    answer = _run(*publish, cwd=tmp_path, url=url)
    assert json.loads(answer)["changed"]


APPLICATION = """
import json, sys
from uuid import NAMESPACE_URL, uuid5
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event

class Meter(Aggregate):
    @staticmethod
    def create_id(number):
        return uuid5(NAMESPACE_URL, number)

    @event("Installed")
    def __init__(self, number):
        self.number, self.shown_wh = number, 0

    @event("Shown")
    def show(self, wh):
        self.shown_wh = wh

class Meters(Application):
    snapshotting_intervals = {Meter: 2}

    def show(self, number, wh):
        try:
            meter = self.repository.get(Meter.create_id(number))
        except AggregateNotFoundError:
            meter = Meter(number)
        before = meter.shown_wh
        meter.show(wh)
        return before, [recording.notification.id for recording in self.save(meter)]

with Meters() as meters:
    before, positions = meters.show("M-1", int(sys.argv[1]))
    log = meters.notification_log.select(start=1, limit=10)
    print(json.dumps([before, positions, [notification.id for notification in log]]))
"""


@pytest.mark.parametrize(
    "store", ["sqlite_url", pytest.param("postgres_url", marks=pytest.mark.postgres)]
)
def test_a_stock_application_runs_on_the_installed_store(
    environment: Path, tmp_path: Path, store: str, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue(store)
    script = tmp_path / "meters.py"
    script.write_text(APPLICATION, encoding="utf-8")
    said = []
    for shown in ("5", "8", "13"):
        command = (environment / "python", script, shown)
        answer = _run(*command, cwd=tmp_path, url=url, PERSISTENCE_MODULE="adapters.store")
        said.append(json.loads(answer))
    assert said == [
        [0, [1, 2], [1, 2]],
        [5, [3], [1, 2, 3]],
        [8, [4], [1, 2, 3, 4]],
    ]


def test_the_installed_command_shows_the_demonstration(environment: Path, tmp_path: Path) -> None:
    words = (environment / "wattledger", "demo", "--meters", "8", "--port", "0", "--json")
    with Program(words, cwd=tmp_path, env=_away(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            with visitor.open(ready["links"]["admin"], timeout=30) as page:
                assert 'id="guide"' in page.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def test_the_dependencies_of_the_installed_wheel_agree(environment: Path) -> None:
    assert "No broken requirements" in _run(environment / "python", "-m", "pip", "check")


def _run(
    *command: str | Path, cwd: Path | None = None, url: str | None = None, **settings: str
) -> str:
    """Run away from the repository's own modules and return what was printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=_away() | ({"LEDGER_DATABASE_URL": url} if url else {}) | settings,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _away() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
