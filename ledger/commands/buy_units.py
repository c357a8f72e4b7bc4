"""Buy units (购电): what a payment that is in the wallet is turned into, and how it is told."""

from collections.abc import Iterable

from ledger.aggregates.account import Account, Point
from ledger.aggregates.account.sales import Offer, sell
from ledger.commands import Json
from ledger.commands.quantities import UNIT_TEXT, decimal_text
from ledger.events.account import ChargeLine, UnitsSold
from ledger.pricing import NotRateable
from ledger.pricing.vending import TOO_SMALL, sells_units
from ledger.store import Session


def point_to_buy_for(session: Session, account: Account, name: str | None) -> Point | None:
    """The point that a payment buys units of; None where it stays money."""
    if name is None and not any(_sells(session, point) for point in account.points):
        return None
    point = account.point(name)
    return point if _sells(session, point) else None


def buys_only_units(session: Session, account: Account) -> bool:
    """Whether all that the account uses is bought in units, by payments."""
    return bool(account.points) and all(_sells(session, point) for point in account.points)


def _sells(session: Session, point: Point) -> bool:
    return sells_units(session.tariff(point.tariff_id)[0])


def buy(session: Session, account: Account, point: Point, offer: Offer) -> Json:
    """Sell units for a payment that was just credited, and tell what became of it.

    What does not cover what comes first stays in the wallet: it buys with the next payment.
    """
    tariff, version = session.tariff(point.tariff_id)
    try:
        sold = sell(account, point, tariff, version, offer)
    except NotRateable as reason:
        unsold = {"sold": "0", "reason": TOO_SMALL if reason.code == TOO_SMALL else reason.code}
        return {"service_point": point.name, "unit": UNIT_TEXT[point.unit], **unsold}
    session.record(account, sold, offer.at_us)
    return {**sale_body(sold), "prepaid": decimal_text(point.units_left)}


def sale_body(sold: UnitsSold) -> Json:
    """A sale as it is told everywhere: what the payment was taken for, to the last minor unit."""
    return {
        "service_point": sold.point,
        "sold": decimal_text(sold.units.quantity),
        "unit": UNIT_TEXT[sold.unit],
        "tariff_id": sold.tariff_id,
        "paid_minor": sold.paid_minor,
        "channel_fee_minor": sold.channel_fee_minor,
        "arrears_minor": sold.arrears_minor,
        "lines": [*lines_body(sold.lines), *lines_body(sold.units.lines)],
        "vat_minor": sum(line.vat_minor for line in (*sold.lines, *sold.units.lines)),
        "remainder_minor": sold.remainder_minor,
        "amount_minor": sold.amount_minor,
    }


def lines_body(lines: Iterable[ChargeLine]) -> list[Json]:
    """Lines with the VAT inside."""
    return [
        {
            "id": line.id,
            "gl": line.gl,
            "amount_minor": line.amount_minor,
            "vat_minor": line.vat_minor,
        }
        for line in lines
    ]
