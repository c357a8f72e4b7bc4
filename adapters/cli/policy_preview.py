"""`wattledger policy preview`: whom a draft would have reminded, warned and cut."""

from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType

from adapters.cli.documents import read_document
from adapters.cli.inputs import chosen_accounts
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.policy import Document, group
from adapters.cli.times import local_text
from adapters.cli.verbs import verb
from adapters.views.policy_previews import preview_policy
from ledger.commands import Json
from ledger.queries import PolicyPreviewAsked
from ledger.values import MICROS_PER_DAY

DAYS: Final = 30
NAMED: Final = 6
"""So many accounts are named on a line; `--json` names a hundred."""
SAID: Final = {
    "reminded": "reminded",
    "warned": "warned",
    "disconnected": "cut off",
    "postponed": "cut-off put off",
    "kept_on": "kept on, as they may not be cut",
    "restored": "restored",
}


@verb(group)
def preview(
    draft: Document,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="So many days until now.")] = DAYS,
    accounts: Annotated[
        str | None, typer.Option(help="Account numbers, separated by commas (default: all).")
    ] = None,
    instead_of: Annotated[
        str | None,
        typer.Option(help="Policy whose accounts are looked at (default: the draft's own id)."),
    ] = None,
) -> Shown:
    """Decide again under a draft about the real history of accounts; nothing is written.

    The policy in force and the draft decide from the first event on, as if each had always held;
    what they decided in the last days is compared. No-cut windows put trips off; who has
    a guarantee, disputes what is owed or is protected is cut when that has ended.
    """
    document = read_document(draft)
    with opened() as here:
        here.views()
        now_us = here.ledger.clock()
        since_us = now_us - days * MICROS_PER_DAY
        chosen = chosen_accounts(accounts)
        asked = PolicyPreviewAsked(document, chosen, since_us, now_us, instead_of or "")
        body = preview_policy(here.engine, here.terms.shards, asked)
        human = Group(*_report(body, here.terms.timezone))
    return Shown(body=body, human=human, hint=f"wattledger policy publish {draft}")


def _report(body: Json, timezone: str) -> Iterator[RenderableType]:
    yield facts(
        {
            "policy": body["policy_id"],
            "from": local_text(body["from"], timezone),
            "to": local_text(body["to"], timezone),
            "accounts": body["accounts"],
        }
    )
    rows = [
        (said, body[kind]["before"], body[kind]["after"], *_who(body[kind]))
        for kind, said in SAID.items()
    ]
    standing = body["standing"]
    rows += [
        (f"now at {level}", count, standing["after"][level], "", "")
        for level, count in standing["before"].items()
    ]
    columns = ("accounts", "current", "draft", "newly", "no longer")
    yield table(columns, rows, right="current draft")


def _who(found: Json) -> tuple[str, str]:
    return _some(found["newly"]), _some(found["no_longer"])


def _some(account_nos: list[str]) -> str:
    more = " …" if len(account_nos) > NAMED else ""
    return " ".join(account_nos[:NAMED]) + more
