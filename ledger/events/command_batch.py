"""Facts of a batch of device commands (批量控制): who asked, who let it run, how far it is."""

from typing import ClassVar, Final

from ledger.events import Event


class CommandBatchRequested(Event, frozen=True):
    """Somebody wants many meters to do the same.

    `orders` are account and service point, empty where the account has only one. `sites` are those
    of the person who asks: an account of another site is none of the batch; empty means every site.
    With `approve_until_us` it waits until then for a second person; with 0 it runs.
    """

    TOPIC: ClassVar[str] = "command_batch.requested.v1"
    batch_id: str
    kind: str
    reason: str
    orders: tuple[tuple[str, str], ...]
    expires_at_us: int
    sites: tuple[str, ...]
    requested_by: str
    approve_until_us: int


class CommandBatchApproved(Event, frozen=True):
    """A second person let it run; each account is decided on as it is from then on."""

    TOPIC: ClassVar[str] = "command_batch.approved.v1"
    batch_id: str
    requested_by: str
    approved_by: str


class CommandBatchRejected(Event, frozen=True):
    """Somebody said no, or whoever asked for it wants it no more: nothing was ordered."""

    TOPIC: ClassVar[str] = "command_batch.rejected.v1"
    batch_id: str
    reason: str
    rejected_by: str


class CommandBatchExpired(Event, frozen=True):
    """Nobody approved it in time: nothing was ordered."""

    TOPIC: ClassVar[str] = "command_batch.expired.v1"
    batch_id: str


class CommandBatchAdvanced(Event, frozen=True):
    """Some more of its orders were decided on, in one commit with their commands.

    `through` is how many of them by now, from the first on, `left` how many are to come. `accepted`
    are number in the batch (from 0) and command, `refused` are number, code and sentence. `reached`
    are shard and last position of all that was written with it.
    """

    TOPIC: ClassVar[str] = "command_batch.advanced.v1"
    batch_id: str
    through: int
    left: int
    accepted: tuple[tuple[int, str], ...]
    refused: tuple[tuple[int, str, str], ...]
    reached: tuple[tuple[int, int], ...]


EVENTS: Final = (
    CommandBatchRequested,
    CommandBatchApproved,
    CommandBatchRejected,
    CommandBatchExpired,
    CommandBatchAdvanced,
)
