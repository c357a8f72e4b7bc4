"""`wattledger serve`: the web server and the feeds in one process, until told to stop."""

from typing import Annotated

import typer
import uvicorn

from adapters.cli.output import Shown, say
from adapters.wiring import read_settings
from api.main import serving


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535, help="Port.")] = None,
) -> Shown:
    """Serve health and readiness over HTTP and keep the views behind the log."""
    settings = read_settings()
    host, port = host or settings.host, port or settings.port
    with serving(settings) as app:
        say(f"Ready: http://{host}:{port}/healthz and /readyz. Ctrl-C stops.")
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
        uvicorn.Server(config).run()
    return Shown(body={"stopped": True}, hint="wattledger doctor")
