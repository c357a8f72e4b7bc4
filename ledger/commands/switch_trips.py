"""Switch trips (停电总闸, 区域保电): let nobody be cut off, everywhere or at a site, and again."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from ledger.aggregates.trip_switch import TripSwitch
from ledger.commands import Command, Json, Moment, Reason, Text
from ledger.events import Event
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import micros, stream_id

EVERYWHERE: Final = ""
DUE: Final = Context("scheduler", "suspension due")


class SwitchTrips(Command):
    """Off: trips wait from this moment on, and what is told to restore goes on. On: they go on.

    With `until` they go on by themselves at that time.
    """

    trips: Literal["on", "off"]
    site: Annotated[Text, Field(max_length=64)] = EVERYWHERE
    until: Moment | None = None
    reason: Reason

    @model_validator(mode="after")
    def _only_a_rest_ends(self) -> Self:
        if self.trips == "on" and self.until is not None:
            raise ValueError("`until` goes with trips that are switched off")
        return self


def handle(command: SwitchTrips, ledger: Ledger, context: Context) -> Answer:
    """Throw the switch; thrown so before is silence."""
    until_us = 0 if command.until is None else micros(command.until)

    def decide(session: Session) -> Json:
        switch = session.aggregate(TripSwitch, command.site, CATALOGUE_SHARD)
        event: Event | None
        if command.trips == "off":
            event = switch.suspend(command.site, command.reason, until_us, session.now_us)
        else:
            event = switch.resume(command.site, command.reason)
        if event is not None:
            session.record(switch, event, session.now_us)
        return {"trips": command.trips, "site": command.site, "changed": event is not None}

    return ledger.decide(decide, context, shards=(CATALOGUE_SHARD,))


def end_due(site: str, ledger: Ledger) -> Answer:
    """Let trips go on where their time of rest has passed; one that was prolonged goes on."""

    def decide(session: Session) -> Json:
        switch = session.aggregate(TripSwitch, site, CATALOGUE_SHARD)
        is_over = switch.is_suspended and not switch.holds(session.now_us)
        event = switch.resume(site, "its time has passed") if is_over else None
        if event is not None:
            session.record(switch, event, session.now_us)
        return {"site": site, "changed": event is not None}

    return ledger.decide(decide, DUE, shards=(CATALOGUE_SHARD,))


def suspended_until(session: Session, site: str) -> int | None:
    """When somebody of a site may be cut off again: 0 is not known yet, None is now."""
    streams = [stream_id(TripSwitch.KIND, where) for where in {EVERYWHERE, site}]
    switches = session.load(TripSwitch, CATALOGUE_SHARD, streams).values()
    ends = [switch.until_us for switch in switches if switch.holds(session.now_us)]
    return None if not ends else 0 if 0 in ends else max(ends)
