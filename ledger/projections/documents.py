"""Documents: every tariff (资费) and control policy (费控策略) as it was last published."""

from collections.abc import Sequence
from typing import ClassVar

from ledger.events import Recorded
from ledger.events.catalogue import PolicyPublished, TariffPublished
from ledger.projections import Column, Merge, Row


class Documents:
    """One row per document; `version` counts its publications, the text is as it was hashed."""

    name: ClassVar[str] = "documents"
    version: ClassVar[int] = 1
    columns: ClassVar[tuple[Column, ...]] = (
        Column("shard", "int", Merge.KEY),
        Column("kind", "text", Merge.KEY),
        Column("id", "text", Merge.KEY),
        Column("version", "int"),
        Column("position", "int"),
        Column("published_us", "int"),
        Column("sha256", "text"),
        Column("document", "text"),
    )

    def rows(self, batch: Sequence[Recorded]) -> list[Row]:
        """The newest publication of each document in the batch."""
        rows: dict[tuple[str, str], Row] = {}
        for recorded in batch:
            event = recorded.event
            if type(event) is TariffPublished:
                key = ("tariff", event.tariff_id)
            elif type(event) is PolicyPublished:
                key = ("policy", event.policy_id)
            else:
                continue
            rows[key] = {
                "shard": recorded.shard,
                "kind": key[0],
                "id": key[1],
                "version": recorded.version,
                "position": recorded.position,
                "published_us": recorded.recorded_at_us,
                "sha256": event.document_sha256,
                "document": bytes(event.document).decode(),
            }
        return list(rows.values())
