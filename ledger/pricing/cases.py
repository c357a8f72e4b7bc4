"""Case files run against the engine: `wattledger tariff test` (资费用例)."""

from fractions import Fraction

import msgspec

from ledger.pricing.case_diff import differences
from ledger.pricing.case_file import (
    AttributeChanged,
    Case,
    CaseFileInvalid,
    MeterInstalled,
    Policies,
    Purchase,
    parse_cases,
)
from ledger.pricing.case_meters import Interval, known_of, meters
from ledger.pricing.case_ratings import Amounts, Book, Charges, tier_quantities
from ledger.pricing.case_sales import sales
from ledger.pricing.compiled import CompiledTariff, compile_tariff
from ledger.pricing.explain import (
    day_text,
    explain,
    money_text,
    quantity_text,
    wall_clock_text,
)
from ledger.pricing.generic import Step
from ledger.pricing.lint import lint
from ledger.pricing.position import NotRateable
from ledger.pricing.problems import TariffInvalid
from ledger.pricing.vending import Sale
from ledger.values import local_us

Json = dict[str, object]


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of a case; `ok` is None where nothing was expected."""

    id: str
    ok: bool | None
    total: str | None = None
    intervals: list[Json] = []
    periods: list[Json] = []
    posted: list[Json] = []
    explain: list[Json] = []
    quarantined: list[int] = []
    """Readings that no interval could be made of."""
    differences: list[str] = []
    sales: list[Json] = []
    """What each purchase bought, where the tariff sells units."""


def run_cases(file_document: dict[str, object]) -> list[CaseResult]:
    """Results of every case of a file, in order.

    Raises CaseFileInvalid for what cannot be read, TariffInvalid for a wrong tariff.
    """
    file = parse_cases(file_document)
    for case in file.cases:
        if case.tariff not in file.tariffs:
            raise CaseFileInvalid(f"Case {case.id}: the file has no tariff {case.tariff}.")
    return [_run(case, _filled(file.tariffs[case.tariff], case.policies)) for case in file.cases]


def _filled(tariff: Json, policies: Policies) -> Json:
    """The tariff with the case's policies where it says nothing itself."""
    filled: Json = msgspec.json.decode(msgspec.json.encode(tariff))
    versions = filled.get("versions")
    for version in versions if isinstance(versions, list) else []:
        version.setdefault("applies", policies.price_change)
        version["accumulation"].setdefault("period_attribution", policies.period_attribution)
        for modifier in version.get("modifiers", []):
            modifier.setdefault("change", policies.modifier_change)
    return filled


def _run(case: Case, tariff_document: Json) -> CaseResult:
    problems = lint(tariff_document)
    if problems:
        raise TariffInvalid(problems)
    try:
        return _compared(case, _computed(case, compile_tariff(tariff_document)))
    except (CaseFileInvalid, NotRateable) as error:
        raise CaseFileInvalid(f"Case {case.id}: {error}") from error


def _computed(case: Case, tariff: CompiledTariff) -> CaseResult:
    found = meters(case.events, tariff)
    context = known_of(case.events, case.attributes, tariff)
    sold = sales(case, tariff)
    if sold:
        return _sold(case, tariff, sold)
    charged = Charges(tariff).of(found.intervals, context)
    book = Book(tariff, found.intervals, context) if found.intervals else None
    return CaseResult(
        id=case.id,
        ok=None,
        total=money_text(tariff, sum(map(sum, charged))),
        intervals=[
            _interval(tariff, interval, amounts)
            for interval, amounts in zip(found.intervals, charged, strict=True)
        ],
        periods=[] if book is None else _periods(tariff, book),
        posted=_posted(tariff, case),
        explain=[] if book is None else _explained(tariff, book),
        quarantined=found.quarantined,
    )


