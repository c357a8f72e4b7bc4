"""What the store's own errors mean to the one who asked."""

from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from adapters.store.schema import NotInitialisedError
from adapters.store.vault import VaultKeyError
from ledger.problems import Meaning, first_line, unavailable


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own words, without the statement and its parameters."""
    return first_line(error.orig if isinstance(error, DBAPIError) and error.orig else error)


STORE_MEANINGS: Final[tuple[Meaning, ...]] = (
    (NotInitialisedError, lambda error: unavailable("not_initialised", str(error))),
    (VaultKeyError, lambda error: unavailable("vault_key", str(error))),
    (
        SQLAlchemyError,
        lambda error: unavailable("unavailable", f"The database fails: {_cause(error)}"),
    ),
)
