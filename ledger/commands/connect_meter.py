"""Connect a meter (接入电表): by which gateway, as which unit of its bus, by which model's map."""

from concurrent.futures import Future
from typing import Annotated

from pydantic import Field

from ledger.aggregates import Refused
from ledger.aggregates.gateway import Gateway
from ledger.aggregates.meter import Meter
from ledger.commands import Command, Identifier, Json, MeterNo
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD
from ledger.values import stream_id


class ConnectMeter(Command):
    """A meter that is installed, and the line to it."""

    meter_no: MeterNo
    gateway_id: Identifier
    unit: Annotated[int, Field(strict=True, ge=1, le=247)]
    model: Identifier


def handle(command: ConnectMeter, ledger: Ledger, context: Context) -> Answer:
    """Reach it there from now on; the same again changes nothing."""
    return submit(command, ledger, context).result()


def submit(command: ConnectMeter, ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting."""
    home = ledger.meter_homes([command.meter_no]).get(command.meter_no)
    if home is None:
        raise Refused("meter_unknown", f"The meter {command.meter_no} is installed nowhere.")
    shard, _ = home

    def decide(session: Session) -> Json:
        stream = stream_id(Gateway.KIND, command.gateway_id)
        if session.load(Gateway, CATALOGUE_SHARD, (stream,))[stream].version == 0:
            raise Refused("gateway_unknown", f"Register the gateway {command.gateway_id} first.")
        meter = session.aggregate(Meter, command.meter_no, shard)
        event = meter.connect(command.gateway_id, command.unit, command.model)
        if event is not None:
            session.record(meter, event, session.now_us)
        return {
            **command.model_dump(),
            "account_no": meter.account_no,
            "service_point": meter.point,
            "changed": event is not None,
        }

    return ledger.submit(decide, context, shards=(shard,))
