"""Explain (推导): how a recorded charge came about, by the very code that rated it.

Pure: it is given the fact, the account as it was right before it, and the tariff of its time. For
each line, `exact_before` plus the printed arithmetic is `exact_after`, and the difference of both,
rounded, is the amount.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import known_of
from ledger.aggregates.account.intervals import Known, Series
from ledger.aggregates.account.rerating import (
    Change,
    change_of,
    quantities,
    rated,
    side_by_side,
)
from ledger.aggregates.account.units import quantity_of
from ledger.events import Recorded
from ledger.events import account as facts
from ledger.events.account import ChargeLine, MeteredInterval
from ledger.explaining_units import sale_explained, units_used
from ledger.pricing import CLOSED_WINDOW, CompiledTariff, NotRateable, Position, explain
from ledger.pricing.context import Context
from ledger.pricing.explain import money_text, quantity_text
from ledger.pricing.hours import TOTAL
from ledger.values import local_day, rfc3339

Json = dict[str, Any]
Charge = facts.AccountCharged | facts.ChargeCorrected | facts.FixedFeeCharged
Told = Charge | facts.UnitsSold


def explained(
    recorded: Recorded, before: Account, tariff: CompiledTariff, newest_first: Iterable[Known]
) -> Json:
    """The derivation of a charge, a correction or a fixed fee; other facts are refused.

    `newest_first` are the account's facts before it: a correction is read back through them.
    """
    event = recorded.event
    if isinstance(event, facts.AccountCharged):
        return _charge(event, recorded, before, tariff)
    if isinstance(event, facts.ChargeCorrected):
        change = change_of(before, event, recorded.valid_at_us, tariff, newest_first)
        if isinstance(change, str):
            raise Refused("not_explained", f"It does not follow from the log: {change}.")
        return _correction(event, recorded, before, tariff, change)
    if isinstance(event, facts.UnitsSold):
        return {
            **_head("sale", event, recorded),
            **sale_explained(event, recorded.valid_at_us, before, tariff),
            "lines": [_line(tariff, line) for line in (*event.lines, *event.units.lines)],
        }
    if isinstance(event, facts.FixedFeeCharged):
        return _fixed_fee(event, recorded, before, tariff)
    raise Refused("not_a_charge", f"At this position is no charge, but {event.TOPIC}.")


def _charge(
    event: facts.AccountCharged, recorded: Recorded, before: Account, tariff: CompiledTariff
) -> Json:
    point = before.point(event.point)
    interval = MeteredInterval(event.meter_no, event.from_us, recorded.valid_at_us, event.registers)
    if event.units is not None:
        return {
            **_head("charge", event, recorded),
            "intervals": [{**_interval(interval), "steps": []}],
            "units": units_used(point, quantity_of([interval]), tariff),
            **_foot(event, tariff),
        }
    try:
        _, _, steps = tariff.derive(
            point.position,
            interval.from_us,
            interval.to_us,
            quantities(tariff, interval),
            known_of(before, point, interval.to_us, tariff),
        )
    except NotRateable as reason:
        raise Refused(reason.code, str(reason)) from reason
    return {
        **_head("charge", event, recorded),
        "intervals": [{**_metered(interval, tariff), "steps": explain(tariff, steps)}],
        **_foot(event, tariff),
    }


def _correction(
    event: facts.ChargeCorrected,
    recorded: Recorded,
    before: Account,
    tariff: CompiledTariff,
    change: Change,
) -> Json:
    told = {
        **_head("correction", event, recorded),
        "cause": event.cause,
        "reason": event.reason,
        "replaced": [_interval(each) for each in event.replaced],
    }
    if event.units is not None:
        came = [{**_interval(each), "steps": []} for each in event.intervals]
        nothing: Json = {"silent_days": [], "differences": []}
        return {**told, "intervals": came, **nothing, **_foot(event, tariff)}
    series, context = change.series, before.rating_context()
    _, totals = rated(tariff, series, context)
    position, derived = _derived(tariff, series, context)
    silent = tariff.derive_fixed_only(position, series.fixed_at_us, context)[2]
    return {
        **told,
        "intervals": derived,
        "silent_days": explain(tariff, silent),
        "differences": [
            _difference(tariff, line.id, total, series.posted.get(line.id, 0))
            for line, total in zip(tariff.lines, totals, strict=True)
        ],
        **_foot(event, tariff),
    }


def _derived(
    tariff: CompiledTariff, series: Series, context: Context | None
) -> tuple[Position, list[Json]]:
    """Where the tiers stand after the intervals, and every step of each."""
    position, derived = series.begin(tariff), []
    try:
        for each in series.rateable(tariff, context):
            position, _, steps = tariff.derive(position, *each)
            derived.append(steps)
    except NotRateable as reason:
        if reason.code != CLOSED_WINDOW:
            raise
        position, derived = side_by_side(tariff, series, context)
    return position, [
        {**_metered(interval, tariff), "steps": explain(tariff, steps)}
        for interval, steps in zip(series.intervals(), derived, strict=True)
    ]


def _difference(tariff: CompiledTariff, line_id: str, total: int, posted: int) -> Json:
    return {
        "id": line_id,
        "rated": money_text(tariff, total),
        "posted": money_text(tariff, posted),
        "arithmetic": f"{money_text(tariff, total)} − {_factor(money_text(tariff, posted))}",
        "amount": money_text(tariff, total - posted),
    }


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _fixed_fee(
    event: facts.FixedFeeCharged, recorded: Recorded, before: Account, tariff: CompiledTariff
) -> Json:
    position = before.point(event.point).position
    steps = tariff.derive_fixed_only(position, recorded.valid_at_us, before.rating_context())[2]
    return {
        **_head("fixed_fee", event, recorded),
        "silent_days": explain(tariff, steps),
        **_foot(event, tariff),
    }


def _head(kind: str, event: Told, recorded: Recorded) -> Json:
    return {
        "kind": kind,
        "account_no": event.account_no,
        "service_point": event.point,
        "shard": recorded.shard,
        "position": recorded.position,
        "recorded_at": rfc3339(recorded.recorded_at_us),
        "valid_at": rfc3339(recorded.valid_at_us),
        "tariff_id": event.tariff_id,
        "tariff_version": event.tariff_version,
    }


def _foot(event: Charge, tariff: CompiledTariff) -> Json:
    return {
        "lines": [_line(tariff, line) for line in _in_order(tariff, event.lines)],
        "currency": event.currency,
        "amount": money_text(tariff, event.amount_minor),
        "amount_minor": event.amount_minor,
        "granted_used_minor": event.granted_used_minor,
        "balance_after_minor": event.balance_after_minor,
    }


def _in_order(tariff: CompiledTariff, lines: Sequence[ChargeLine]) -> list[ChargeLine]:
    order = {line.id: number for number, line in enumerate(tariff.lines)}
    return sorted(lines, key=lambda line: order.get(line.id, len(order)))


def _line(tariff: CompiledTariff, line: ChargeLine) -> Json:
    num, den = line.vat_rate
    return {
        "id": line.id,
        "gl": line.gl,
        "amount": money_text(tariff, line.amount_minor),
        "amount_minor": line.amount_minor,
        "vat_minor": line.vat_minor,
        "vat_rate": f"{num}/{den}",
    }


def _metered(interval: MeteredInterval, tariff: CompiledTariff) -> Json:
    """An interval, and where one register counted for all hours, how these are told apart."""
    hours = tariff.hours
    if hours is None or TOTAL not in interval.registers:
        return _interval(interval)
    parts = hours.split(interval.from_us, interval.to_us, interval.registers[TOTAL][2])
    return {
        **_interval(interval),
        "hours": [
            {
                "register": tariff.registers[part.register],
                "from": rfc3339(part.from_us),
                "to": rfc3339(part.to_us),
                "day_type": hours.day_type(local_day(tariff.timezone, part.from_us)),
                "quantity": quantity_text(part.quantity),
            }
            for part in parts
        ],
    }


def _interval(interval: MeteredInterval) -> Json:
    return {
        "meter_no": interval.meter_no,
        "from": rfc3339(interval.from_us),
        "to": rfc3339(interval.to_us),
        "registers": {
            name: {
                "before": quantity_text(was),
                "after": quantity_text(now),
                "quantity": quantity_text(quantity),
            }
            for name, (was, now, quantity) in interval.registers.items()
        },
    }
