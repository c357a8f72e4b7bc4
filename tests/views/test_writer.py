"""Rows reach their tables the same way, one by one or by COPY, whatever their texts hold."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from adapters.store.engine import create_engine
from adapters.views import writer
from adapters.views.tables import create_view
from adapters.views.writer import MANY, write_rows
from ledger.events import Recorded
from ledger.projections import Column, Merge, Row

NASTY = [
    "plain",
    "tab\there",
    "line\nbreak\rreturn",
    "back\\slash \\N \\. \\t",
    "\\N",
    "",
    "quote ' and \" and `",
    "电表 «ünï» \U0001f50c",
    "\u2028\x85\x0b\x1f\x7f",
    "NULL",
    "%s %(name)s :name $1 {}",
]


class Everything:
    """A view with a column of every kind and every way of merging."""

    name: ClassVar[str] = "everything"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("id", "text", Merge.KEY),
        Column("label", "text"),
        Column("latest", "int"),
        Column("total", "int", Merge.ADD),
        Column("detail", "json"),
        Column("parts", "json", Merge.PATCH),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        raise NotImplementedError


VIEW = Everything()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        for table in ("everything", "staged"):
            create_view(connection, VIEW, table)
    yield engine
    engine.dispose()


def stored(connection: Connection, table: str) -> dict[str, tuple[Any, ...]]:
    rows = connection.execute(text(f"SELECT id, label, latest, total, detail, parts FROM {table}"))
    return {row[0]: tuple(map(_plain, row[1:])) for row in rows}


def _plain(value: Any) -> Any:  # noqa: ANN401 - text on SQLite, an object on PostgreSQL
    is_json = isinstance(value, str) and value.startswith('{"')
    return msgspec.json.decode(value) if is_json else value


def row(key: str, number: int, *, whole: bool = True) -> Row:
    made: Row = {"shard": 0, "id": key, "total": number}
    if whole:
        parts: dict[str, object] = {"a": number, "b": None if number % 2 else number}
        made = {
            **made,
            "label": key,
            "latest": number,
            "detail": {"of": key, "n": number},
            "parts": parts,
        }
    return made


def test_every_text_is_kept_as_it_is(engine: Engine) -> None:
    many = [row(f"{label}#{copy}", copy) for label in NASTY for copy in range(MANY)]
    with engine.begin() as connection:
        write_rows(connection, VIEW, "everything", [row(label, 2) for label in NASTY])
        write_rows(connection, VIEW, "staged", many)
        for label in NASTY:
            kept = (label, 2, 2, {"of": label, "n": 2}, {"a": 2, "b": 2})
            assert stored(connection, "everything")[label] == kept
        assert {key: made[0] for key, made in stored(connection, "staged").items()} == {
            made["id"]: made["label"] for made in many
        }


PATCHES = st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 9), min_size=1)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Row]]:
    """Batches of rows, one per key, some with fewer columns than others."""
    made: list[list[Row]] = []
    for _ in range(draw(st.integers(1, 4))):
        keys = draw(st.lists(st.sampled_from(NASTY), unique=True, min_size=1, max_size=4))
        batch: list[Row] = []
        for key in keys:
            some: Row = {"shard": 0, "id": key, "total": draw(st.integers(-9, 9))}
            if draw(st.booleans()):
                some = {**some, "label": draw(st.none() | st.sampled_from(NASTY))}
            if draw(st.booleans()):
                parts: dict[str, object] = dict(draw(PATCHES))
                some = {**some, "latest": draw(st.none() | st.integers(0, 9)), "parts": parts}
            batch.append({**some, "detail": {"k": key}} if draw(st.booleans()) else some)
        made.append(batch)
    return made


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=batches())
def test_both_ways_of_writing_make_the_same_rows(engine: Engine, history: list[list[Row]]) -> None:
    expected: dict[str, dict[str, Any]] = {}
    for batch in history:
        for some in batch:
            _by_hand(expected.setdefault(str(some["id"]), {}), some)
    with engine.connect() as connection:
        for batch in history:
            write_rows(connection, VIEW, "everything", batch)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(writer, "MANY", 1)
                write_rows(connection, VIEW, "staged", batch)
        singly, staged = stored(connection, "everything"), stored(connection, "staged")
        connection.rollback()
    names = ("label", "latest", "total", "detail", "parts")
    told = {key: tuple(made.get(name) for name in names) for key, made in expected.items()}
    assert _without_empty(singly) == _without_empty(staged) == _without_empty(told)


def _by_hand(kept: dict[str, Any], some: Row) -> None:
    for name, value in some.items():
        if name == "total":
            kept[name] = kept.get(name, 0) + value
        elif name == "parts":
            assert isinstance(value, dict)
            merged = {**kept.get("parts", {}), **value}
            kept[name] = {key: part for key, part in merged.items() if part is not None}
        else:
            kept[name] = value


def _without_empty(rows: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    """An empty object is text on SQLite and an object on PostgreSQL."""
    return {
        key: tuple({} if value == "{}" else value for value in made) for key, made in rows.items()
    }


def test_a_patch_meets_a_missing_object(engine: Engine) -> None:
    with engine.begin() as connection:
        write_rows(connection, VIEW, "everything", [row("x", 1, whole=False)])
        write_rows(connection, VIEW, "everything", [row("x", 1)])
        assert stored(connection, "everything")["x"][2:] == (2, {"of": "x", "n": 1}, {"a": 1})


def test_the_order_in_which_keys_came_is_no_part_of_a_row(engine: Engine) -> None:
    with engine.begin() as connection:
        for table, parts in (("everything", ("a", "b")), ("staged", ("b", "a"))):
            for part in parts:
                some: Row = {"shard": 0, "id": "x", "parts": {part: 1}}
                write_rows(connection, VIEW, table, [some])
        left, right = (
            connection.scalar(text(f"SELECT parts FROM {table}"))
            for table in ("everything", "staged")
        )
        assert left == right
