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


class PolicyPublished(Event, frozen=True):
    """A control policy took effect for every decision from now on."""

    TOPIC: ClassVar[str] = "policy.published.v1"
    policy_id: str
    document: msgspec.Raw
    document_sha256: str


EVENTS: Final = (TariffPublished, PolicyPublished)
