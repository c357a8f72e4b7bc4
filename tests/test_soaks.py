"""What takes minutes is left out of a usual run, but not the thing itself: a small size runs."""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
MARK = "mark" + ".soak"


def collected(files: list[str], marks: str) -> set[str]:
    """Names of the tests in these files that run under an expression of marks."""
    options = ("--collect-only", "-q", "-p", "no:cacheprovider", "-m", marks)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return {line.partition("[")[0] for line in run.stdout.splitlines() if "::" in line}


def test_every_soak_runs_at_a_small_size_each_time() -> None:
    files = [str(path) for path in sorted(TESTS.rglob("test_*.py")) if MARK in path.read_text()]
    soaks = collected(files, "soak")
    assert len(soaks) >= len(files) > 0
    assert soaks - collected(files, "not soak") == set()
