"""A time as people set it on a form: by the clocks of the site."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.console.words import N_


class TimeError(ValueError):
    """What was typed is no time; the sentence says why."""


def wall_time(text: str, timezone: str) -> datetime | None:
    """The moment that a form says, None where it says none.

    An hour that comes twice is the earlier one; one that the clocks skip does not exist.
    """
    if not text:
        return None
    zone = ZoneInfo(timezone)
    try:
        at = datetime.fromisoformat(text)
        moment = (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise TimeError(N_("Type a time such as 2026-07-01 08:00.")) from error
    if at.tzinfo is None and moment.astimezone(zone).replace(tzinfo=None) != at:
        raise TimeError(N_("The clocks skip that hour; take another one."))
    return moment
