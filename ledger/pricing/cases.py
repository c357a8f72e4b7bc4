"""Case files run against the engine: `wattledger tariff test` (资费用例)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import msgspec

from ledger.pricing.case_diff import differences
from ledger.pricing.case_file import (
    Case,
    CaseFile,
    CaseFileInvalid,
    Policies,
    Purchase,
    parse_case,
    parse_file,
)
from ledger.pricing.case_meters import Interval, known_of, meters, refuse_unknown_meters
from ledger.pricing.case_postings import postings
from ledger.pricing.case_ratings import Amounts, Book, Charges, Derived, tier_quantities
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
from ledger.pricing.position import NotRateable
from ledger.pricing.problems import TariffInvalid, pointer
from ledger.pricing.vending import Sale
from ledger.values import local_us

Json = dict[str, object]


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came out of a case; `ok` is None where nothing was expected and nothing was wrong."""

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
    unreadable: list[str] = []
    """Why nothing could be computed: what is wrong with the case or its tariff, and where."""
    ignored: list[str] = []
    """Fields that the file has beyond its form: they are notes of its author, or misspelt."""


def run_cases(file_document: dict[str, object]) -> list[CaseResult]:
    """Results of every case of a file, in order; CaseFileInvalid where it is no case file.

    A case that cannot be computed keeps no other from being run.
    """
    file = parse_file(file_document)
    return [_read_and_run(case, number, file) for number, case in enumerate(file.cases)]


def _read_and_run(document: Json, number: int, file: CaseFile) -> CaseResult:
    try:
        case = parse_case(document, number)
        ignored = [*file.ignored(), *case.unread("cases", number)]
        return msgspec.structs.replace(_run(case, file.tariffs), ignored=ignored)
    except CaseFileInvalid as error:
        name = str(document.get("id", pointer("cases", number)))
        return CaseResult(id=name, ok=False, unreadable=[str(error)])


def _run(case: Case, tariffs: Mapping[str, Json]) -> CaseResult:
    if case.tariff not in tariffs:
        reasons = [f"The file has no tariff {case.tariff}."]
        return CaseResult(id=case.id, ok=False, unreadable=reasons)
    try:
        tariff = _compiled(_filled(tariffs[case.tariff], case.policies))
        return _compared(case, _computed(case, tariff))
    except TariffInvalid as error:
        place = pointer("tariffs", case.tariff)
        reasons = [f"{place}{problem.path}: {problem.message}" for problem in error.problems]
    except NotRateable as error:
        reasons = [str(error)]
    return CaseResult(id=case.id, ok=False, unreadable=reasons)


def _filled(tariff: Json, policies: Policies) -> bytes:
    """The tariff with the case's policies where it says nothing itself."""
    filled: Json = msgspec.json.decode(msgspec.json.encode(tariff))
    for version in _objects(filled.get("versions")):
        version.setdefault("applies", policies.price_change)
        for accumulation in _objects([version.get("accumulation")]):
            accumulation.setdefault("period_attribution", policies.period_attribution)
        for modifier in _objects(version.get("modifiers")):
            modifier.setdefault("change", policies.modifier_change)
    return msgspec.json.encode(filled)


def _objects(items: object) -> list[Json]:
    """The objects of a list; what else stands there is told by `lint`."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


@lru_cache(maxsize=32)
def _compiled(tariff: bytes) -> CompiledTariff:
    """Many cases of a file share a tariff."""
    return compile_tariff(tariff)


def _computed(case: Case, tariff: CompiledTariff) -> CaseResult:
    refuse_unknown_meters(case.events)
    found = meters(case.events, tariff)
    context = known_of(case.events, case.attributes, tariff, found.quarantined)
    sold = sales(case, tariff)
    if sold:
        return _sold(case, tariff, sold)
    charged = Charges(tariff).of(found, context)
    book = Book(tariff, found, context) if found.intervals else None
    return CaseResult(
        id=case.id,
        ok=None,
        total=money_text(tariff, sum(map(sum, charged))),
        intervals=[
            _interval(tariff, derived, amounts)
            for derived, amounts in zip(book.derived if book else [], charged, strict=True)
        ],
        periods=[] if book is None else _periods(tariff, book),
        posted=[
            {"after_seq": seq, "amount": money_text(tariff, amount)}
            for seq, amount in postings(case, tariff, found, charged)
        ],
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
                "lines": _lines(tariff, sale.amounts, [sale.step]),
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


def _interval(tariff: CompiledTariff, derived: Derived, amounts: Amounts) -> Json:
    interval = derived.interval
    return {
        **_times(tariff, interval),
        "consumption": {
            register: quantity_text(quantity)
            for register, quantity in zip(tariff.registers, interval.quantities, strict=True)
        },
        "lines": _lines(tariff, amounts, derived.steps),
        "charge": money_text(tariff, sum(amounts)),
    }


def _times(tariff: CompiledTariff, interval: Interval) -> Json:
    return {
        "meter": interval.meter,
        "from": wall_clock_text(local_us(tariff.timezone, interval.from_us)),
        "to": wall_clock_text(local_us(tariff.timezone, interval.to_us)),
    }


def _lines(tariff: CompiledTariff, amounts: Amounts, steps: Sequence[Step]) -> dict[str, str]:
    """Amounts by line, without those that only other versions have."""
    foreign = frozenset[int]().union(*(version.lines for version in tariff.versions))
    foreign = foreign.difference(*(step.piece.version.lines for step in steps))
    return {
        line.id: money_text(tariff, amount)
        for number, (line, amount) in enumerate(zip(tariff.lines, amounts, strict=True))
        if amount or number not in foreign
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
        "lines": _lines(tariff, posted, steps),
        "charge": money_text(tariff, sum(posted)),
    }


def _explained(tariff: CompiledTariff, book: Book) -> list[Json]:
    return [
        {**_times(tariff, derived.interval), "steps": explain(tariff, derived.steps)}
        for derived in book.derived
    ]
