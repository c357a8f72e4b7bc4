"""The catalogue (资费与策略): what is published, in people's words, and what changed."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict

from api.auth import CatalogueReader, service_of
from api.console import hours
from api.console.charges import Teller, rules
from api.console.differences import differences
from api.console.language import Language
from api.console.page import address, language_of, preference, render
from api.console.policy_lines import policy_facts
from api.console.prices import price_tables
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.aggregates.policy import PolicyDocument
from ledger.pricing import TariffDocument, parse_tariff
from ledger.pricing.document import Version
from ledger.queries import Asked
from ledger.values import local_day

Json = dict[str, Any]
ROWS: Final = 50

router = APIRouter(include_in_schema=False)


class DocumentAsked(BaseModel):
    """What the address of a document says: which publication, and what it is compared with."""

    model_config = ConfigDict(extra="ignore")

    publication: int | None = None
    before: int | None = None
    version: str = ""
    against: str = ""


Asking = Annotated[DocumentAsked, Query()]


@router.get("/tariffs")
def tariffs(request: Request, principal: CatalogueReader, cursor: str = "") -> Response:
    """The published tariffs and control policies."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    queries = service_of(request).queries
    page = queries.documents("tariff", Asked(cursor=cursor or None, limit=ROWS))
    policies = queries.documents("policy", Asked(limit=ROWS))
    return render(
        request,
        "tariffs.html",
        principal=principal,
        section="tariffs",
        tariffs=page.items,
        policies=policies.items,
        next_href=address(request)(cursor=page.cursor) if page.cursor else "",
    )


@router.get("/tariffs/{tariff_id}")
def tariff(tariff_id: str, request: Request, principal: CatalogueReader, asked: Asking) -> Response:
    """One tariff: its prices, hours, fees and rules, one version at a time."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    found = Publications(request, "tariff", tariff_id, asked)
    document, language = parse_tariff(found.document), language_of(request)
    today = _today(request, document)
    version = _chosen(document, asked.version, today)
    against = next((v for v in document.versions if v.effective_from == asked.against), None)
    teller = Teller(document, language)
    return render(
        request,
        "tariff.html",
        **found.facts(principal),
        document=document,
        version=version,
        states={each.effective_from: _state(each, today) for each in document.versions},
        tables=price_tables(document, version, language),
        bands=hours.bands(document.tou_calendar, language),
        hour_notes=hours.notes(document.tou_calendar, language),
        drawing=hours,
        charges=teller.charges(version),
        modifiers=teller.modifiers(version),
        rules=rules(document, version, language),
        against=against,
        version_changes=_between(found.document, against, version, language),
    )


@router.get("/policies/{policy_id}")
def policy(policy_id: str, request: Request, principal: CatalogueReader, asked: Asking) -> Response:
    """One control policy: its lines, and what happens at each."""
    onwards = preference(request)
    if onwards is not None:
        return onwards
    found = Publications(request, "policy", policy_id, asked)
    document, language = PolicyDocument.model_validate(found.document), language_of(request)
    currency = service_of(request).ledger.terms.currency
    return render(
        request,
        "policy.html",
        **found.facts(principal),
        document=document,
        facts=policy_facts(document, language, currency),
    )


class Publications:
    """The publications of one document, the one that is shown, and what it is compared with."""

    def __init__(self, request: Request, kind: str, document_id: str, asked: DocumentAsked) -> None:
        every = service_of(request).queries.publications(kind, document_id)
        self._kind, self._id, self._language = kind, document_id, language_of(request)
        self._items = [each for each in every if "version" in each]
        self._waiting = next((each for each in every if "draft" in each), None)
        if not self._items:
            raise Refused(f"{kind}_unknown", f"There is no {kind} {document_id[:64]!r}.")
        self._shown = self._numbered(asked.publication) or self._items[0]
        self._before = self._numbered(asked.before)

    @property
    def document(self) -> Json:
        """The text of the publication that is shown."""
        document: Json = self._shown["document"]
        return document

    def facts(self, principal: Principal) -> Json:
        """What every page of a document tells."""
        text = msgspec.json.format(msgspec.json.encode(self.document)).decode()
        return {
            "principal": principal,
            "section": "tariffs",
            "kind": self._kind,
            "document_id": self._id,
            "shown": self._shown,
            "is_newest": self._shown is self._items[0],
            "publications": self._items,
            "waiting": self._waiting,
            "waiting_changes": self._compared(self._items[0], self._waiting),
            "before": self._before,
            "changes": self._compared(self._before, self._shown),
            "text": text,
        }

    def _numbered(self, number: int | None) -> Json | None:
        return next((each for each in self._items if each["version"] == number), None)

    def _compared(self, old: Json | None, new: Json | None) -> Sequence[object]:
        if old is None or new is None:
            return []
        return differences(old["document"], new["document"], self._language)


def _today(request: Request, document: TariffDocument) -> str:
    now_us = service_of(request).ledger.clock()
    return date.fromordinal(local_day(document.timezone, now_us)).isoformat()


def _chosen(document: TariffDocument, effective_from: str, today: str) -> Version:
    """The version that was asked for; else the one in force, or the first to come."""
    versions = sorted(document.versions, key=lambda each: each.effective_from)
    asked = [each for each in versions if each.effective_from == effective_from]
    begun = [each for each in versions if each.effective_from <= today]
    return (asked or begun[-1:] or versions)[0]


def _state(version: Version, today: str) -> str:
    if version.effective_from > today:
        return "coming"
    return "past" if version.effective_to and version.effective_to <= today else "in_force"


def _between(
    document: Json, old: Version | None, new: Version, language: Language
) -> Sequence[object]:
    """What differs between two versions of one document."""
    if old is None:
        return []
    by_day = {each["effective_from"]: each for each in document["versions"]}
    return differences(by_day[old.effective_from], by_day[new.effective_from], language)
