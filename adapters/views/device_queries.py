"""The read side of what moves meters: commands and batches of them, work orders, gateways."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine

from adapters.views import batch_lists, device_lists
from adapters.views.accounts import Json
from ledger.access import Reach
from ledger.queries import ALL, Asked, Page
from ledger.store.ledger import LedgerTerms

EVERY: Final = Asked()


class DeviceQueries:
    """That part of `ledger.queries.Queries`."""

    def __init__(self, engine: Engine, terms: LedgerTerms) -> None:
        self._reader = engine.execution_options(read_only=True)
        self._shards = terms.shards

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._reader.begin() as connection:
            yield connection

    def commands(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Commands to meters, the newest first; by `status` (or `open`), `kind`, `account_no`."""
        with self._reading() as connection:
            return device_lists.page_of_commands(connection, asked, reach)

    def account_of_command(self, command_id: str) -> str | None:
        """The account whose meter a command is for."""
        with self._reading() as connection:
            return device_lists.account_of_command(connection, command_id)

    def command_batches(self, asked: Asked = EVERY, reach: Reach = ALL) -> Page:
        """Batches of commands, the newest first; by `status` or `kind`."""
        with self._reading() as connection:
            return batch_lists.page_of_batches(connection, asked, reach)

    def command_batch(self, batch_id: str, reach: Reach = ALL) -> Json | None:
        """One batch with each of its orders."""
        with self._reading() as connection:
            return batch_lists.read_batch_of_commands(connection, batch_id, reach)

    def work_orders(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Work orders, the newest first; by `status`, `code` or `account_no`."""
        with self._reading() as connection:
            return device_lists.page_of_work_orders(connection, asked, reach)

    def gateways(self, asked: Asked, reach: Reach = ALL) -> Page:
        """Gateways in order of their ids."""
        with self._reading() as connection:
            return device_lists.page_of_gateways(connection, asked, reach)

    def trip_switches(self, reach: Reach = ALL) -> list[Json]:
        """Where nobody is cut off for now: everywhere (an empty site), or at these sites."""
        with self._reading() as connection:
            return device_lists.suspended_trips(connection, reach)
