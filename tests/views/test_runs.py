"""Rows that went aside in any number of runs come back as if they had met in one table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.views import runs
from adapters.views.cells import value_of
from adapters.views.pile import Pile
from adapters.views.runs import Run, merged, write_run
from ledger.projections import Row
from ledger.projections.catalogue import feeds
from tests.views.test_writer import VIEW, batches


def told(lines: Iterator[bytes]) -> list[tuple[Any, ...]]:
    cells = [line.decode().removesuffix("\n").split("\t") for line in lines]
    return [tuple(map(value_of, VIEW.columns, each)) for each in cells]


def by_pile(history: list[list[Row]]) -> dict[Any, tuple[Any, ...]]:
    pile = Pile(VIEW)
    for batch in history:
        pile.add(batch)
    found = {}
    for row in pile.take():
        whole = dict(row)
        if isinstance(parts := row.get("parts"), dict):
            whole["parts"] = {key: to for key, to in parts.items() if to is not None}
        found[row["id"]] = tuple(whole.get(column.name) for column in VIEW.columns)
    return found


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=batches())
def test_runs_merge_as_piles_do(
    history: list[list[Row]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for together in (200, 2):
        monkeypatch.setattr(runs, "TOGETHER", together)
        written: list[Run] = [
            write_run(tmp_path, VIEW, batch, 0, position)
            for position, batch in enumerate(history, start=9)
        ]
        found = told(merged(VIEW, written))
        keys = [row[1] for row in found]
        assert len(set(keys)) == len(keys)
        assert {row[1]: row for row in found} == by_pile(history)


def test_every_view_tells_its_keys_first_and_something_behind() -> None:
    for spec in feeds("UTC"):
        for view in spec.projections:
            merges = [column.merge.value == "key" for column in view.columns]
            assert merges == sorted(merges, reverse=True), view.name
            assert not all(merges), view.name
