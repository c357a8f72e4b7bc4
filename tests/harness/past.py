"""What has happened to an account before a test begins, told in facts."""

from typing import Any

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.consumption import charge
from ledger.events import account as facts
from ledger.pricing import CompiledTariff, compile_tariff
from tests.harness.desk import at_us
from tests.harness.documents import FLAT

NO = "A1"
FLAT_TARIFF = compile_tariff(FLAT)
NEW_YEAR = at_us("2026-01-01")
NOW_US = at_us("2026-07-01")
OPENED = facts.AccountOpened(NO, "CNY", "Asia/Shanghai", "", "", {}, {})
PAID_50 = facts.AccountCredited(NO, "0-1", "cash", "T1", "CNY", 50_00, 50_00, 0)


def paid(amount_minor: int, balance_after_minor: int, granted_after_minor: int = 0) -> Any:  # noqa: ANN401 - compared with any fact
    """A payment was booked."""
    return facts.AccountCredited(
        account_no=NO,
        receipt_no="0-1",
        channel="cash",
        channel_txn_id="T1",
        currency="CNY",
        amount_minor=amount_minor,
        balance_after_minor=balance_after_minor,
        granted_after_minor=granted_after_minor,
    )


def adjusted(
    amount_minor: int, balance_after_minor: int, granted_after_minor: int = 0, wallet: str = "paid"
) -> facts.AccountAdjusted:
    """A wallet was corrected."""
    return facts.AccountAdjusted(
        account_no=NO,
        wallet=wallet,
        currency="CNY",
        amount_minor=amount_minor,
        reason="goodwill",
        balance_after_minor=balance_after_minor,
        granted_after_minor=granted_after_minor,
    )


def closed(reason: str = "moved out") -> facts.AccountClosed:
    """The account was closed."""
    return facts.AccountClosed(NO, reason, 0, 0)


def added(
    tariff: CompiledTariff = FLAT_TARIFF,
    *,
    point: str = "electricity",
    meter_no: str = "M1",
    registers: dict[str, int] | None = None,
    wrap: int = 10**9,
    multiplier_milli: int = 1_000,
    policy_id: str = "standard",
) -> tuple[facts.ServicePointAdded, int]:
    """A meter began to count at New Year."""
    fact = facts.ServicePointAdded(
        account_no=NO,
        point=point,
        service_kind=point.partition("-")[0],
        meter_no=meter_no,
        tariff_id=tariff.tariff_id,
        tariff_version=1,
        policy_id=policy_id,
        unit="wh" if tariff.unit == "kWh" else "l",
        registers=registers or dict.fromkeys(tariff.registers, 0),
        wrap=wrap,
        multiplier_milli=multiplier_milli,
        position=tariff.start(NEW_YEAR),
    )
    return fact, NEW_YEAR


def read(
    account: Account,
    /,
    at: str,
    total: int | None = None,
    *,
    tariff: CompiledTariff = FLAT_TARIFF,
    point: str = "electricity",
    **registers: int,
) -> Any:  # noqa: ANN401 - a charge, or why there is none
    """The decision on a reading of a point's meter."""
    shown = registers if total is None else {"total": total, **registers}
    return charge(account, account.point(point), at_us(at), shown, tariff, 1, NOW_US)


def charged(account: Account, at: str, total: int, **more: Any) -> None:  # noqa: ANN401 - as `read` takes them
    """A reading was charged."""
    account.evolve(read(account, at, total, **more), at_us(at))


def an_account(*more: Any) -> Account:  # noqa: ANN401 - facts, with their times where they matter
    """An open account after these facts."""
    past = (OPENED, *more)
    return Account(0, "any").replay(
        fact if isinstance(fact, tuple) else (fact, NEW_YEAR) for fact in past
    )


def the_point(account: Account) -> Point:
    """The only point of an account."""
    return account.point(None)
