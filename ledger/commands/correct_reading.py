"""Correct or cancel a reading (更正 / 撤销抄表): what follows from it is rated again.

Posted events stay as they are; the signed difference is booked with its cause (R5).
"""

from typing import Final

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.account.intervals import NOT_COUNTED, Series, shows
from ledger.aggregates.account.read_back import Sought
from ledger.aggregates.account.rerating import CANCELLED, CORRECTED, Change, correct_charge
from ledger.aggregates.meter import Meter
from ledger.commands import Command, Json, MeterNo, Moment, Reason
from ledger.commands.answers import money_of
from ledger.commands.quantities import Registers, decimal_text
from ledger.commands.rerating import last_of, record_correction, series_of
from ledger.events.account import ChargeCorrected, MeteredInterval
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.folding import FOLD_HASH, fold
from ledger.values import micros, rfc3339, stream_id


class CorrectReading(Command):
    """A reading that was taken showed other values."""

    meter_no: MeterNo
    at: Moment
    registers: Registers
    reason: Reason


class CancelReading(Command):
    """A reading that was taken does not count."""

    meter_no: MeterNo
    at: Moment
    reason: Reason


Wanted = CorrectReading | CancelReading
INITIAL: Final = Refused(
    "initial_reading", "The meter began to count with this reading; replace the meter instead."
)


def handle(
    command: Wanted, ledger: Ledger, context: Context, *, is_preview: bool = False
) -> Answer:
    """Rate again and book the difference; a preview tells what would change and writes nothing."""
    unclaimed = context._replace(request=None)  # The key of a request names its effect alone.
    account_no = _account_of(command, ledger, unclaimed)
    return ledger.decide(
        lambda session: _decide(command, session, account_no, is_preview=is_preview),
        unclaimed if is_preview else context,
        accounts=(account_no,),
    )


def _account_of(command: Wanted, ledger: Ledger, context: Context) -> str:
    """The account that the meter counted for at that time."""
    found = ledger.decide(lambda session: _find(command, session), context, shards=(0,))
    return str(found.body["account_no"])


def _find(command: Wanted, session: Session) -> Json:
    stream, at_us = stream_id(Meter.KIND, command.meter_no), micros(command.at)
    for shard in range(session.shards):
        past = session.writer.past(shard, [stream], FOLD_HASH)
        for service in fold(Meter, shard, [stream], past)[stream].services:
            if service.from_us == at_us:
                raise INITIAL
            if service.covers(at_us):
                return {"account_no": service.account_no}
    raise _unknown(command)


def _unknown(command: Wanted) -> Refused:
    name = f"{command.meter_no}@{rfc3339(micros(command.at))}"
    return Refused("reading_unknown", f"There is no reading {name} that counts.")


def _decide(command: Wanted, session: Session, account_no: str, *, is_preview: bool) -> Json:
    account, at_us = session.account(account_no), micros(command.at)
    series = series_of(session, account, Sought(command.meter_no, at_us))
    if isinstance(series, Quarantine):
        raise _unknown(command) if series == NOT_COUNTED else Refused(series.code, series.reason)
    change = _change(command, account, series, at_us)
    if change is None:
        return {"changed": False, "account_no": account_no, **money_of(account)}
    decide = _preview if is_preview else record_correction
    fact = decide(session, account, change)
    if isinstance(fact, Quarantine):
        raise Refused(fact.code, fact.reason)
    return {"changed": True, **_shown(fact), **({} if is_preview else money_of(account))}


def _change(command: Wanted, account: Account, series: Series, at_us: int) -> Change | None:
    """The intervals as they become; None where the reading shows these values already."""
    meter_no = command.meter_no
    shown = series.shown(meter_no, at_us)
    if shown is None:
        raise _unknown(command)
    posted = series.copy()
    if isinstance(command, CancelReading):
        _require_no_border(account, series, meter_no, at_us)
        why = series.cancel(meter_no, at_us)
        cause = CANCELLED
    elif shows(command.registers, shown):
        return None
    else:
        why = series.correct(meter_no, at_us, command.registers)
        cause = CORRECTED
    if why is not None:
        raise Refused(why.code, why.reason)
    return Change(cause, command.reason, at_us, posted, series, last_of(posted))


def _require_no_border(account: Account, series: Series, meter_no: str, at_us: int) -> None:
    """Refuse to cancel the reading with which a meter ended: its successor began with it."""
    own = series.own()
    is_last_of_meter = not any(each.from_us == at_us and each.meter_no == meter_no for each in own)
    stands = account.point_of_meter(meter_no) is not None and own[-1].to_us == at_us
    if is_last_of_meter and not stands:
        raise Refused("final_reading", "A meter's final reading can be corrected, not cancelled.")


def _preview(session: Session, account: Account, change: Change) -> ChargeCorrected | Quarantine:
    tariff, version = session.tariff(change.series.anchor.tariff_id)
    return correct_charge(account, change, tariff, version)


def _shown(fact: ChargeCorrected) -> Json:
    return {
        "account_no": fact.account_no,
        "service_point": fact.point,
        "cause": fact.cause,
        "reason": fact.reason,
        "rerated_from": rfc3339(fact.rerated_from_us),
        "replaced": [_interval(each) for each in fact.replaced],
        "intervals": [_interval(each) for each in fact.intervals],
        "lines": [
            {
                "id": line.id,
                "gl": line.gl,
                "amount_minor": line.amount_minor,
                "vat_minor": line.vat_minor,
            }
            for line in fact.lines
        ],
        "currency": fact.currency,
        "amount_minor": fact.amount_minor,
        "balance_after_minor": fact.balance_after_minor,
        "granted_after_minor": fact.granted_after_minor,
    }


def _interval(interval: MeteredInterval) -> Json:
    return {
        "meter_no": interval.meter_no,
        "from": rfc3339(interval.from_us),
        "to": rfc3339(interval.to_us),
        "registers": {
            name: {
                "before": decimal_text(was),
                "after": decimal_text(now),
                "quantity": decimal_text(quantity),
            }
            for name, (was, now, quantity) in interval.registers.items()
        },
    }
