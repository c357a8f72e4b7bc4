"""`wattledger worker`: the feeds in a process of their own, on a core of their own."""

import signal
import threading
from typing import Annotated

import typer

from adapters.cli.opening import opened
from adapters.cli.output import Shown, say
from adapters.clockwork import Clockwork
from adapters.device_side import start_devices
from adapters.views import Views
from adapters.worker import Worker
from ledger.aggregates import Refused


def worker(
    feed: Annotated[
        list[str] | None, typer.Option(help="Feeds to run: front, detail (default: all).")
    ] = None,
) -> Shown:
    """Keep the views behind the log, and act on the meters, until told to stop.

    Several may run: one acts per feed, and one on the meters. With --feed only those feeds run.
    """
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with opened() as here:
        views = Views(here.engine, here.terms)
        unknown = sorted(set(feed or ()) - set(views.feeds))
        if unknown:
            known = ", ".join(views.feeds)
            raise Refused("feed_unknown", f"There is no feed {unknown[0]}; there are: {known}.")
        chosen = [views.feeds[name] for name in feed or views.feeds]
        running = Worker(chosen, here.terms.shards).start()
        devices = None if feed else start_devices(here.settings, here.ledger, here.engine)
        clockwork = None if feed else Clockwork(here.ledger, here.engine).start()
        say(f"Following the log: {', '.join(each.spec.name for each in chosen)}. Ctrl-C stops.")
        stopping.wait()
        if clockwork is not None:
            clockwork.stop()
        if devices is not None:
            devices.stop()
        running.stop()
        return Shown(body={"stopped": True, "lag": views.lag()}, hint="wattledger doctor")
