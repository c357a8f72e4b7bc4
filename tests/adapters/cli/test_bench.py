"""Each measurement prints what it promises, on a store of its own that is gone afterwards."""

from pathlib import Path

import pytest
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from adapters.store.engine import create_engine
from tests.harness.terminal import Terminal

SMALL = {
    "readings": ("--accounts", "200", "--sweeps", "1"),
    "replay": ("--events", "1000"),
    "growth": ("--accounts", "300", "--events", "2000", "--small", "100"),
    "commits": ("--accounts", "50", "--threads", "4", "--seconds", "0.2"),
}
PROMISED = {"bench", "store", "rate", "copy_rate", "ratio", "p50_ms", "p99_ms", "rss_mib"}


@pytest.mark.parametrize("name", SMALL)
def test_a_measurement_prints_its_rates_and_leaves_nothing(
    blank: Terminal, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bench.growth.STEP_READINGS", 400)
    body = blank.json("bench", name, *SMALL[name])
    assert body.keys() >= PROMISED | {"limits", "missed"}
    assert (body["bench"], body["store"]) == (name, blank.database_url.partition(":")[0])
    assert body["rate"] > 0
    assert 0 < body["p50_ms"] <= body["p99_ms"]
    assert _left(blank.database_url) == []


def test_all_views_are_made_anew(blank: Terminal) -> None:
    body = blank.json("bench", "rebuild", "--accounts", "50", "--events", "500")
    assert body["events"] >= 500
    assert body["rows"] >= 50
    assert body["rate"] > 0
    assert _left(blank.database_url) == []


def _left(url: str) -> list[str]:
    """Schemas and files of a measurement that are still there."""
    if url.startswith("sqlite"):
        folder = Path(make_url(url).database or "").parent
        return [path.name for path in folder.iterdir() if path.name != "vault.key"]
    engine = create_engine(url)
    names = inspect(engine).get_schema_names()
    engine.dispose()
    return [name for name in names if name not in {"public", "information_schema"}]
