"""`wattledger events`: the log as lines of JSON."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer

from adapters.cli.log_lines import log_rows
from adapters.cli.opening import reading
from adapters.cli.output import Stream
from adapters.cli.problems import InputError
from adapters.views.account_past import event_body, is_topic
from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.commands import Json
from ledger.values import shard_of, stream_id

After = dict[int, int]
"""Shard -> position behind which to begin."""


def events(
    account: Annotated[str | None, typer.Option(help="Only those of this account.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="Only this topic, such as account.charged or account.")
    ] = None,
    after: Annotated[
        str | None, typer.Option(help="Begin behind SHARD:POSITION[,…], or behind POSITION.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many (default: all).")
    ] = None,
) -> Stream:
    """Print events in the order of their shard and position, one JSON object a line."""
    lines = _events(account, topic, _positions(after))
    return Stream(lines=islice(lines, limit))


def _events(account: str | None, topic: str | None, after: After) -> Iterator[Json]:
    with reading() as (engine, terms):
        where = [] if topic is None else [is_topic(topic)]
        shards, stream = list(range(terms.shards)), None
        if account is not None:
            shards = [shard_of(account, terms.shards)]
            stream = stream_id(Account.KIND, account)
        is_found = False
        for shard in shards:
            for row in log_rows(engine, shard, where, after.get(shard, 0), stream):
                is_found = True
                yield event_body(row)
        if account is not None and topic is None and not after and not is_found:
            raise Refused("account_unknown", f"There is no account {account}.")


def _positions(text: str | None) -> After:
    """`0:120,1:80`; a bare position is one of shard 0."""
    positions: After = {}
    for part in (text or "").split(",") if text else ():
        shard, _, position = part.rpartition(":")
        if not (shard or "0").isdecimal() or not position.isdecimal():
            raise InputError(
                "position_invalid", f"A position such as 0:120 is needed, not {part!r}."
            )
        positions[int(shard or 0)] = int(position)
    return positions
