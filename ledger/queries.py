"""What may be asked of the ledger: pages of its views and the past of an account; pure shapes."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from ledger.access import Reach
from ledger.aggregates import Refused
from ledger.store.history import LATEST, Moment
from ledger.values import storable

Json = dict[str, Any]
LIMIT_MAX: Final = 500
NOW: Final = Moment()
ALL: Final = Reach()

Order = Literal["account_no", "balance", "-balance", "days_left"]


class Page(NamedTuple):
    """Items and where the next page begins; no cursor after the last one."""

    items: list[Json]
    cursor: str | None = None

    def body(self) -> Json:
        """The page as the API answers it."""
        return {"items": self.items, "cursor": self.cursor}


class AccountsAsked(NamedTuple):
    """Which accounts; `q` is part of an account's or a meter's number, empty filters are none."""

    q: str = ""
    site: str = ""
    group: str = ""
    alert_level: str = ""
    supply: str = ""
    """What the ledger intends: on or off."""
    sort: Order = "account_no"
    cursor: str | None = None
    limit: int = 100


class EventsAsked(NamedTuple):
    """Which events of an account; `types` are topics or their beginnings."""

    types: tuple[str, ...] = ()
    from_us: int = 0
    to_us: int = LATEST
    newest_first: bool = False
    cursor: str | None = None
    limit: int = 100


class DailyAsked(NamedTuple):
    """Which days of booking, from the first to the last; of which accounts."""

    first_day: str
    last_day: str
    site: str = ""
    group: str = ""
    cursor: str | None = None
    limit: int = 100


class ReadingsAsked(NamedTuple):
    """Which readings of a meter, by the time they were taken at."""

    meter_no: str
    from_us: int = 0
    to_us: int = LATEST
    cursor: str | None = None
    limit: int = 100


class LogAsked(NamedTuple):
    """Events of a shard behind a position; `type` is a topic or its beginning."""

    shard: int = 0
    after: int = 0
    type: str = ""
    limit: int = 100


class Asked(NamedTuple):
    """A page of any other list; `where` are equalities such as `level=trip`."""

    where: Mapping[str, str | int] = {}
    cursor: str | None = None
    limit: int = 100


class PreviewAsked(NamedTuple):
    """A draft to be tried on accounts (all where none are named), over a span of readings."""

    document: Json
    account_nos: Sequence[str] | None = None
    after_us: int = 0
    until_us: int = LATEST
    instead_of: str = ""
    now_us: int = LATEST
    """What was put off beyond it is not decided yet."""


class PolicyPreviewAsked(NamedTuple):
    """A control policy's draft to be tried on accounts (all where none are named), over a span."""

    document: Json
    account_nos: Sequence[str] | None = None
    after_us: int = 0
    until_us: int = LATEST
    instead_of: str = ""


