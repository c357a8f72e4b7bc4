"""Lists of any length, gathered from the pages of the read side."""

from collections.abc import Callable

from ledger.commands import Json
from ledger.queries import LIMIT_MAX, Page

Ask = Callable[[str | None, int], Page]
"""A page behind a cursor, of so many items at most."""


def gathered(ask: Ask, limit: int, cursor: str | None = None) -> Page:
    """So many items, and the cursor of what is behind them."""
    items: list[Json] = []
    while True:
        page = ask(cursor, min(LIMIT_MAX, limit - len(items)))
        items += page.items
        cursor = page.cursor
        if cursor is None or len(items) >= limit:
            return Page(items, cursor)
