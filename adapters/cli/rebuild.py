"""`wattledger rebuild`: views made anew from event 1, beside the live ones."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from adapters.cli.opening import reading
from adapters.cli.output import Shown, facts, progress
from adapters.cli.problems import DIFFERENCE, OK
from adapters.views import Views
from adapters.views.rebuild import Rebuilt
from ledger.aggregates import Refused
from ledger.commands import Json


def rebuild(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="[VIEW…]", help="Views to rebuild (default: all).")
    ] = None,
    accept: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--accept", help="Take the new rows where they differ.")
    ] = False,
) -> Shown:
    """Build views anew beside the live ones and swap where both say the same."""
    with reading() as (engine, terms), progress("Rebuild") as advance:
        views = Views(engine, terms)
        _require_known(views, name or ())
        views.catch_up()
        if name:
            rebuilt = [views.rebuild(each, accept=accept, on_progress=advance) for each in name]
        else:
            rebuilt = views.rebuild_all(accept=accept, on_progress=advance)
    bodies = [_rebuilt(each) for each in rebuilt]
    has_differences = any(each["differences"] and not each["swapped"] for each in bodies)
    return Shown(
        body=bodies[0] if name is not None and len(name) == 1 else bodies,
        human=Group(*(_text(each) for each in bodies)),
        hint="wattledger rebuild --accept" if has_differences else "wattledger verify",
        exit_code=DIFFERENCE if has_differences else OK,
    )


def _require_known(views: Views, names: Sequence[str]) -> None:
    known = views.names()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Refused(
            "view_unknown", f"There is no view {unknown[0]}; there are: {', '.join(known)}."
        )


def _rebuilt(rebuilt: Rebuilt) -> Json:
    return {
        **rebuilt._asdict(),
        "differences": [difference._asdict() for difference in rebuilt.differences],
    }


def _text(body: Json) -> RenderableType:
    differences = [f"{each['side']}: {each['row']}" for each in body["differences"]]
    return facts(
        {
            "view": body["view"],
            "events": body["events"],
            "rows": body["rows"],
            "swapped": "yes" if body["swapped"] else "no, the live view stays",
            "differences": "\n".join(differences),
        }
    )
