"""The web server of one process: bounded in what it keeps waiting, quick to stop."""

import logging
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI

from api.log_lines import LogLines

STOP_S: Final = 3
"""So long requests under way are waited for."""
KEEP_ALIVE_S: Final = 65
"""Longer than the usual proxy keeps an idle connection, so that it is the one to close it."""
BACKLOG: Final = 512


class Server(uvicorn.Server):
    """Ends its streams first: nobody who listens for ever is waited for."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                access_log=False,  # Ours knows the actor and the route.
                server_header=False,
                timeout_graceful_shutdown=STOP_S,
                timeout_keep_alive=KEEP_ALIVE_S,
                backlog=BACKLOG,
            )
        )

    async def shutdown(self, sockets: Sequence[socket.socket] | None = None) -> None:
        """Stop: streams, then requests under way, then the rest."""
        self._app.state.stream.end()
        await super().shutdown(None if sockets is None else list(sockets))


def stop_when_told(server: uvicorn.Server) -> None:
    """Let SIGTERM and Ctrl-C end the serving alone: whoever called has a ledger to close."""
    for name in (signal.SIGTERM, signal.SIGINT):
        # The library raises the signal again when it has stopped.
        signal.signal(name, lambda *_: setattr(server, "should_exit", True))


def log_as_json() -> None:
    """One JSON object a line, on stdout: ids, routes and times, never a body."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=LogLines(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )


def log_faults_alone() -> None:
    """What goes wrong, in words on stderr; the requests that go right are not told."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _json(entry: dict[str, Any], **_settings: Any) -> bytes:  # noqa: ANN401 - the library's own
    return msgspec.json.encode(entry, enc_hook=repr)
