"""Retry a device command (重发命令): what failed, expired or was cancelled, or waits too long."""

from ledger.aggregates import Refused
from ledger.aggregates.command import DeviceCommand
from ledger.commands import Command, Identifier, Json
from ledger.commands.request_command import command_answer, place, require_lawful, shard_of_id
from ledger.commands.show_supply import point_of
from ledger.store import Answer, Context, Ledger, Session


class RetryCommand(Command):
    """The command to be tried again, at once."""

    command_id: Identifier


def handle(command: RetryCommand, ledger: Ledger, context: Context) -> Answer:
    """Queue it again; one that a newer order of its point has replaced stays as it is."""
    shard = shard_of_id(command.command_id, ledger.terms.shards)

    def decide(session: Session) -> Json:
        found = session.aggregate(DeviceCommand, command.command_id, shard)
        queued = found.retry(session.now_us)
        at = point_of(session, found)
        if at is None:
            raise Refused("service_point_gone", "The service point was removed.")
        account, point = at
        if found.moves_supply and point.command_id != found.command_id:
            raise Refused("command_superseded", "A newer order of this point counts.")
        require_lawful(session, account, point, found.kind)
        session.record(found, queued, session.now_us)
        place(session, account, point, found)
        return command_answer(found)

    return ledger.decide(decide, context, shards=(shard,))
