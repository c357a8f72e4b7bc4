"""`wattledger meter read|recall|poll`: what meters say now, over their own wire."""

from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Group

from adapters.cli.meter import group
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.problems import InputError, UnreachableError
from adapters.cli.verbs import verb
from adapters.devices.acrel_block import ENERGIES
from adapters.devices.acrel_modbus import MODELS
from adapters.devices.fleet import Fleet
from adapters.devices.line import Timing, parse_gateway
from adapters.devices.poller import Poller
from adapters.devices.register_map import load_map
from adapters.views.meter_lines import meter_addresses
from adapters.wiring import now_us
from ledger.aggregates import Refused
from ledger.commands import Json
from ledger.commands.advance_command import told
from ledger.commands.quantities import decimal_text
from ledger.devices import MeterAddress, MeterState, Ok, Order, Outcome
from ledger.devices import Refused as MeterRefused
from ledger.values import rfc3339

RECALL: Final = Order("recall")
DIFFERENCE: Final = 3
UNREAD: Final = ("meter_no", "gateway", "unit", "model", "code", "reason")

GatewayUrl = Annotated[str, typer.Option("--gateway", help="rtu+tcp://HOST:PORT.")]
Unit = Annotated[int, typer.Option(min=1, max=247, help="Number on the gateway's bus.")]
Model = Annotated[str, typer.Option(help=f"{', '.join(MODELS)}.")]
Timeout = Annotated[float, typer.Option(min=0.05, max=60, help="Seconds to wait for an answer.")]
Timezone = Annotated[str, typer.Option(help="Zone of the meter's clock.")]


@verb(group)
def read(
    gateway: GatewayUrl,
    unit: Unit,
    model: Model,
    timeout: Timeout = 1.0,
    timezone: Timezone = "Asia/Shanghai",
) -> Shown:
    """Read everything that a meter says of itself, without any ledger."""
    meter = _meter(gateway, unit, model)
    with _fleet(timezone, timeout) as fleet:
        return _shown(meter, fleet.read(meter).result())


@verb(group)
def recall(
    gateway: GatewayUrl,
    unit: Unit,
    model: Model,
    timeout: Timeout = 1.0,
    timezone: Timezone = "Asia/Shanghai",
) -> Shown:
    """Look at relay and mode (召测), read so that no late answer of another request is taken."""
    meter = _meter(gateway, unit, model)
    with _fleet(timezone, timeout) as fleet:
        return _shown(meter, fleet.verify(meter, RECALL).result())


@verb(group)
def poll(
    within: Annotated[float, typer.Option(min=1, help="Seconds that the sweep may take.")] = 60.0,
    timeout: Timeout = 1.0,
) -> Shown:
    """Read every connected meter of the ledger once and charge what it shows."""
    with opened() as here:
        here.views()
        with here.engine.execution_options(read_only=True).begin() as connection:
            addresses = meter_addresses(connection)
        with _fleet(here.terms.timezone, timeout) as fleet:
            poller = Poller(fleet, here.ledger, lambda: addresses, interval_s=within)
            tally, silent = poller.sweep_once()
    unread = [_unread(address, outcome) for address, outcome in silent]
    body: Json = {"meters": len(addresses), **tally._asdict(), "unread": unread}
    human = Group(
        facts({**body, "unread": len(unread)}),
        table(UNREAD, ([line[name] for name in UNREAD] for line in unread)),
    )
    return Shown(body=body, human=human, exit_code=DIFFERENCE if unread else 0)


def _unread(address: MeterAddress, outcome: Outcome) -> Json:
    code, reason = told(outcome)
    return {**address._asdict(), "code": code, "reason": reason}


def _meter(gateway: str, unit: int, model: str) -> MeterAddress:
    try:
        parse_gateway(gateway)
    except ValueError as error:
        raise InputError("gateway_invalid", f"{error}.") from error
    require_model(model)
    return MeterAddress(f"unit {unit}", gateway, unit, model)


def require_model(model: str) -> None:
    """Refuse a model that nothing here speaks."""
    if model not in MODELS:
        known = ", ".join(MODELS)
        raise InputError("model_unknown", f"There is no driver of {model!r}; there are: {known}.")


def _fleet(timezone: str, timeout_s: float) -> Fleet:
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError("timezone_unknown", f"There is no time zone {timezone!r}.") from error
    return Fleet(now_us, zone, Timing(answer_s=timeout_s))


def _shown(meter: MeterAddress, outcome: Outcome) -> Shown:
    if isinstance(outcome, MeterRefused):
        raise Refused(outcome.code, f"The meter answered no: {outcome.code.replace('_', ' ')}.")
    if not isinstance(outcome, Ok) or outcome.state is None:
        code, reason = told(outcome)
        raise UnreachableError(code, f"{reason[:1].upper()}{reason[1:]}.")
    body = _body(meter, outcome.state)
    return Shown(body=body, human=_human(body))


def _body(meter: MeterAddress, state: MeterState) -> Json:
    units = {each.name: each.unit for each in load_map(meter.model).fields}
    energies = {ENERGIES[name]: wh for name, wh in state.registers.items()}
    return {
        "gateway": meter.gateway,
        "unit": meter.unit,
        "model": meter.model,
        "read_at": rfc3339(state.at_us),
        "relay": state.relay,
        "mode": state.mode,
        "own_prepayment": state.own_prepayment,
        "balance_minor": state.balance_minor,
        "purchase_count": state.purchase_count,
        "clock_skew_s": state.clock_skew_s,
        "registers": {name: decimal_text(wh) for name, wh in state.registers.items()},
        "values": {
            name: {"value": decimal_text(milli), "unit": units[name]}
            for name, milli in (energies | state.values).items()
        },
        "flags": list(state.flags),
        "raw": {f"0x{address:04X}": word for address, word in state.raw.items()},
    }


def _human(body: Json) -> Group:
    values = {
        f"{name} ({each['unit']})" if each["unit"] else name: each["value"]
        for name, each in body["values"].items()
        if each["value"] != "0"
    }
    said = {name: value for name, value in body.items() if not isinstance(value, dict | list)}
    return Group(facts({**said, "flags": ", ".join(body["flags"])}), facts(values))
