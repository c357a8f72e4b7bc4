"""What the papers say is still so."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from adapters.cli import TOPICS, app
from adapters.cli.problems import INTERRUPTED, UNAVAILABLE
from adapters.settings import PREFIX, Settings
from ledger.events.registry import EVENT_TYPES
from ledger.projections.catalogue import feeds

ROOT = Path(__file__).resolve().parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_event_is_in_the_glossary_and_no_other() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `([A-Z]\w+)` \|", glossary, re.MULTILINE))
    assert written == {event_type.__name__ for event_type in EVENT_TYPES.values()}


def test_a_term_of_the_glossary_means_one_thing() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in glossary.splitlines() if line.startswith("| ")]
    terms = [row[0].strip() for row in rows if row[0].strip() not in {"English", "event"}]
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in rows)
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_a_link_inside_the_repository_leads_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", paper.read_text(encoding="utf-8"))
    assert [link for link in links if not (paper.parent / link).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_what_would_change_our_mind(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    heads = re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE)
    assert heads == ["Context", "Choice", "Price", "What would change our mind"]
    assert text.startswith(f"# {int(page.stem[:4])}. ")


def test_the_targets_that_the_papers_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for paper in PAPERS
        for target in re.findall(
            r"(?:`|^)make ([a-z]+)", paper.read_text(encoding="utf-8"), re.MULTILINE
        )
    }
    assert named <= targets


def test_every_setting_is_told_with_its_default_and_no_other() -> None:
    told = dict(re.findall(rf"^\| `{PREFIX}(\w+)` \| `(.+?)` \|", OPERATIONS, re.MULTILINE))
    fields = Settings.model_fields.items()
    assert told == {name.upper(): str(field.default) for name, field in fields}


def test_every_view_is_told_with_its_feed() -> None:
    _, _, section = OPERATIONS.partition("## Feeds, lag and parked streams")
    paragraph = section.strip().partition("\n\n")[0]
    _, front, detail = re.split(r"`(?:front|detail)` keeps", paragraph)
    for feed, told in zip(feeds("UTC"), (front, detail), strict=True):
        assert [view.name for view in feed.projections if view.name not in told] == []


def test_every_exit_code_is_told_and_no_other() -> None:
    _, _, section = OPERATIONS.partition("## Exit codes")
    told = re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
    assert list(map(int, told)) == [*range(UNAVAILABLE + 1), INTERRUPTED]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_the_commands_that_the_papers_name_exist(paper: Path) -> None:
    told = re.findall(r"(?:`|^|\s)wattledger ([a-z][a-z-]*)", paper.read_text(encoding="utf-8"))
    assert set(told) <= set(TOPICS)


def test_every_command_is_told() -> None:
    written = "\n".join(paper.read_text(encoding="utf-8") for paper in PAPERS)
    assert [name for name in TOPICS if not re.search(rf"\b{name}\b", written)] == []


def test_the_decisions_are_numbered_without_a_gap() -> None:
    assert [int(page.stem[:4]) for page in DECISIONS] == [*range(1, len(DECISIONS) + 1)]


COMMANDS = {
    (str(paper.relative_to(ROOT)), line)
    for paper in PAPERS
    for block in re.findall(
        r"^```(?:sh|bash)\n(.*?)^```", paper.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for line in block.replace("\\\n", " ").splitlines()
    if "wattledger " in line
}


@pytest.mark.parametrize(("paper", "line"), sorted(COMMANDS))
def test_a_printed_command_line_is_understood(paper: str, line: str) -> None:
    words = shlex.split(line.partition("wattledger ")[2].partition(" |")[0], comments=True)
    command: Any = get_command(app)
    context = command.make_context("wattledger", words)
    while hasattr(command, "commands"):
        left = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, left)
        context = command.make_context(name, rest, parent=context)


def test_command_lines_are_printed_all_over_the_papers() -> None:
    papers = {paper for paper, _ in COMMANDS}
    assert papers >= {"README.md", "docs/control.md", "docs/meters.md", "docs/operations.md"}
