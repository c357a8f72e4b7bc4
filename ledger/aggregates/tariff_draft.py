"""A tariff's draft (资费草案): it waits for a second person before it takes effect."""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from ledger.aggregates import Aggregate, Refused
from ledger.events import Event
from ledger.events.catalogue import TariffApproved, TariffDrafted


class TariffDraft(Aggregate):
    """The newest draft of a tariff by its id; `number` counts them."""

    KIND: ClassVar[str] = "tariff_draft"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    number: int = 0
    document: bytes = b""
    document_sha256: str = ""
    drafted_by: str = ""
    is_waiting: bool = False

    def propose(
        self, tariff_id: str, document: bytes, document_sha256: str, actor: str
    ) -> TariffDrafted | None:
        """Let a checked document wait; the one that waits already is silence."""
        if self.is_waiting and document_sha256 == self.document_sha256:
            return None
        number = self.number + 1
        return TariffDrafted(tariff_id, number, msgspec.Raw(document), document_sha256, actor)

    def approve(self, tariff_id: str, number: int, actor: str) -> TariffApproved:
        """Let the draft take effect; whoever wrote it cannot be the one who approves it."""
        if not self.is_waiting or number != self.number:
            waiting = f"draft {self.number} waits" if self.is_waiting else "no draft waits"
            raise Refused("draft_unknown", f"Draft {number} of {tariff_id} cannot be: {waiting}.")
        if actor == self.drafted_by:
            raise Refused("same_person", f"{actor} wrote the draft; somebody else must approve it.")
        return TariffApproved(tariff_id, number, self.document_sha256, self.drafted_by, actor)


def _drafted(draft: TariffDraft, event: TariffDrafted, _at: int) -> None:
    draft.number = event.draft
    draft.document = bytes(event.document)
    draft.document_sha256 = event.document_sha256
    draft.drafted_by = event.drafted_by
    draft.is_waiting = True


def _approved(draft: TariffDraft, event: TariffApproved, _at: int) -> None:
    if event.draft == draft.number:
        draft.is_waiting = False


TariffDraft.EVOLVERS.update({TariffDrafted: _drafted, TariffApproved: _approved})
