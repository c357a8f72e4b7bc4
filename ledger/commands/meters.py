"""Install, replace or remove a meter (装表 / 换表 / 拆表) at a service point."""

from concurrent.futures import Future

from ledger.aggregates import Refused
from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import OUT_OF_TURN, Quarantine, charge
from ledger.aggregates.account.points import remove_point, replace_meter
from ledger.aggregates.account.sales import give_all_back
from ledger.aggregates.meter import Meter
from ledger.commands import AccountNo, Command, Json, MeterNo, Moment, Reason
from ledger.commands.answers import account_answer
from ledger.commands.fit_meter import fit_meter
from ledger.commands.late_readings import CONTRADICTION, Reading
from ledger.commands.open_account import DEFAULT_WRAP, ServicePoint, install
from ledger.commands.quantities import PositiveQuantity, Registers
from ledger.commands.rerating import take_in_turn
from ledger.store import Answer, Context, Ledger, Session
from ledger.values import micros


class InstallMeter(ServicePoint):
    """Add a further service point with its meter to an account."""

    account_no: AccountNo


class ReplaceMeter(Command):
    """Take the old meter's last reading and let another meter count from its first."""

    account_no: AccountNo
    service_point: str | None = None
    replaced_at: Moment
    final: Registers
    meter_no: MeterNo
    initial: Registers
    wrap: PositiveQuantity = DEFAULT_WRAP
    multiplier: PositiveQuantity = 1_000
    reason: Reason


class RemoveMeter(Command):
    """Take the meter's last reading and stop charging the service point."""

    account_no: AccountNo
    service_point: str | None = None
    removed_at: Moment
    final: Registers
    reason: Reason


def install_meter(command: InstallMeter, ledger: Ledger, context: Context) -> Answer:
    """Add the point; the meter's number must be free in the whole ledger."""
    return submit_install(command, ledger, context).result()


def submit_install(command: InstallMeter, ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting."""

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        install(session, account, command)
        return account_answer(account, session)

    return ledger.submit(
        decide,
        context,
        accounts=(command.account_no,),
        meters=(command.meter_no,),
        claims=(command.claim("meter", command.meter_no, command.account_no),),
    )


def replace(command: ReplaceMeter, ledger: Ledger, context: Context) -> Answer:
    """Charge to the old meter's last registers, then count on with the new meter."""

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        point = account.point(command.service_point)
        at_us = micros(command.replaced_at)
        has_ended = _charge_final(session, account, point, command.final, at_us)
        _retire(session, account, point, at_us)
        replaced = replace_meter(
            account,
            point,
            at_us=at_us,
            new_meter_no=command.meter_no,
            registers=command.initial,
            wrap=command.wrap,
            multiplier_milli=command.multiplier,
            reason=command.reason,
            tariff=session.tariff(point.tariff_id)[0],
            has_ended=has_ended,
        )
        session.record(account, replaced, at_us)
        fit_meter(session, account, point.name, command.meter_no, replaced.registers, at_us)
        session.decide_levels(account, at_us)
        return account_answer(account, session)

    return ledger.decide(
        decide,
        context,
        accounts=(command.account_no,),
        meters=(command.meter_no,),
        claims=(command.claim("meter", command.meter_no, command.account_no),),
    )


def remove(command: RemoveMeter, ledger: Ledger, context: Context) -> Answer:
    """Charge to the last registers, then let the point and its meter go."""

    def decide(session: Session) -> Json:
        account = session.account(command.account_no)
        point = account.point(command.service_point)
        at_us = micros(command.removed_at)
        _charge_final(session, account, point, command.final, at_us)
        _retire(session, account, point, at_us)
        for back in give_all_back(account, point, at_us, command.reason):
            session.record(account, back, at_us)
        session.record(account, remove_point(account, point, command.reason), at_us)
        session.decide_levels(account, at_us)
        return account_answer(account, session)

    return ledger.decide(decide, context, accounts=(command.account_no,))


def _charge_final(
    session: Session, account: Account, point: Point, registers: dict[str, int], at_us: int
) -> bool:
    """Charge up to a meter's last reading, unless that was read; what cannot be is refused."""
    if at_us < point.last_at_us:
        raise Refused(
            "late", "A later reading of this meter is charged already; use its time or a later one."
        )
    if at_us == point.last_at_us:
        if point.shows(registers):
            return False
        raise Refused(CONTRADICTION.code, CONTRADICTION.reason)
    tariff, version = session.tariff(point.tariff_id)
    fact = charge(account, point, at_us, registers, tariff, version, session.now_us)
    if fact is OUT_OF_TURN:
        ((why, _),) = take_in_turn(
            session, account, point, [Reading(point.meter_no, at_us, registers)]
        )
        if why is not None:
            raise Refused(why.code, why.reason)
    elif isinstance(fact, Quarantine):
        raise Refused(fact.code, fact.reason)
    else:
        session.record(account, fact, at_us)
    return True


def _retire(session: Session, account: Account, point: Point, at_us: int) -> None:
    """Let the point's meter go, so that its number may be installed elsewhere."""
    meter = session.aggregate(Meter, point.meter_no, account.shard)
    session.record(meter, meter.remove(point.named_registers()), at_us)
    session.released.append(("meter", point.meter_no))