def _sold(case: Case, tariff: CompiledTariff, sold: list[tuple[Purchase, Sale]]) -> CaseResult:
    return CaseResult(
        id=case.id,
        ok=None,
        total=money_text(tariff, sum(sum(sale.amounts) for _, sale in sold)),
        posted=[
            {"after_seq": event.seq, "amount": money_text(tariff, sum(sale.amounts))}
            for event, sale in sold
        ],
        sales=[
            {
                "after_seq": event.seq,
                "units": quantity_text(sale.quantity),
                "channel_fee": money_text(tariff, sale.channel_fee_minor),
                "arrears": money_text(tariff, sale.arrears_minor),
                "lines": _lines(tariff, sale.amounts),
                "remainder": money_text(tariff, sale.remainder_minor),
            }
            for event, sale in sold
        ],
        explain=[
            {"after_seq": event.seq, "steps": explain(tariff, (sale.step,))} for event, sale in sold
        ],
    )


def _compared(case: Case, result: CaseResult) -> CaseResult:
    found = list(_contradictions(result))
    if case.expected is not None:
        found.extend(differences(case.expected, msgspec.to_builtins(result)))
    ok = not found if found or case.expected is not None else None
    return msgspec.structs.replace(result, ok=ok, differences=found)


def _contradictions(result: CaseResult) -> list[str]:
    """The same money seen in three ways must be the same money."""
    sums = {
        "intervals": [interval["charge"] for interval in result.intervals],
        "periods": [period["charge"] for period in result.periods],
        "posted": [posting["amount"] for posting in result.posted],
    }
    return [
        f"/{name}: they do not add up to the total {result.total}"
        for name, amounts in sums.items()
        if (amounts or not result.sales)
        and sum((Fraction(str(amount)) for amount in amounts), Fraction(0))
        != Fraction(result.total or 0)
    ]


def _posted(tariff: CompiledTariff, case: Case) -> list[Json]:
    """What each event moved: the difference of two full ratings, so a late one may give back."""
    postings: list[Json] = []
    before, charges = 0, Charges(tariff)
    for count, event in enumerate(case.events, start=1):
        if isinstance(event, MeterInstalled):
            continue
        known = case.events[:count]
        context = known_of(known, case.attributes, tariff)
        after = sum(map(sum, charges.of(meters(known, tariff).intervals, context)))
        if after != before or not isinstance(event, AttributeChanged):
            amount = money_text(tariff, after - before)
            postings.append({"after_seq": event.seq, "amount": amount})
        before = after
    return postings


def _interval(tariff: CompiledTariff, interval: Interval, amounts: Amounts) -> Json:
    return {
        **_times(tariff, interval),
        "consumption": {
            register: quantity_text(quantity)
            for register, quantity in zip(tariff.registers, interval.quantities, strict=True)
        },
        "lines": _lines(tariff, amounts),
        "charge": money_text(tariff, sum(amounts)),
    }


def _times(tariff: CompiledTariff, interval: Interval) -> Json:
    return {
        "meter": interval.meter,
        "from": wall_clock_text(local_us(tariff.timezone, interval.from_us)),
        "to": wall_clock_text(local_us(tariff.timezone, interval.to_us)),
    }


def _lines(tariff: CompiledTariff, amounts: Amounts) -> dict[str, str]:
    return {
        line.id: money_text(tariff, amount)
        for line, amount in zip(tariff.lines, amounts, strict=True)
    }


def _periods(tariff: CompiledTariff, book: Book) -> list[Json]:
    return [
        _period(tariff, steps, tuple(tally.posted))
        for _, (tally, steps) in sorted(book.windows.items(), key=lambda window: window[0])
    ]


def _period(tariff: CompiledTariff, steps: list[Step], posted: Amounts) -> Json:
    piece, bounds = steps[-1].piece, steps[-1].bounds
    parts = tier_quantities(steps)
    return {
        "from": day_text(piece.window_from),
        "to": day_text(piece.window_to),
        "consumption": quantity_text(steps[-1].used_after),
        "tier_bounds": [*(quantity_text(bound) for bound in bounds), None],
        "tier_quantities": [quantity_text(part) for part in parts],
        "lines": _lines(tariff, posted),
        "charge": money_text(tariff, sum(posted)),
    }


def _explained(tariff: CompiledTariff, book: Book) -> list[Json]:
    return [
        {**_times(tariff, derived.interval), "steps": explain(tariff, derived.steps)}
        for derived in book.derived
    ]