class Queries(Protocol):
    """The read side. A body reads the same over HTTP, on the console and on the command line."""

    def accounts(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """Accounts as they are now."""

    def lines(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """The same without what has to be reckoned: tiers and registers."""

    def lines_numbered(self, numbers: frozenset[str], reach: Reach = ALL) -> list[Json]:
        """The lines of accounts with these numbers that are in reach."""

    def account(self, account_no: str, moment: Moment = NOW) -> Json | None:
        """One account, now or at a moment; None where it was not known."""

    def accounts_numbered(self, numbers: frozenset[str]) -> list[Json]:
        """The accounts with these numbers, as they are now."""

    def site_of(self, account_no: str) -> str | None:
        """Site of an account; None where there is no account."""

    def owners(self, meter_nos: frozenset[str]) -> list[tuple[str, str, str]]:
        """(meter, account, site) of those meters that are installed now."""

    def events(self, account_no: str, asked: EventsAsked) -> Page:
        """Events of an account in order of its stream."""

    def log(self, asked: LogAsked) -> Page:
        """Events of a shard in order of position."""

    def statement(self, account_no: str, first_month: str, last_month: str) -> Json:
        """What moved each month, with opening and closing balances."""

    def usage(self, account_no: str, by: str, first_day: str, last_day: str) -> Json:
        """Quantities of each service point by local day or month."""

    def daily(self, asked: DailyAsked, reach: Reach = ALL) -> Page:
        """What each account held, moved and was charged for on days of booking."""

    def daily_sums(self, asked: DailyAsked, reach: Reach = ALL) -> list[Json]:
        """The same of all accounts together, by currency."""

    def explain(self, account_no: str, position: int) -> Json:
        """How a charge came about, to the last decimal; refused where there is none."""

    def preview(self, asked: PreviewAsked) -> Json:
        """What a tariff's draft would change, on real history; nothing is written."""

    def why(self, account_no: str) -> Json:
        """The decision in force at each service point, with all it looked at."""

    def alerts(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Levels that hold, the newest first; by `level`."""

    def quarantine(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Readings that wait, the newest first; by `meter_no`, `account_no` or `code`."""

    def readings(self, asked: ReadingsAsked, reach: Reach = ALL) -> Page:
        """Charged readings of a meter, wherever it counted."""

    def meters(self, asked: AccountsAsked, reach: Reach = ALL) -> Page:
        """Installed meters with their accounts, in the accounts' order."""

    def meter(self, meter_no: str, reach: Reach = ALL) -> Json | None:
        """One installed meter."""

    def commands(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Commands to meters, the newest first; by `status` (or `open`), `kind`, `account_no`."""

    def account_of_command(self, command_id: str) -> str | None:
        """The account whose meter a command is for."""

    def command_batches(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Batches of commands, the newest first; by `status` or `kind`."""

    def command_batch(self, batch_id: str, reach: Reach = ALL) -> Json | None:
        """One batch with each of its orders."""

    def account_numbers(self, asked: AccountsAsked, reach: Reach = ALL) -> list[str]:
        """Numbers of the accounts that a filter finds, as many as its limit says."""

    def work_orders(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Work orders, the newest first; by `status`, `code` or `account_no`."""

    def gateways(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Gateways in order of their ids."""

    def trip_switches(self, reach: Reach = ALL) -> list[Json]:
        """Where nobody is cut off for now: everywhere (an empty site), or at these sites."""

    def documents(self, kind: str, asked: Asked) -> Page:
        """Published tariffs or policies, without their text."""

    def document(self, kind: str, document_id: str) -> Json | None:
        """A published document with its text."""

    def publications(self, kind: str, document_id: str) -> list[Json]:
        """Every publication of a document, the newest first; before them a draft that waits."""

    def groups(self, reach: Reach = ALL) -> list[Json]:
        """User groups with the number of their accounts."""

    def sites(self, reach: Reach = ALL) -> list[Json]:
        """Sites with the number of their accounts."""

    def totals(self, reach: Reach = ALL) -> Json:
        """Accounts, meters, money and levels of everything in reach."""

    def has_seen(self, feed: str, positions: Mapping[int, int]) -> bool:
        """Whether the views of a feed hold everything up to these positions."""

    def reached(self, feed: str) -> dict[int, int]:
        """Position of each shard up to which the views of a feed are."""

    def heads(self) -> dict[int, int]:
        """Last position of each shard of the log."""

    def changed(self, after: Mapping[int, int], until: Mapping[int, int], limit: int) -> "Changes":
        """What events between two positions were about."""


class Changes(NamedTuple):
    """Accounts and topics that a stretch of the log was about; not all of them when `is_cut`."""

    account_nos: frozenset[str]
    topics: frozenset[str]
    is_cut: bool = False


def cursor_of(list_: str, *key: str | int) -> str:
    """Text of the key behind which the next page of a list begins."""
    return base64.urlsafe_b64encode(msgspec.json.encode((str(list_), *key))).decode().rstrip("=")


def key_of(cursor: str, list_: str, *kinds: type[str | int]) -> list[Any]:
    """The key of a cursor; one that is not of this list is refused."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key: list[Any] = msgspec.json.decode(
            base64.b64decode(padded, b"-_", validate=True), type=list
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        key = []
    fits = [type(part) for part in key] == [str, *kinds] and key[0] == list_
    if not fits or not all(map(_is_storable, key)):
        raise Refused("cursor_invalid", "This cursor does not belong to this list; begin anew.")
    return key[1:]


def id_behind(cursor: str | None, list_: str) -> str:
    """The id behind which the next page of a list of ids begins."""
    found: list[str] = [""] if cursor is None else key_of(cursor, list_, str)
    return found[0]


def _is_storable(part: str | int) -> bool:
    """Whether a database can compare something with it."""
    return part == storable(part) if isinstance(part, str) else abs(part) <= LATEST
