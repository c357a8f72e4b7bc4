"""What a tariff's draft would change, tried on the histories of accounts."""

from collections.abc import Sequence

from sqlalchemy import Engine, select

from adapters.views.histories import histories
from adapters.views.lists import DOCUMENTS
from ledger.aggregates.account.control import Terms
from ledger.aggregates.account.points import UNITS
from ledger.aggregates.policy import ControlPolicy
from ledger.commands import Json
from ledger.commands.publish_tariff import TariffRefused
from ledger.commands.quantities import UNIT_TEXT
from ledger.previewing import Preview, Span, Summary
from ledger.pricing import TariffInvalid, compile_tariff
from ledger.queries import PreviewAsked
from ledger.store.session import terms_of


def preview_draft(engine: Engine, shards: int, asked: PreviewAsked) -> Json:
    """What a draft would change for accounts; refused with every problem of the document."""
    try:
        tariff = compile_tariff(asked.document)
    except TariffInvalid as error:
        raise TariffRefused(error.problems) from error
    replaced = asked.instead_of or tariff.tariff_id
    span = Span(asked.after_us, asked.until_us, asked.now_us)
    plan = Preview(tariff, replaced, published_terms(engine), span)
    summary = preview_accounts(engine, shards, plan, asked.account_nos)
    unit = UNIT_TEXT[UNITS[tariff.unit]]
    return {"tariff_id": replaced, "currency": tariff.currency, "unit": unit, **summary.body()}


def preview_accounts(
    engine: Engine, shards: int, preview: Preview, account_nos: Sequence[str] | None
) -> Summary:
    """Rate these accounts, or all, under the preview's draft; nothing is written."""
    summary = Summary()
    for history in histories(engine, shards, account_nos):
        summary.add(preview.outcome(list(history)))
    return summary


def published_terms(engine: Engine) -> dict[str, Terms]:
    """The control policies in force, by their ids; their view is read, and not the log."""
    of_policies = select(DOCUMENTS).where(DOCUMENTS.c.kind == ControlPolicy.KIND)
    with engine.execution_options(read_only=True).begin() as connection:
        rows = connection.execute(of_policies).all()
    return {row.id: terms_of(row.document.encode(), row.version) for row in rows}
