"""`wattledger explain`: how a charge came about, to the last decimal."""

from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from adapters.cli.inputs import AccountNo
from adapters.cli.opening import reading
from adapters.cli.output import Shown, cell, facts
from adapters.cli.problems import InputError
from adapters.cli.times import local_text
from adapters.views.account_past import history_of
from adapters.views.explained import explain_charge
from ledger.commands import Json
from ledger.values import shard_of

HEAD: Final = (
    "kind", "account_no", "service_point", "valid_at", "tariff_id", "tariff_version", "cause",
    "reason", "amount", "currency",
)  # fmt: skip


def explain(
    account: AccountNo,
    position: Annotated[
        str, typer.Argument(metavar="POSITION", help="Of the charge; SHARD:POSITION does as well.")
    ],
) -> Shown:
    """Print the derivation of a recorded charge or correction: tiers, arithmetic, rounding."""
    with reading() as (engine, terms):
        number = _number(position, shard_of(account, terms.shards))
        history = history_of(engine, terms.shards)
        body = explain_charge(engine, history, terms.shards, account, number)
    return Shown(body=body, human=_text(_on_the_wall(body, terms.timezone)))


def _number(text: str, shard: int) -> int:
    of_shard, colon, position = text.rpartition(":")
    if not position.isdecimal() or (colon and of_shard != str(shard)):
        message = f"A position such as 123 or {shard}:123 is needed, not {text!r}."
        raise InputError("position_invalid", message)
    return int(position)


def _on_the_wall(body: Json, timezone: str) -> Json:
    """The same with times as a clock of the site shows them; windows of the day are local."""

    def told(part: Json) -> Json:
        times: Json = {
            name: local_text(part[name], timezone) for name in ("from", "to") if name in part
        }
        return {**part, **times}

    intervals = [
        {
            **told(interval),
            "hours": [told(part) for part in interval.get("hours", ())],
            "steps": [told(step) for step in interval["steps"]],
        }
        for interval in body.get("intervals", ())
    ]
    silent = [told(step) for step in body.get("silent_days", ())]
    at = local_text(body["valid_at"], timezone)
    shown = {**body, "valid_at": at, "intervals": intervals, "silent_days": silent}
    if "steps" in body:
        shown["steps"] = [told(step) for step in body["steps"]]
    return shown


def _text(body: Json) -> RenderableType:
    lines = [*_sale(body), *_steps(body.get("silent_days", ()))]
    for interval in body.get("intervals", ()):
        lines += [f"{interval['meter_no']}  {interval['from']} to {interval['to']}"]
        lines += [
            f"  {name}: {shown['after']} − {shown['before']} → {shown['quantity']}"
            for name, shown in interval["registers"].items()
        ]
        lines += [
            f"  {part['from']} to {part['to']} ({part['day_type']}): "
            f"{part['register']} {part['quantity']}"
            for part in interval.get("hours", ())
        ]
        lines += _steps(interval["steps"])
    lines += [
        f"{each['id']}: rated {each['rated']}, posted {each['posted']}: {each['amount']}"
        for each in body.get("differences", ())
    ]
    head = facts({name: body.get(name) for name in HEAD})
    return Group(head, *(Text(cell(line)) for line in lines))


def _sale(body: Json) -> Iterator[str]:
    """What a purchase was taken for, and what a reading took of the units."""
    for each in body.get("deductions", ()):
        yield f"{each['id']}: {each['amount']}"
    if body["kind"] == "sale":
        yield f"units sold, in whole {body['quantum']}: {body['sold']}"
        yield from _steps(body["steps"])
    for held in body.get("units", ()):
        source = f"receipt {held['receipt_no']}" if held["receipt_no"] else "units at large"
        yield f"{held['quantity']} of {source}"
        for line in held["lines"]:
            yield f"  {line['id']}: {line['arithmetic']} → {line['amount']}"


def _steps(steps: list[Json]) -> Iterator[str]:
    for step in steps:
        window = f"window {step['window']['from']} to {step['window']['to']}"
        season = f", season {step['season']}" if step["season"] else ""
        yield f"  {step['from']} to {step['to']}: version of {step['version']}{season}, {window}"
        if step["tiers"]:
            yield f"    used {step['used_before']} → {step['used_after']}, share {step['share']}"
        for tier in step["tiers"]:
            shown = ", ".join(f"{name} {value}" for name, value in tier["quantities"].items())
            yield f"    tier {tier['tier']} up to {tier['upto'] or '∞'}: {shown}"
        for line in step["lines"]:
            yield f"    {line['id']}: {line['exact_before']} + {line['arithmetic']}"
            yield f"      = {line['exact_after']}; {line['rounding']}: {line['rounded_after']}"
            yield f"      − {line['rounded_before']} = {line['amount']}"
