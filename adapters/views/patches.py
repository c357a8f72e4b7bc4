"""JSON columns: how a patch meets what is stored, the same on both stores.

PostgreSQL has `||` and `jsonb_strip_nulls` for it. SQLite's own `json_patch` merges objects inside
objects and keeps the order in which keys came, so the same facts in other batches would make other
rows; there a function of ours does it.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection

_FUNCTION: Final = "patched"
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def fresh(column: str, dialect: str) -> str:
    """SQL of a patch that meets nothing."""
    return (
        f"jsonb_strip_nulls({column})" if dialect == "postgresql" else f"{_FUNCTION}('', {column})"
    )


def merged(old: str, new: str, dialect: str) -> str:
    """SQL of a stored object with a patch: new keys win, and null takes a key away."""
    if dialect == "postgresql":
        return f"jsonb_strip_nulls({extended(old, new)})"
    return f"{_FUNCTION}({old}, {new})"


def extended(old: str, new: str) -> str:
    """The same on PostgreSQL where no key is taken away, which is cheaper."""
    return f"COALESCE({old}, '{{}}') || {new}"


def teach(connection: Connection) -> None:
    """Let a SQLite connection know the function; once for its life."""
    if connection.dialect.name != "sqlite" or _FUNCTION in connection.info:
        return
    driver: Any = connection.connection.driver_connection
    driver.create_function(_FUNCTION, 2, _patched, deterministic=True)
    connection.info[_FUNCTION] = True


def _patched(old: str | None, new: str) -> str:
    patch = _decode(new)
    whole = {**_decode(old), **patch} if old else patch
    if None in whole.values():
        whole = {key: value for key, value in whole.items() if value is not None}
    return _encode(whole).decode()
