"""`wattledger demo`: a town of simulated meters with a page of its own, gone with Ctrl-C."""

import socket
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Final

import typer

from adapters.cli.fault_shares import Faults, shares_of
from adapters.cli.output import Stream, progress, say
from adapters.cli.problems import InputError
from adapters.demo.life import Life
from adapters.demo.stage import Plan, Stage, staged, temporary
from adapters.devices.park import ParkFault, spread
from adapters.wiring import now_us, open_engine, open_users, read_settings
from api.console import guide
from api.console.guide import Guide
from api.main import serving
from api.server import Server, log_faults_alone, stop_when_told
from ledger.access import ROLES, User
from ledger.commands import Json

PROGRAM: Final = "wattledger"
METERS_PER_GATEWAY: Final = 64
GATEWAYS_MIN: Final = 3
LINK_MINUTES: Final = 24 * 60
POLL_MIN_S: Final = 2
METERS_PER_POLL_S: Final = 100
"""So that a sweep takes a small share of a processor however large the town is."""
WELCOME: Final = """\
{accounts} customers, {gateways} gateways, {readings} readings of history; {speed} s pass in one.
Console: {url}
Sign in (each link once):
{links}
Try: recharge a customer who is cut off and watch the supply come back · ask why it was cut ·
     verify the chain, every charge and every decision · export the daily report.
API: curl -H 'Authorization: Bearer {token}' {url}/api/v1/accounts"""


def demo(
    meters: Annotated[int, typer.Option(min=8, max=5_000, help="Customers, a meter each.")] = 500,
    speed: Annotated[
        int, typer.Option(min=1, max=3_600, help="How fast the town's time runs.")
    ] = 60,
    seed: Annotated[int, typer.Option(help="Draws people, loads, sizes and faults.")] = 1,
    fault: Faults = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 draws one.")] = None,
    is_opened: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("-o", "--open", help="Open the console in a browser.")
    ] = False,
) -> Stream:
    """Show everything at work: simulated meters, three months of history, the console."""
    given = read_settings()
    gateways = max(GATEWAYS_MIN, -(-meters // METERS_PER_GATEWAY))
    plan = Plan(meters, gateways, speed, seed)
    place = (host or given.host, given.port if port is None else port)
    lines = _shown(place, plan, shares_of(fault or ()), is_opened=is_opened)
    return Stream(lines=lines, human=_welcome)


def _shown(
    place: tuple[str, int], plan: Plan, shares: dict[ParkFault, int], *, is_opened: bool
) -> Iterator[Json]:
    began_s = time.monotonic()
    log_faults_alone()
    with ExitStack() as stage_door:
        enter = stage_door.enter_context
        bound = enter(closing(_bound(*place)))
        folder = enter(tempfile.TemporaryDirectory(prefix="wattledger-demo-"))
        settings = temporary(
            Path(folder),
            host=place[0],
            port=bound.getsockname()[1],
            poll_interval_s=max(POLL_MIN_S, plan.meters // METERS_PER_POLL_S),
        )
        with progress("Living through ninety days") as advance:
            stage = enter(staged(settings, plan, now_us(), advance))
        stage.park.call(spread(stage.town.park, shares))
        body = _body(stage, plan)
        app = enter(serving(settings, stage.town.clock.now_us))
        guide.install(app, _guide(stage, plan))
        enter(Life(stage.town, app.state.service.ledger, stage.purses))
        server = Server(app, settings.host, settings.port)
        stop_when_told(server)
        yield {**body, "seconds": round(time.monotonic() - began_s, 1)}
        sys.stdout.flush()
        if is_opened:
            webbrowser.open(body["links"]["admin"])
        say("Ctrl-C stops everything and leaves nothing behind.", style="dim")
        server.run(sockets=[bound])


def _bound(host: str, port: int) -> socket.socket:
    """The port is taken first: who finds it busy need not wait for a history."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        raise InputError("port_busy", f"{host}:{port} cannot be served: {error}.") from error
    return bound


def _body(stage: Stage, plan: Plan) -> Json:
    """Where to look, and a way in for every role; customers see the account that is shortest."""
    settings = stage.settings
    url = f"http://{settings.host}:{settings.port}"
    short = next(each for each in stage.town.people if each.customer.fate == "cut_off")
    engine = open_engine(settings)
    try:
        users = open_users(engine, settings)
        links = {}
        for role in ROLES:
            account_no = short.customer.account_no if role == "customer" else ""
            users.add(User(_user_of(role), role, frozenset(), account_no))
            links[role] = f"{url}/login/{users.issue_link(_user_of(role), LINK_MINUTES)}"
        token = users.issue_token(_user_of("admin"), days=1)
    finally:
        engine.dispose()
    return {
        "url": url,
        "links": links,
        "token": token,
        "accounts": plan.meters,
        "gateways": plan.gateways,
        "readings": stage.readings,
        "speed": plan.speed,
    }


def _guide(stage: Stage, plan: Plan) -> Guide:
    program = sys.argv[0] if Path(sys.argv[0]).name == PROGRAM else PROGRAM
    verify = f"LEDGER_DATABASE_URL={stage.settings.database_url} {program} verify"
    return Guide(plan.speed, {role: _user_of(role) for role in ROLES}, verify)


def _user_of(role: str) -> str:
    return f"demo-{role}"


def _welcome(body: Json) -> str:
    links = "\n".join(f"  {role:<15}{link}" for role, link in body["links"].items())
    return WELCOME.format(**{**body, "links": links})
