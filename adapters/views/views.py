"""All views of a ledger behind one face."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, select

from adapters.store.tables import log_heads
from adapters.views import accounts
from adapters.views.account_totals import kept_beside
from adapters.views.feed import Feed
from adapters.views.folding import Difference, Of
from adapters.views.rebuild import Progress, Rebuilt, rebuild
from adapters.views.tables import feed_parked, feed_positions
from adapters.views.tariffs import published_tariffs
from adapters.views.verify import verify_claims, verify_log
from ledger.aggregates.account import Account
from ledger.projections import Projection, View
from ledger.projections.catalogue import FRONT, feeds
from ledger.projections.tail import Tail
from ledger.store.ledger import LedgerTerms
from ledger.values import shard_of, stream_id

Json = dict[str, Any]


def _no_progress(_done: int, _all: int) -> None:
    pass


def stream_named(name: str) -> str:
    """Id of the stream that a person names: an account, `kind/natural id`, or the id itself."""
    try:
        return str(UUID(name))
    except ValueError:
        kind, slash, natural_id = name.partition("/")
        return stream_id(kind, natural_id) if slash else stream_id(Account.KIND, name)


def views_of(feed: Feed) -> list[View]:
    """Views that a feed keeps, in the order in which they are rebuilt."""
    projections = feed.spec.projections
    return [*projections, *kept_beside(projections)]


def _beside(projection: Projection) -> list[str]:
    return [view.name for view in kept_beside([projection])]


class UnknownViewError(LookupError):
    """There is no view of this name."""


class Views:
    """What people read: accounts, statements, energy, journal, alerts, quarantine."""

    def __init__(self, engine: Engine, terms: LedgerTerms, tail: Tail | None = None) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._terms = terms
        self.feeds = {spec.name: Feed(engine, spec, tail) for spec in feeds(terms.timezone)}

    def names(self) -> list[str]:
        """Names of all views."""
        return [view.name for feed in self.feeds.values() for view in views_of(feed)]

    def catch_up(self) -> dict[str, int]:
        """Bring every view to the log's end; how many events each feed took."""
        return {
            name: sum(feed.catch_up(shard) for shard in range(self._terms.shards))
            for name, feed in self.feeds.items()
        }

    def lag(self) -> dict[str, int]:
        """Events that each feed has not seen yet."""
        with self._reader.begin() as connection:
            heads = connection.execute(select(log_heads.c.shard, log_heads.c.position)).all()
            rows = connection.execute(select(feed_positions)).all()
        reached: Mapping[tuple[str, int], int] = {(r.feed, r.shard): r.position for r in rows}
        return {
            name: sum(head.position - reached.get((name, head.shard), 0) for head in heads)
            for name in self.feeds
        }

    def feed_lag(self, name: str) -> int:
        """Events that one feed has not seen yet."""
        return self.lag()[name]

    def parked(self) -> list[Json]:
        """Streams that a feed passes over, each with its reason."""
        with self._reader.begin() as connection:
            return [dict(row) for row in connection.execute(select(feed_parked)).mappings()]

    def unpark(self, name: str) -> int:
        """Let a parked stream go on in every feed; how many events were caught up.

        `name` is an account number, `kind/natural id` as in `meter/M-1001`, or the id of a stream
        as `parked` tells it. A meter may have a stream in several shards: each goes on.
        """
        stream = stream_named(name)
        shards = {row["shard"] for row in self.parked() if row["stream_id"] == stream}
        return sum(
            feed.unpark(shard, stream) for shard in sorted(shards) for feed in self.feeds.values()
        )

    def account(self, account_no: str) -> Json | None:
        """One account as `GET /accounts/{id}` answers it."""
        with self._reader.begin() as connection:
            tariff_of = published_tariffs(connection)
            return accounts.read_account(connection, account_no, self._terms.shards, tariff_of)

    def accounts(self, after: str | None = None, limit: int = 100) -> list[Json]:
        """Accounts in order of shard and number, behind an account number."""
        cursor = (shard_of(after, self._terms.shards), after) if after else None
        with self._reader.begin() as connection:
            return accounts.list_accounts(connection, cursor, limit, published_tariffs(connection))

    def rebuild(
        self, name: str, *, accept: bool = False, on_progress: Progress = _no_progress
    ) -> Rebuilt:
        """Build a view anew beside the live one and swap where both say the same.

        Accounts and their totals are built together.
        """
        feed = self._feed_of(name)
        chosen = tuple(p for p in feed.spec.projections if name in {p.name, *_beside(p)})
        wanted = [Of(feed.spec.name, chosen)]
        rebuilt = rebuild(self._engine, wanted, swap=True, accept=accept, on_progress=on_progress)
        return next(each for each in rebuilt if each.view == name)

    def rebuild_all(
        self, *, accept: bool = False, on_progress: Progress = _no_progress
    ) -> list[Rebuilt]:
        """Every view anew, in one pass over the log."""
        wanted = self._all()
        return rebuild(self._engine, wanted, swap=True, accept=accept, on_progress=on_progress)

    def differences(self, on_progress: Progress = _no_progress) -> list[Difference]:
        """Rows of the live views that the log does not tell; the views stay as they are."""
        rebuilt = rebuild(self._engine, self._all(), swap=False, on_progress=on_progress)
        return [difference for each in rebuilt for difference in each.differences]

    def _all(self) -> list[Of]:
        return [Of(name, feed.spec.projections) for name, feed in self.feeds.items()]

    def verify(
        self, on_progress: Callable[[str, int, int], None] = lambda _check, _done, _all: None
    ) -> list[Json]:
        """Everything that does not follow from the log: rows, claims, snapshots, views."""
        log_progress = partial(on_progress, "log")
        found = [finding._asdict() for finding in verify_log(self._engine, log_progress)]
        found += [finding._asdict() for finding in verify_claims(self._engine)]
        if any(finding["check"] == "payload" for finding in found):
            return found  # Views cannot be folded from what cannot be read.
        differences = self.differences(partial(on_progress, "views"))
        found += [{"check": "view", **difference._asdict()} for difference in differences]
        return found

    def _feed_of(self, name: str) -> Feed:
        for feed in self.feeds.values():
            if any(view.name == name for view in views_of(feed)):
                return feed
        raise UnknownViewError(f"There is no view {name}; there are: {', '.join(self.names())}.")


__all__ = ["FRONT", "UnknownViewError", "Views"]
