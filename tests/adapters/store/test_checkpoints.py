from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from adapters.store import checkpoints
from adapters.store.checkpoints import Checkpoints
from adapters.store.engine import create_engine
from tests.harness.ledgers import until


@pytest.fixture
def engine(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(checkpoints, "LONG", 1 << 20)
    made = create_engine(sqlite_url)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE rows (content BLOB)"))
    return made


def size(engine: Engine) -> int:
    return Path(str(engine.url.database)).stat().st_size


def write(engine: Engine, length: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO rows VALUES (zeroblob(:length))"), {"length": length})


def test_a_long_log_moves_into_the_file_without_a_writer(engine: Engine) -> None:
    looking = Checkpoints(engine).start()
    write(engine, 2 << 20)
    until(lambda: size(engine) > 2 << 20)
    write(engine, 2 << 20)
    until(lambda: size(engine) > 4 << 20)
    looking.stop()
    engine.dispose()


def test_a_short_log_is_left_until_more_has_come(engine: Engine) -> None:
    looking = Checkpoints(engine).start()
    write(engine, 1 << 10)
    looking.stop()
    assert size(engine) < 1 << 20
    engine.dispose()


@pytest.mark.postgres
def test_another_database_is_left_alone(postgres_url: str) -> None:
    engine = create_engine(postgres_url)
    Checkpoints(engine).start().stop()
    engine.dispose()
