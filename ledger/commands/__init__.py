"""Doors. One module a use case: the command as it comes from outside, and `handle`."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from ledger.ports import Claim
from ledger.store.ledger import fingerprint
from ledger.values import micros

_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}")
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9998


class Command(BaseModel):
    """What somebody asks for; unknown fields are refused, the command is the HTTP body."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=2_000)

    def fingerprint(self, path: str) -> str:
        """What tells a repeat from a contradiction under the same key."""
        return fingerprint(path, self.model_dump(mode="json"))

    def claim(self, kind: str, key: str, owner: str) -> Claim:
        """A claim of this command on something that must be unique in the ledger."""
        return Claim(kind, key, self.fingerprint(kind), owner)


Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text without control characters."""
AccountNo = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
MeterNo = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
ExternalId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]
"""An id that somebody else made: printable ASCII, kept as it is."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
AmountMinor = Annotated[int, Field(strict=True)]
Reason = Annotated[Text, Field(min_length=1, max_length=500)]


def _utc(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"a time between {FIRST_YEAR} and {LAST_YEAR} is needed")
    return moment.astimezone(UTC)


def _stated(value: object) -> object:
    """Refuse what is no text of a time: a bare number would be taken for seconds since 1970."""
    if not isinstance(value, datetime | str) or (isinstance(value, str) and not _TIME.match(value)):
        raise ValueError("a time such as 2026-11-22T10:00:00+08:00 is needed")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_stated), AfterValidator(_utc)]
"""A time with its zone, kept in UTC: told from two zones it is the same moment."""


def at_us(moment: Moment | None, now_us: int) -> int:
    """Microseconds of a stated moment, or now."""
    return now_us if moment is None else micros(moment)


Json = dict[str, Any]
