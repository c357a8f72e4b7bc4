"""The read side on the views' tables: one short read-only transaction for each question."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sqlalchemy import Engine, select

from adapters.store.tables import log_heads
from adapters.views import (
    account_money,
    account_pages,
    account_past,
    account_totals,
    daily_reports,
    device_lists,
    lists,
)
from adapters.views.account_lines import account_line
from adapters.views.accounts import Json, account_body, read_account
from adapters.views.device_queries import DeviceQueries
from adapters.views.explained import explain_charge
from adapters.views.previews import preview_draft
from adapters.views.publications import publications
from adapters.views.tables import feed_positions
from adapters.views.tariffs import published_tariffs
from ledger.access import Reach
from ledger.devices import obeyed_by
from ledger.queries import (
    ALL,
    NOW,
    AccountsAsked,
    Asked,
    Changes,
    DailyAsked,
    EventsAsked,
    LogAsked,
    Page,
    PreviewAsked,
    ReadingsAsked,
)
from ledger.store.history import Moment
from ledger.store.ledger import LedgerTerms
from ledger.values import shard_of

COMMANDS_TOLD: Final = 10
"""So many of the last commands are part of why supply is as it is."""


class SqlQueries(DeviceQueries):
    """Answers the questions of `ledger.queries.Queries`."""

    def __init__(self, engine: Engine, terms: LedgerTerms) -> None:
        super().__init__(engine, terms)
        self._history = account_past.history_of(engine, terms.shards)

    def accounts(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """Accounts as they are now."""
        with self._reading() as connection:
            shown = partial(account_body, tariff_of=published_tariffs(connection))
            return account_pages.page_of_accounts(connection, asked, reach, self._shards, shown)

    def lines(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """The same without what has to be reckoned: tiers and registers."""
        with self._reading() as connection:
            shards = self._shards
            return account_pages.page_of_accounts(connection, asked, reach, shards, account_line)

    def lines_numbered(self, numbers: frozenset[str], reach: Reach = ALL) -> list[Json]:
        """The lines of accounts with these numbers that are in reach."""
        with self._reading() as connection:
            wanted = sorted(numbers)
            found = account_pages.accounts_numbered(connection, wanted, self._shards, account_line)
        return [line for line in found if reach.covers(line["account_no"], line["site"])]

    def account(self, account_no: str, moment: Moment = NOW) -> Json | None:
        """One account, now or at a moment; None where it was not known."""
        # Folded first: it reads on connections of its own.
        then = None if moment == NOW else self._history.account(account_no, moment)
        with self._reading() as connection:
            tariff_of = published_tariffs(connection)
            if then is None:
                return read_account(connection, account_no, self._shards, tariff_of)
            return account_past.account_then(connection, then, moment, tariff_of)

    def accounts_numbered(self, numbers: frozenset[str]) -> list[Json]:
        """The accounts with these numbers, as they are now."""
        with self._reading() as connection:
            shown = partial(account_body, tariff_of=published_tariffs(connection))
            wanted = sorted(numbers)
            return account_pages.accounts_numbered(connection, wanted, self._shards, shown)

    def site_of(self, account_no: str) -> str | None:
        """Site of an account; None where there is no account."""
        with self._reading() as connection:
            sites = account_pages.sites_of_accounts(connection, [account_no], self._shards)
        return sites.get(account_no)

    def owners(self, meter_nos: frozenset[str]) -> list[tuple[str, str, str]]:
        """(meter, account, site) of those meters that are installed now."""
        with self._reading() as connection:
            found = account_pages.owners_of_meters(connection, sorted(meter_nos), self._shards)
            numbers = sorted(set(found.values()))
            sites = account_pages.sites_of_accounts(connection, numbers, self._shards)
        return [(meter, number, sites.get(number, "")) for meter, number in found.items()]

    def events(self, account_no: str, asked: EventsAsked) -> Page:
        """Events of an account in order of its stream."""
        with self._reading() as connection:
            return account_past.page_of_events(connection, account_no, self._shards, asked)

    def log(self, asked: LogAsked) -> Page:
        """Events of a shard in order of position."""
        with self._reading() as connection:
            return account_past.page_of_log(connection, asked)

    def statement(self, account_no: str, first_month: str, last_month: str) -> Json:
        """What moved each month, with opening and closing balances."""
        shard = shard_of(account_no, self._shards)
        with self._reading() as connection:
            months = account_money.read_statement(
                connection, shard, account_no, first_month, last_month
            )
        return {"account_no": account_no, "months": months}

    def usage(self, account_no: str, by: str, first_day: str, last_day: str) -> Json:
        """Quantities of each service point by local day or month."""
        shard = shard_of(account_no, self._shards)
        with self._reading() as connection:
            items = account_money.read_usage(connection, shard, account_no, by, first_day, last_day)
        return {"account_no": account_no, "by": by, "items": items}

    def daily(self, asked: DailyAsked, reach: Reach = ALL) -> Page:
        """What each account held, moved and was charged for on days of booking."""
        with self._reading() as connection:
            return daily_reports.page_of_days(connection, asked, reach, self._shards)

    def daily_sums(self, asked: DailyAsked, reach: Reach = ALL) -> list[Json]:
        """The same of all accounts together, by currency."""
        with self._reading() as connection:
            return daily_reports.sums_of_days(connection, asked, reach)

    def explain(self, account_no: str, position: int) -> Json:
        """How a charge came about, to the last decimal; refused where there is none."""
        return explain_charge(self._reader, self._history, self._shards, account_no, position)

    def preview(self, asked: PreviewAsked) -> Json:
        """What a tariff's draft would change, on real history; nothing is written."""
        return preview_draft(self._reader, self._shards, asked)

    def why(self, account_no: str) -> Json:
        """The decision in force at each point with all it looked at, and what followed from it."""
        shard = shard_of(account_no, self._shards)
        of_account = Asked({"account_no": account_no}, None, COMMANDS_TOLD)
        with self._reading() as connection:
            return {
                "account_no": account_no,
                "decisions": lists.why(connection, shard, account_no),
                "holds": device_lists.holds_of(connection, shard, account_no),
                "commands": device_lists.page_of_commands(connection, of_account, ALL).items,
            }

    def alerts(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Levels that hold, the newest first; by `level`."""
        with self._reading() as connection:
            return lists.page_of_alerts(connection, asked, reach)

    def quarantine(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Readings that wait, the newest first; by `meter_no`, `account_no` or `code`."""
        with self._reading() as connection:
            return lists.page_of_quarantine(connection, asked, reach)

    def readings(self, asked: ReadingsAsked, reach: Reach = ALL) -> Page:
        """Charged readings of a meter, wherever it counted."""
        with self._reading() as connection:
            numbers = account_past.accounts_of_meter(connection, self._shards, asked.meter_no)
        if not reach.is_everything:
            numbers = [n for n in numbers if account_past.is_within(reach, self.site_of(n), n)]
        with self._reading() as connection:
            return account_past.page_of_readings(connection, self._shards, asked, numbers)

    def meters(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """Installed meters with their accounts, in the accounts' order."""
        accounts = self.accounts(asked, reach)
        items = [_meter(body, point) for body in accounts.items for point in body["service_points"]]
        return Page(items, accounts.cursor)

    def meter(self, meter_no: str, reach: Reach = ALL) -> Json | None:
        """One installed meter."""
        with self._reading() as connection:
            found = account_pages.owners_of_meters(connection, [meter_no], self._shards)
            line = device_lists.line_of(connection, meter_no, self._shards)
        body = self.account(found[meter_no]) if found else None
        if body is None or not reach.covers(body["account_no"], body["site"]):
            return None
        points = (point for point in body["service_points"] if point["meter_no"] == meter_no)
        obeyed = sorted(obeyed_by("" if line is None else line["model"]))
        return next(
            ({**_meter(body, point), "line": line, "commands": obeyed} for point in points), None
        )

    def account_numbers(self, asked: AccountsAsked, reach: Reach = ALL) -> list[str]:
        """Numbers of the accounts that a filter finds, as many as its limit says."""
        with self._reading() as connection:
            return account_pages.numbers_of_accounts(connection, asked, reach, self._shards)

    def documents(self, kind: str, asked: Asked) -> Page:
        """Published tariffs or policies, without their text."""
        with self._reading() as connection:
            return lists.page_of_documents(connection, kind, asked)

    def document(self, kind: str, document_id: str) -> Json | None:
        """A published document with its text."""
        with self._reading() as connection:
            return lists.read_document(connection, kind, document_id)

    def publications(self, kind: str, document_id: str) -> list[Json]:
        """Every publication of a document, the newest first; before them a draft that waits."""
        with self._reading() as connection:
            return publications(connection, kind, document_id)

    def groups(self, reach: Reach = ALL) -> list[Json]:
        """User groups with the number of their accounts."""
        with self._reading() as connection:
            return account_totals.accounts_by(connection, "user_group", reach, self._shards)

    def sites(self, reach: Reach = ALL) -> list[Json]:
        """Sites with the number of their accounts."""
        with self._reading() as connection:
            return account_totals.accounts_by(connection, "site", reach, self._shards)

    def totals(self, reach: Reach = ALL) -> Json:
        """Accounts, meters, money and levels of everything in reach."""
        with self._reading() as connection:
            return account_totals.totals(connection, reach, self._shards)

    def has_seen(self, feed: str, positions: Mapping[int, int]) -> bool:
        """Whether the views of a feed hold everything up to these positions."""
        reached = self.reached(feed)
        return all(reached.get(shard, 0) >= last for shard, last in positions.items())

    def reached(self, feed: str) -> dict[int, int]:
        """Position of each shard up to which the views of a feed are."""
        statement = select(feed_positions.c.shard, feed_positions.c.position)
        with self._reading() as connection:
            rows = connection.execute(statement.where(feed_positions.c.feed == feed))
            return {row.shard: row.position for row in rows}

    def heads(self) -> dict[int, int]:
        """Last position of each shard of the log."""
        with self._reading() as connection:
            rows = connection.execute(select(log_heads.c.shard, log_heads.c.position))
            return {row.shard: row.position for row in rows}

    def changed(self, after: Mapping[int, int], until: Mapping[int, int], limit: int) -> Changes:
        """What events between two positions were about."""
        with self._reading() as connection:
            return account_past.changed(connection, after, until, limit)


def _meter(body: Json, point: Json) -> Json:
    """A meter: its service point, and the account that it counts for."""
    return {
        **point,
        "account_no": body["account_no"],
        "site": body["site"],
        "group": body["group"],
        "alert_level": body["alert_level"],
    }
