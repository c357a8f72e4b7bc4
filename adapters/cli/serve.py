"""`wattledger serve`: doors, feeds and meters in one process, until told to stop."""

import sys
from typing import Annotated, Final

import typer

from adapters.cli.output import Shown, say
from adapters.wiring import read_settings
from api.main import serving
from api.server import Server, log_as_json, stop_when_told

TURN_S: Final = 0.0005
"""So long a busy thread keeps the interpreter: the committer asks for it after each answer of the
database, and with the usual 5 ms a batch of payments may wait longer for it than for the disk."""


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port.")] = None,
) -> Shown:
    """Serve the API and the console, keep the views behind the log, steer the meters."""
    settings = read_settings()
    host, port = host or settings.host, port or settings.port
    log_as_json()
    sys.setswitchinterval(TURN_S)
    with serving(settings) as app:
        if not app.state.users.everybody():
            say("Nobody may sign in yet: wattledger user add NAME --role admin")
        server = Server(app, host, port)
        stop_when_told(server)
        say(f"The console: http://{host}:{port}/  the API: /api/v1/openapi.json  Ctrl-C stops.")
        server.run()
    return Shown(body={"stopped": True}, hint="wattledger doctor")
