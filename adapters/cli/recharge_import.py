"""`wattledger recharge import`: a file of settled payments."""

from concurrent.futures import Future
from typing import Final

from adapters.cli.amounts import amount_minor
from adapters.cli.imports import File, Import, importing, shown
from adapters.cli.inputs import made
from adapters.cli.output import Shown
from adapters.cli.recharge import group
from adapters.cli.row_imports import Named, Send, take_rows
from adapters.cli.tabular import require_columns
from adapters.cli.verbs import verb
from ledger.commands import Json, recharge
from ledger.store import Answer

REQUIRED: Final = ("account_no", "channel", "channel_txn_id", "amount")
OPTIONAL: Final = ("paid_at", "currency")


@verb(group, "import")
def import_file(file: File) -> Shown:
    """Import payments; one that was booked before is counted as a duplicate."""
    with importing(file, "Recharges") as run:
        require_columns(run.table, REQUIRED, OPTIONAL)
        take_rows(run, _sender(run))
    return shown(run, "wattledger account list")


def _sender(run: Import) -> Send:
    here = run.here

    def send(row: Named) -> "Future[Answer]":
        currency = row.get("currency", here.terms.currency)
        body: Json = {
            **{name: row[name] for name in REQUIRED if name in row and name != "amount"},
            "amount_minor": amount_minor(row.get("amount", ""), currency),
            "currency": currency,
            "paid_at": run.times.moment(row["paid_at"]) if "paid_at" in row else None,
        }
        return recharge.submit(made(recharge.Recharge, body), here.ledger, here.context)

    return send
