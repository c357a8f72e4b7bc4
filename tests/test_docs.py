"""What the papers say is still so."""

import re
from pathlib import Path

import pytest

from ledger.events.registry import EVENT_TYPES

ROOT = Path(__file__).resolve().parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


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
