"""Switch trips (停电总闸): let nobody be cut off for now, everywhere or at a site, and again."""

from typing import Annotated, Final, Literal

from pydantic import Field

from ledger.aggregates.trip_switch import TripSwitch
from ledger.commands import Command, Json, Reason, Text
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import stream_id

EVERYWHERE: Final = ""


class SwitchTrips(Command):
    """Off: trips wait from this moment on, and what is told to restore goes on. On: they go on."""

    trips: Literal["on", "off"]
    site: Annotated[Text, Field(max_length=64)] = EVERYWHERE
    reason: Reason


def handle(command: SwitchTrips, ledger: Ledger, context: Context) -> Answer:
    """Throw the switch; thrown so before is silence."""

    def decide(session: Session) -> Json:
        switch = session.aggregate(TripSwitch, command.site, CATALOGUE_SHARD)
        turned = switch.suspend if command.trips == "off" else switch.resume
        event = turned(command.site, command.reason)
        if event is not None:
            session.record(switch, event, session.now_us)
        return {"trips": command.trips, "site": command.site, "changed": event is not None}

    return ledger.decide(decide, context, shards=(CATALOGUE_SHARD,))


def are_suspended(session: Session, site: str) -> bool:
    """Whether nobody of a site may be cut off now."""
    streams = [stream_id(TripSwitch.KIND, where) for where in {EVERYWHERE, site}]
    switches = session.load(TripSwitch, CATALOGUE_SHARD, streams)
    return any(switch.is_suspended for switch in switches.values())
