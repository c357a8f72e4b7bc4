"""Facts of the catalogue: published tariffs (资费) and control policies (费控策略)."""

from typing import ClassVar, Final

import msgspec

from ledger.events import Event


class TariffPublished(Event, frozen=True):
    """A tariff document took effect; its versions, once used, never change."""

    TOPIC: ClassVar[str] = "tariff.published.v1"
    tariff_id: str
    document: msgspec.Raw
    document_sha256: str


class TariffDrafted(Event, frozen=True):
    """A tariff document was proposed; it takes effect when a second person approves it (草案)."""

    TOPIC: ClassVar[str] = "tariff.drafted.v1"
    tariff_id: str
    draft: int
    document: msgspec.Raw
    document_sha256: str
    drafted_by: str


class TariffApproved(Event, frozen=True):
    """A second person approved a draft (批准); the document was published with it."""

    TOPIC: ClassVar[str] = "tariff.approved.v1"
    tariff_id: str
    draft: int
    document_sha256: str
    drafted_by: str
    approved_by: str


class PolicyPublished(Event, frozen=True):
    """A control policy took effect for every decision from now on."""

    TOPIC: ClassVar[str] = "policy.published.v1"
    policy_id: str
    document: msgspec.Raw
    document_sha256: str


EVENTS: Final = (TariffPublished, TariffDrafted, TariffApproved, PolicyPublished)
