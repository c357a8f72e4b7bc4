"""Sales of a case: what each purchase was taken for, and the units that it bought."""

from fractions import Fraction
from zoneinfo import ZoneInfo

from ledger.pricing.case_file import Case, CaseFileInvalid, Purchase
from ledger.pricing.case_meters import instant_of, known_of
from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.exact import minor_digits
from ledger.pricing.vending import Payment, Sale, vend


def sales(case: Case, tariff: CompiledTariff) -> list[tuple[Purchase, Sale]]:
    """Every purchase in the order of its time; each stands where the one before it left off."""
    zone = ZoneInfo(tariff.timezone)
    bought = [event for event in case.events if isinstance(event, Purchase)]
    bought.sort(key=lambda event: instant_of(event.at, zone))
    if not bought:
        return []
    context = known_of(case.events, case.attributes, tariff)
    position = tariff.start(instant_of(bought[0].at, zone))
    found = []
    for event in bought:
        payment = Payment(
            instant_of(event.at, zone),
            _minor(event.amount, tariff),
            _minor(event.channel_fee, tariff),
            _minor(event.arrears, tariff),
        )
        sale = vend(tariff, position, payment, context)
        position = sale.position
        found.append((event, sale))
    return found


def _minor(text: str, tariff: CompiledTariff) -> int:
    amount = Fraction(text) * Fraction(10 ** minor_digits(tariff.currency))
    if amount.denominator != 1:
        raise CaseFileInvalid(f"{text} is no amount of {tariff.currency}.")
    return amount.numerator
