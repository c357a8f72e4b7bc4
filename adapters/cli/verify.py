"""`wattledger verify`: nothing has to be believed, everything follows from the log."""

from collections.abc import Callable

from rich.console import Group, RenderableType
from rich.text import Text

from adapters.cli.opening import reading
from adapters.cli.output import Shown, cell, progress
from adapters.cli.problems import DIFFERENCE, OK
from adapters.views import Views
from ledger.commands import Json

SHOWN_MAX = 100


def verify() -> Shown:
    """Recompute hashes, decisions and views from the log; exit 3 and the first wrong line."""
    with reading() as (engine, terms), progress("Verify") as advance:
        views = Views(engine, terms)
        views.catch_up()
        differences = views.verify(_checks(advance))
        parked = views.parked()
    findings = [*differences, *({"check": "parked", **stream} for stream in parked)]
    body = {"ok": not findings, "count": len(findings), "differences": findings[:SHOWN_MAX]}
    return Shown(
        body=body,
        human=_findings(body),
        hint="wattledger doctor" if findings else "",
        exit_code=DIFFERENCE if findings else OK,
    )


def _checks(advance: Callable[[int, int | None], None]) -> Callable[[str, int, int], None]:
    return lambda _check, done, total: advance(done, total)


def _findings(body: Json) -> RenderableType:
    if body["ok"]:
        return Text("Everything follows from the log: hashes, decisions, claims and views agree.")
    lines = [f"{body['count']} difference(s), the first of them:"]
    lines += [_finding(finding) for finding in body["differences"]]
    return Group(*(Text(cell(line)) for line in lines))


def _finding(finding: Json) -> str:
    where = {
        name: finding[name] for name in ("view", "side", "shard", "position") if name in finding
    }
    rest = {name: value for name, value in finding.items() if name not in {*where, "check"}}
    place = " ".join(f"{name} {value}" for name, value in where.items())
    return f"{finding['check']}: {place}: {_words(rest)}"


def _words(rest: Json) -> str:
    return "; ".join(f"{name} {value}" for name, value in rest.items() if value not in (None, ""))
