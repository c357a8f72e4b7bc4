"""A published tariff (资费): never edited, only continued by versions that begin later."""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.catalogue import TariffPublished
from ledger.pricing.holidays import CALENDARS
from ledger.pricing.hours import HOLIDAYS, NOTE

Document = dict[str, Any]


class Tariff(Aggregate):
    """One tariff by its id; `version` counts its publications."""

    KIND: ClassVar[str] = "tariff"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    document: bytes = b""
    document_sha256: str = ""

    def publish(
        self, tariff_id: str, document: bytes, document_sha256: str, today: str
    ) -> TariffPublished | None:
        """Publish a linted document; the same document again is silence.

        Versions that have begun by `today` (ISO date) must stay as they are: what was used to
        rate is never changed, a later version continues it.
        """
        if document_sha256 == self.document_sha256:
            return None
        if self.document:
            _require_continuation(self.document, document, today)
        return TariffPublished(tariff_id, msgspec.Raw(document), document_sha256)


def _require_continuation(old: bytes, new: bytes, today: str) -> None:
    before: dict[str, Any] = msgspec.json.decode(old)
    after: dict[str, Any] = msgspec.json.decode(new)
    for key in ("service_kind", "unit", "currency", "timezone", "registers", "tax"):
        if before.get(key) != after.get(key):
            raise Refused(
                "tariff_changed",
                f"/{key} differs from the published tariff; publish it under a new tariff_id.",
            )
    _require_hours(before, after)
    begun = [version for version in before["versions"] if version["effective_from"] <= today]
    kept = {version["effective_from"]: version for version in after["versions"]}
    for version in begun:
        other = kept.get(version["effective_from"])
        if other is None or _without_end(other) != _without_end(version):
            raise Refused(
                "tariff_version_changed",
                f"The version effective from {version['effective_from']} has begun and cannot "
                "change; keep it as published and add a version that begins later.",
            )
        if (
            other["effective_to"] != version["effective_to"]
            and (other["effective_to"] or "9") <= today
        ):
            raise Refused(
                "tariff_version_ended_in_the_past",
                f"The version effective from {version['effective_from']} can only end "
                f"after {today}.",
            )
    fresh = set(kept) - {version["effective_from"] for version in begun}
    late = sorted(start for start in fresh if start <= today)
    if late:
        raise Refused(
            "tariff_version_late",
            f"A new version must begin after {today}; this one begins on {late[0]}.",
        )


def _require_hours(before: Document, after: Document) -> None:
    """Hours stay as they are; of holidays only a year may come that nobody knew."""
    if _hours(before) != _hours(after):
        raise Refused(
            "tariff_changed",
            "/tou_calendar differs from the published tariff; publish it under a new tariff_id.",
        )
    told, kept = _years(before), _years(after)
    for year, days in told.items():
        if kept.get(year) != days:
            raise Refused(
                "tariff_changed",
                f"/{HOLIDAYS} tells {year} otherwise than the published tariff, which may have "
                "rated by it; keep that year as published.",
            )
    calendar = CALENDARS.get(str(_hours(before).get(HOLIDAYS)))
    known = sorted((kept.keys() - told.keys()) & {*(calendar.years if calendar else ())})
    if known:
        raise Refused(
            "tariff_changed",
            f"/{HOLIDAYS} tells {known[0]}, which the published tariff knows already.",
        )


def _hours(document: Document) -> Document:
    calendar: Document = document.get("tou_calendar") or {}
    return {name: spans for name, spans in calendar.items() if name != NOTE}


def _years(document: Document) -> dict[int, tuple[list[str], list[str]]]:
    return {
        each["year"]: (each["off"], each.get("worked", [])) for each in document.get(HOLIDAYS) or []
    }


def _without_end(version: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in version.items() if key != "effective_to"}


def _published(tariff: Tariff, event: TariffPublished, _at: int) -> None:
    tariff.document = bytes(event.document)
    tariff.document_sha256 = event.document_sha256


Tariff.EVOLVERS.update({TariffPublished: _published})
