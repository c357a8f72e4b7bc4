"""The worked example of `docs/events.md`, reckoned again from the page itself."""

import hashlib
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from ledger.events.leaf import leaf_entry, leaf_hash
from ledger.events.registry import decode, encode
from ledger.values import NAMESPACE, stream_id

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("### A worked example")[2].partition("## ")[0]
NUMBERS = {"shard", "position", "version", "recorded_at", "valid_at"}


@pytest.fixture
def row() -> dict[str, Any]:
    """The table of the example, each column as the database would give it."""
    cells = dict(re.findall(r"^\| `(\w+)` \| `(.+?)`", EXAMPLE, re.MULTILINE))
    found: dict[str, Any] = {k: int(v) if k in NUMBERS else v for k, v in cells.items()}
    found["salt"] = bytes.fromhex(found["salt"])
    found["metadata"] = found["metadata"].encode()
    found["payload"] = found["payload"].encode()
    return found


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", EXAMPLE, re.DOTALL)


def test_the_example_follows_from_the_description(row: dict[str, Any]) -> None:
    """By the words of the page alone."""
    content = hashlib.sha256(row["salt"] + row["metadata"] + b"\x00" + row["payload"]).hexdigest()
    shape = PAGE.partition("```text\n")[2].partition("```")[0]
    entry = shape.replace("<content>", content)
    for name, value in row.items():
        entry = entry.replace(f"<{name}>", str(value))
    stated_entry, stated_leaf = blocks("text")
    assert entry == stated_entry
    assert hashlib.sha256(b"\x00" + entry.encode("utf-8")).hexdigest() == stated_leaf.strip()


def test_the_example_is_what_the_ledger_does(row: dict[str, Any]) -> None:
    entry = leaf_entry(**{PARAMETERS.get(name, name): value for name, value in row.items()})
    stated_entry, stated_leaf = blocks("text")
    assert entry.decode() == stated_entry
    assert leaf_hash(entry).hex() == stated_leaf.strip()
    assert encode(decode(row["topic"], row["payload"])) == row["payload"]


PARAMETERS = {"recorded_at": "recorded_at_us", "valid_at": "valid_at_us"}


def test_the_auditors_program_on_the_page_runs_and_agrees(row: dict[str, Any]) -> None:
    (program,) = blocks("python")
    names: dict[str, Any] = {}
    exec(compile(program, "docs/events.md", "exec"), names)
    assert names["leaf"](row) == blocks("text")[1].strip()
    without_command = {**row, "command_id": None}
    assert (
        names["leaf"](without_command)
        == leaf_hash(
            leaf_entry(
                **{PARAMETERS.get(name, name): value for name, value in without_command.items()}
            )
        ).hex()
    )


def test_the_streams_of_the_page_are_those_of_the_ledger(row: dict[str, Any]) -> None:
    (stated,) = re.findall(r"namespace `([0-9a-f-]+)`", PAGE)
    assert UUID(stated) == NAMESPACE
    (named,) = re.findall(r"The stream is that of `(\w+/\w+)`", EXAMPLE)
    assert row["stream_id"] == str(uuid5(UUID(stated), named)) == stream_id(*named.split("/"))
