"""Imports of commands, one a row: many under way at once, answered in the file's order."""

from collections.abc import Callable
from concurrent.futures import Future
from itertools import islice
from typing import Final

from pydantic import ValidationError

from adapters.cli.imports import MALFORMED, Import, Refusal
from adapters.cli.problems import InputError, sentence_of
from adapters.cli.tabular import MalformedError
from ledger.aggregates import Refused
from ledger.store import Answer

IN_FLIGHT: Final = 1_000
"""So many rows are handed over before the first is waited for."""

Named = dict[str, str]
"""A row by its columns, without what is empty."""
Send = Callable[[Named], "Future[Answer]"]
SendAgain = Callable[[Named, Refused], "Future[Answer] | None"]


def take_rows(run: Import, send: Send, send_again: SendAgain = lambda _row, _refusal: None) -> None:
    """Send every row; one that is refused may be sent once more, as something else."""
    columns, rows = run.table.columns, iter(run.table.rows)
    while chunk := list(islice(rows, IN_FLIGHT)):
        named = [_named(columns, cells) for _, cells in chunk]
        outcomes = [_outcome(answer) for answer in [_sent(send, row) for row in named]]
        further = {
            at: again
            for at, (row, outcome) in enumerate(zip(named, outcomes, strict=True))
            if isinstance(outcome, Refused)
            and not isinstance(row, MalformedError)
            and (again := send_again(row, outcome)) is not None
        }
        for at, again in further.items():
            outcomes[at] = _outcome(again)
        _tally(run, [line for line, _ in chunk], outcomes)


def _named(columns: list[str], cells: list[str] | MalformedError) -> Named | MalformedError:
    if isinstance(cells, MalformedError):
        return cells
    stripped = zip(columns, map(str.strip, cells), strict=True)
    return {name: text for name, text in stripped if text}


def _sent(send: Send, row: Named | MalformedError) -> "Future[Answer]":
    """The answer to come; a row that is no command at all is refused like any other."""
    try:
        if isinstance(row, MalformedError):
            raise row
        return send(row)
    except Refused as refusal:
        return _failed(refusal)
    except ValidationError as error:
        return _failed(Refused(MALFORMED, sentence_of(error)))
    except (ValueError, InputError) as error:
        return _failed(Refused(MALFORMED, str(error)))


def _failed(refusal: Refused) -> "Future[Answer]":
    answer: Future[Answer] = Future()
    answer.set_exception(refusal)
    return answer


def _outcome(answer: "Future[Answer]") -> Answer | Refused:
    try:
        return answer.result()
    except Refused as refusal:
        return refusal


def _tally(run: Import, lines: list[int], outcomes: list[Answer | Refused]) -> None:
    refusals: list[Refusal] = []
    for line, outcome in zip(lines, outcomes, strict=True):
        if isinstance(outcome, Refused):
            refusals.append(Refusal(line, outcome.code, outcome.message))
        elif outcome.replayed:
            run.tally.duplicate += 1
        else:
            run.tally.accepted += 1
    run.tally.refused += len(refusals)
    run.settle(refusals)
