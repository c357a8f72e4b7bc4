"""Cancel a device command (撤销命令) that no meter has heard of yet."""

from ledger.aggregates.command import DeviceCommand
from ledger.commands import Command, Identifier, Json, Reason
from ledger.commands.request_command import command_answer, shard_of_id
from ledger.store import Answer, Context, Ledger, Session


class CancelCommand(Command):
    """The command that is not wanted any more."""

    command_id: Identifier
    reason: Reason


def handle(command: CancelCommand, ledger: Ledger, context: Context) -> Answer:
    """Cancel it; cancelled before is silence, sent or ended is refused."""
    shard = shard_of_id(command.command_id, ledger.terms.shards)

    def decide(session: Session) -> Json:
        found = session.aggregate(DeviceCommand, command.command_id, shard)
        if found.status != "cancelled":
            cancelled = found.cancel("by_hand", command.reason)
            session.record(found, cancelled, session.now_us)
        return command_answer(found)

    return ledger.decide(decide, context, shards=(shard,))
