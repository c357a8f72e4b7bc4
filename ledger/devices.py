"""What a driver of meters offers: reads and orders whose results are values, never exceptions.

An order that was sent and not answered is `NoAnswer`: its effect is *unknown*, not failed.
"""

from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

OrderKind = Literal[
    "trip",
    "close",
    "close_permit",
    "guarantee",
    "end_guarantee",
    "recall",
    "set_clock",
    "set_price",
]
RELAY_KINDS: Final[frozenset[OrderKind]] = frozenset(
    {"trip", "close", "close_permit", "guarantee", "end_guarantee", "recall"}
)
"""What every meter with a relay on a line obeys."""
OBEYED: Final[dict[str, frozenset[OrderKind]]] = {
    "DDSY1352": RELAY_KINDS,
    "DTSY1352": RELAY_KINDS,
    "ADF300L": RELAY_KINDS,
}
"""Order kinds that each model obeys. No public map names a register of theirs that sets the clock,
nor the scale of their prices."""
Relay = Literal["closed", "open", "unknown"]
Mode = Literal["auto", "forced_open", "forced_closed", "unknown"]
"""Who decides on the relay: the meter itself, or the platform by force."""


class MeterAddress(NamedTuple):
    """Where a meter is reached: gateway `rtu+tcp://host:port`, unit on its bus, model."""

    meter_no: str
    gateway: str
    unit: int
    model: str


class MeterState(msgspec.Struct, frozen=True, gc=False):
    """One reading of a meter. Registers are as on the meter, before any multiplier."""

    at_us: int
    """When the answer arrived, by the platform's clock (UTC microseconds)."""
    registers: dict[str, int]
    """Wh or litres by register: `total`, and `sharp`, `peak`, `flat`, `valley` if it has them."""
    relay: Relay
    mode: Mode
    own_prepayment: bool | None = None
    """Whether the meter deducts from a balance of its own; None where it cannot tell."""
    balance_minor: int | None = None
    purchase_count: int | None = None
    clock_skew_s: int | None = None
    values: dict[str, int] = {}
    """Further values of the map by name, in milli-units (voltage, current, power …)."""
    flags: tuple[str, ...] = ()
    raw: dict[int, int] = {}
    """Registers as sent, by address."""


class Order(NamedTuple):
    """What a meter shall do; one whose `expires_at_us` has passed is not sent."""

    kind: OrderKind
    expires_at_us: int | None = None
    argument: dict[str, Any] | None = None
    """Of `set_clock` and `set_price`; of `close`, `held_by: meter` where it holds the balance."""


class Ok(NamedTuple):
    """The meter answered; `state` where it was read."""

    state: MeterState | None = None


class Refused(NamedTuple):
    """The meter answered no: its exception code in words."""

    code: str


class NoAnswer(NamedTuple):
    """Nothing came back in time."""


class Garbled(NamedTuple):
    """What came back is no answer to what was asked."""

    reason: str


class Offline(NamedTuple):
    """The gateway cannot be reached, or the unit's breaker is open: nothing was sent."""

    reason: str


Outcome = Ok | Refused | NoAnswer | Garbled | Offline

COMMAND: Final = 0
VERIFY: Final = 1
ALARM: Final = 2
SWEEP: Final = 3
"""Priorities on a bus: the lower goes first."""


class Driver(Protocol):
    """One model of meter on an open bus; the bus gives it one request at a time."""

    def capabilities(self) -> frozenset[str]:
        """Order kinds that this model obeys, and `native_expiry`, `per_circuit`, `valve`."""

    async def read(self, unit: int) -> Outcome:
        """A fresh state of the meter."""

    async def execute(self, unit: int, order: Order) -> Outcome:
        """Send an order once; never sends it again by itself."""

    async def verify(self, unit: int, order: Order) -> Outcome:
        """A fresh state, read so that no late answer of an earlier request can be taken for it."""


def obeyed_by(model: str) -> frozenset[OrderKind]:
    """What may be ordered of a model; one that is not known yet is taken for a relay on a line."""
    return OBEYED.get(model, RELAY_KINDS)


def is_reached(kind: OrderKind, state: MeterState) -> bool:
    """Whether a fresh state shows what an order asked for."""
    if kind == "trip":
        return state.relay == "open"
    if kind in {"close", "end_guarantee"}:
        return state.relay == "closed" or (kind == "end_guarantee" and state.mode == "auto")
    if kind == "guarantee":
        return state.relay == "closed" and state.mode == "forced_closed"
    return True
