"""`wattledger account import`: a file of accounts and their meters, one row a service point."""

from concurrent.futures import Future
from typing import Final

from adapters.cli.account import group
from adapters.cli.imports import File, Import, importing, shown
from adapters.cli.inputs import made
from adapters.cli.output import Shown
from adapters.cli.row_imports import Named, take_rows
from adapters.cli.tabular import MalformedError, require_columns
from adapters.cli.verbs import verb
from ledger.aggregates import Refused
from ledger.commands import Json, open_account
from ledger.commands.meters import InstallMeter, submit_install
from ledger.store import Answer

ACCOUNT_NO: Final = "account_no"
METER_NO: Final = "meter_no"
INSTALLED_AT: Final = "installed_at"
INITIAL: Final = "initial_"
PARTICULARS: Final = ("name", "phone", "address", "site", "group", "currency", "timezone")
POINT: Final = ("service_kind", "tariff_id", "policy_id", METER_NO, "wrap", "multiplier")


@verb(group, "import")
def import_file(file: File) -> Shown:
    """Import accounts and meters; a further row of an account adds a service point."""
    with importing(file, "Accounts") as run:
        accounts = _Accounts(run)
        take_rows(run, accounts.send, accounts.send_again)
    return shown(run, "wattledger account list")


class _Accounts:
    """Opens the account of a row, or adds its service point where the account is there."""

    def __init__(self, run: Import) -> None:
        registers = [name for name in run.table.columns if name.startswith(INITIAL)]
        optional = (*PARTICULARS, *POINT, INSTALLED_AT, *registers)
        require_columns(run.table, (ACCOUNT_NO,), optional)
        self._run = run
        self._last_no = ""

    def send(self, row: Named) -> "Future[Answer]":
        """Open the account; a row right behind another of the same account adds a point."""
        if ACCOUNT_NO not in row:
            raise MalformedError("The row has no account number.")
        account_no, before = row[ACCOUNT_NO], self._last_no
        self._last_no = account_no
        if account_no == before and METER_NO in row:
            return self._install(row)
        body: Json = {name: row[name] for name in (ACCOUNT_NO, *PARTICULARS) if name in row}
        if METER_NO in row:
            body["service_points"] = [self._point(row)]
        here = self._run.here
        return open_account.submit(made(open_account.OpenAccount, body), here.ledger, here.context)

    def send_again(self, row: Named, refusal: Refused) -> "Future[Answer] | None":
        """Add the point to an account that an earlier row, or an earlier import, opened."""
        if refusal.code == "account_exists" and METER_NO in row:
            return self._install(row)
        return None

    def _install(self, row: Named) -> "Future[Answer]":
        here = self._run.here
        command = made(InstallMeter, {ACCOUNT_NO: row[ACCOUNT_NO], **self._point(row)})
        return submit_install(command, here.ledger, here.context)

    def _point(self, row: Named) -> Json:
        point: Json = {name: row[name] for name in POINT if name in row}
        if INSTALLED_AT in row:
            point[INSTALLED_AT] = self._run.times.moment(row[INSTALLED_AT])
        point["initial"] = {
            name.removeprefix(INITIAL): value
            for name, value in row.items()
            if name.startswith(INITIAL)
        }
        return point
