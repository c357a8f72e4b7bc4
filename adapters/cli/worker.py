"""`wattledger worker`: the feeds in a process of their own, on a core of their own."""

import signal
import threading
from typing import Annotated

import typer

from adapters.cli.opening import reading
from adapters.cli.output import Shown, say
from adapters.views import Views
from adapters.worker import Worker
from ledger.aggregates import Refused


def worker(
    feed: Annotated[
        list[str] | None, typer.Option(help="Feeds to run [all]: front, detail.")
    ] = None,
) -> Shown:
    """Keep the views behind the log until told to stop; several may run, one acts per feed."""
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    with reading() as (engine, terms):
        views = Views(engine, terms)
        unknown = sorted(set(feed or ()) - set(views.feeds))
        if unknown:
            known = ", ".join(views.feeds)
            raise Refused("feed_unknown", f"There is no feed {unknown[0]}; there are: {known}.")
        chosen = [views.feeds[name] for name in feed or views.feeds]
        running = Worker(chosen, terms.shards).start()
        say(f"Following the log: {', '.join(each.spec.name for each in chosen)}. Ctrl-C stops.")
        stopping.wait()
        running.stop()
        return Shown(body={"stopped": True, "lag": views.lag()}, hint="wattledger doctor")
