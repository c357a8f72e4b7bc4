"""The shape of the code is tested, not remembered."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import grimp
import pytest

from ledger import aggregates

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ledger", "adapters", "api")
LEDGER_MAY_IMPORT = {"ledger", "eventsourcing", "msgspec", "pydantic", "pydantic_core"}
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 60
SIZE_REASON = re.compile(r"^# size: \S+", re.MULTILINE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_the_ledger_imports_its_three_libraries_and_no_driver() -> None:
    graph = grimp.build_graph("ledger", include_external_packages=True, cache_dir=None)
    roots = {module.partition(".")[0] for module in graph.modules}
    assert roots - sys.stdlib_module_names <= LEDGER_MAY_IMPORT


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_a_file_is_short_or_says_why_not(package: str) -> None:
    long = {
        _name(path): lines
        for path, text in _sources(package)
        if (lines := text.count("\n")) > FILE_LINES_MAX and not SIZE_REASON.search(text)
    }
    assert not long, f"over {FILE_LINES_MAX} lines without a line '# size: <reason>': {long}"


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_a_function_fits_on_a_screen(package: str) -> None:
    long = {
        f"{_name(path)}:{function.lineno} {function.name}": lines
        for path, function in _functions(package)
        if (lines := _line_count(function)) > FUNCTION_LINES_MAX
    }
    assert not long, f"over {FUNCTION_LINES_MAX} lines: {long}"


def test_history_is_never_refused() -> None:
    refusing = [
        f"{evolver.__module__}.{evolver.__qualname__}"
        for evolver in _evolvers()
        if _refuses(ast.parse(textwrap.dedent(inspect.getsource(evolver))))
    ] + [
        f"{_name(path)}:{function.lineno}"
        for path, function in _functions("ledger/aggregates")
        if "evolve" in path.stem + function.name and _refuses(function)
    ]
    assert not refusing, f"evolve knows every event and refuses none: {refusing}"


def test_no_amount_in_the_ledger_is_a_float() -> None:
    floats = [
        f"{_name(path)}:{node.lineno}"
        for path, text in _sources("ledger")
        if "store" not in path.parts  # waits in seconds, and holds no amounts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.expr) and _is_float(node)
    ]
    assert not floats, f"amounts and quantities are integers of one unit: {floats}"


def test_events_hold_no_decimal() -> None:
    decimals = [
        _name(path)
        for path, text in _sources("ledger/events")
        for node in ast.walk(ast.parse(text))
        if "decimal" in _imported(node)
    ]
    assert not decimals, f"an event says minor units, Wh and litres: {decimals}"


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "common", "base", "misc", "models", "core"}
    found = [
        _name(path)
        for package in PACKAGES
        for path, _ in _sources(package)
        if drawers & {path.stem, path.parent.name}
    ]
    assert not found, f"a module is named for what it holds: {found}"


def _sources(package: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def _functions(package: str) -> Iterator[tuple[Path, Function]]:
    for path, text in _sources(package):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function):
                yield path, node


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _line_count(function: Function) -> int:
    last = function.end_lineno
    assert last is not None
    return last - function.lineno + 1


def _evolvers() -> set[Callable[..., None]]:
    """Every function that brings an event into the state of an aggregate."""
    for module in pkgutil.walk_packages(aggregates.__path__, "ledger.aggregates."):
        importlib.import_module(module.name)
    kinds = aggregates.Aggregate.__subclasses__()
    evolvers = {evolver for kind in kinds for evolver in kind.EVOLVERS.values()}
    assert evolvers
    return evolvers


def _refuses(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Raise | ast.Assert) for node in ast.walk(tree))


def _is_float(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "float") or (
        isinstance(node, ast.Constant) and isinstance(node.value, float)
    )


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else set()
