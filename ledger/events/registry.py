"""The closed list of topics: what is not listed is no event, and nothing is imported by name."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from ledger.events import (
    Event,
    account,
    catalogue,
    command,
    command_batch,
    gateway,
    meter,
    payment,
    supply,
    trips,
    work_order,
)

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

EVENT_TYPES: Final[dict[str, type[Event]]] = {
    event_type.TOPIC: event_type
    for event_type in (
        *account.EVENTS,
        *supply.EVENTS,
        *payment.EVENTS,
        *meter.EVENTS,
        *command.EVENTS,
        *command_batch.EVENTS,
        *work_order.EVENTS,
        *gateway.EVENTS,
        *trips.EVENTS,
        *catalogue.EVENTS,
    )
}
UPCASTERS: Final[dict[str, tuple[str, Upcaster]]] = {}
"""Retired topic -> (its successor, pure function on the decoded payload)."""

_decoders: Final[dict[str, Callable[[bytes | str], Event]]] = {
    topic: msgspec.json.Decoder(event_type).decode for topic, event_type in EVENT_TYPES.items()
}
encode: Final = msgspec.json.Encoder().encode
"""Payload bytes of an event: JSON, fields in the type's order."""


class UnknownTopicError(LookupError):
    """The log holds a topic that this release does not know."""


def decode(topic: str, payload: bytes | str) -> Event:
    """Event of a stored payload, brought to its newest shape."""
    decoder = _decoders.get(topic)
    if decoder is not None:
        return decoder(payload)
    if topic not in UPCASTERS:
        raise UnknownTopicError(f"The topic {topic} is not an event of this release.")
    data: dict[str, Any] = msgspec.json.decode(payload)
    while topic in UPCASTERS:
        topic, upcast = UPCASTERS[topic]
        data = upcast(data)
    return _decoders[topic](encode(data))  # As if it had been written so: documents stay bytes.
