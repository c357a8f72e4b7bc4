"""Late and corrected readings brought into what was charged (补抄重算): a signed difference each.

Off the hot path: the facts of the account are read back from the log as far as they are needed, and
what this batch has recorded comes before them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import Quarantine
from ledger.aggregates.account.intervals import Known, Series, shows
from ledger.aggregates.account.read_back import (
    READ_BACK,
    Sought,
    newest_first,
    read_series,
)
from ledger.aggregates.account.rerating import LATE, SHARED, Change, correct_charge
from ledger.commands.late_readings import CONTRADICTION, Reading
from ledger.events.account import ChargeCorrected
from ledger.store import Session

READINGS_MAX: Final = 200
"""Late readings of a meter that one correction takes in."""
CLOSED: Final = Quarantine("account_closed", "The account is closed.")


class Taken(NamedTuple):
    """What became of a late reading: why it is kept aside, or whether it was known before."""

    why: Quarantine | None = None
    is_duplicate: bool = False


def known_facts(session: Session, account: Account) -> Iterator[Known]:
    """Facts of an account that tell of intervals, newest first; those of this batch as well."""
    version = account.version
    for row, (state, event) in zip(reversed(session.rows), reversed(session.facts), strict=True):
        if state is account:
            version = row.version - 1
            if row.topic in READ_BACK:
                yield Known(event, row.valid_at)
    yield from newest_first(
        lambda span: session.writer.facts_between(account.shard, [span]),
        account.stream_id,
        version,
    )


def series_of(session: Session, account: Account, sought: Sought) -> Series | Quarantine:
    """The intervals of the point that a meter counts for, from before a time on."""
    if account.status != "open":
        return CLOSED
    series = read_series(
        known_facts(session, account),
        sought,
        lambda tariff_id: session.tariff(tariff_id)[0],
        account,
    )
    if isinstance(series, Series):
        tariff, _ = session.tariff(series.anchor.tariff_id)
        series.powers = tariff.power_registers
    return series


def take_late(
    session: Session, account: Account, meter_no: str, readings: Sequence[Reading]
) -> list[Taken]:
    """Let late readings of a meter cut the intervals they fall into; one correction for all.

    Answers in the order of the readings.
    """
    return _in_parts(readings, partial(_take_part, session, account, meter_no))


def _take_part(
    session: Session, account: Account, meter_no: str, readings: Sequence[Reading]
) -> list[Taken]:
    series = series_of(session, account, Sought(meter_no, readings[0].at_us))
    if isinstance(series, Quarantine):
        return [Taken(series)] * len(readings)
    posted = series.copy()
    taken = [_split(series, reading) for reading in readings]
    first = next(
        (
            reading.at_us
            for reading, outcome in zip(readings, taken, strict=True)
            if outcome == Taken()
        ),
        None,
    )
    if first is None:
        return taken
    change = Change(LATE, "", first, posted, series, last_of(posted))
    refused = record_correction(session, account, change)
    if isinstance(refused, Quarantine):
        return [Taken(refused) if outcome == Taken() else outcome for outcome in taken]
    return taken


def take_in_turn(
    session: Session, account: Account, point: Point, readings: Sequence[Reading]
) -> list[Taken]:
    """Charge readings whose place is before others that their tiers count; one correction for all.

    Each is later than the meter's last one. Answers in the order of the readings.
    """
    return _in_parts(readings, partial(_append_part, session, account, point))


def _append_part(
    session: Session, account: Account, point: Point, readings: Sequence[Reading]
) -> list[Taken]:
    since_us, shown = point.last_at_us, point.named_registers()
    series = series_of(session, account, Sought(point.meter_no, readings[0].at_us, since_us))
    if isinstance(series, Quarantine):
        return [Taken(series)] * len(readings)
    posted = series.copy()
    taken, last_us = [], since_us
    for reading in readings:
        if reading.at_us <= last_us:
            is_same = reading.at_us == last_us and shows(reading.registers, shown)
            taken.append(Taken(None if is_same else CONTRADICTION, is_same))
            continue
        why = series.append(point.meter_no, last_us, shown, reading.at_us, reading.registers)
        taken.append(Taken(why))
        if why is None:
            last_us = reading.at_us
            shown = {name: reading.registers[name] for name in shown}
    if last_us > since_us:
        change = Change(SHARED, "", last_us, posted, series, since_us)
        refused = record_correction(session, account, change)
        if isinstance(refused, Quarantine):
            return [Taken(refused) if outcome == Taken() else outcome for outcome in taken]
    return taken


def _in_parts(
    readings: Sequence[Reading], take: Callable[[Sequence[Reading]], list[Taken]]
) -> list[Taken]:
    """Take readings in order of time, so many at once; answers in their own order."""
    taken: dict[int, Taken] = {}
    order = sorted(range(len(readings)), key=lambda index: readings[index].at_us)
    for start in range(0, len(order), READINGS_MAX):
        part = order[start : start + READINGS_MAX]
        outcomes = take([readings[index] for index in part])
        taken.update(zip(part, outcomes, strict=True))
    return [taken[index] for index in range(len(readings))]


def last_of(series: Series) -> int:
    """The point's last reading that counts in a series."""
    own = series.own()
    return own[-1].to_us if own else series.anchor.until_us


def _split(series: Series, reading: Reading) -> Taken:
    shown = series.shown(reading.meter_no, reading.at_us)
    if series.was_told(*reading) or (shown is not None and shows(reading.registers, shown)):
        return Taken(is_duplicate=True)
    return Taken(CONTRADICTION if shown is not None else series.split(*reading))


def record_correction(
    session: Session, account: Account, change: Change
) -> ChargeCorrected | Quarantine:
    """Post the difference and decide what follows for the supply now."""
    tariff, version = session.tariff(change.series.anchor.tariff_id)
    fact = correct_charge(account, change, tariff, version)
    if isinstance(fact, ChargeCorrected):
        session.record(account, fact, change.at_us)
        session.decide_levels(account, session.now_us)
    return fact
