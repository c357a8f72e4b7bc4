"""Register a gateway (网关登记): where the meters behind it are reached."""

from typing import Annotated

from pydantic import Field

from ledger.aggregates.gateway import Gateway
from ledger.commands import Command, Identifier, Json, Text
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.session import CATALOGUE_SHARD


class RegisterGateway(Command):
    """A line to meters: `rtu+tcp://host:port`, or `rtu+listen://register` where it dials in."""

    gateway_id: Identifier
    url: Annotated[str, Field(pattern=r"^[a-z0-9+]{3,20}://[\x21-\x7e]{1,200}$")]
    site: Annotated[Text, Field(max_length=64)] = ""


def handle(command: RegisterGateway, ledger: Ledger, context: Context) -> Answer:
    """Reach it there from now on; the same again changes nothing."""

    def decide(session: Session) -> Json:
        gateway = session.aggregate(Gateway, command.gateway_id, CATALOGUE_SHARD)
        event = gateway.register(command.gateway_id, command.url, command.site)
        if event is not None:
            session.record(gateway, event, session.now_us)
        return {**command.model_dump(), "changed": event is not None}

    return ledger.decide(decide, context, shards=(CATALOGUE_SHARD,))
