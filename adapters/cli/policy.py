"""`wattledger policy`: publish, lint and compare the lines at which people are warned and cut."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.authoring import changes_shown, lint_shown, linted
from adapters.cli.documents import Files, read_document
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from ledger.commands import Json, publish_policy

group = topic("policy", "Control policies")

Document = Annotated[Path, typer.Argument(metavar="FILE", help="JSON file of one policy.")]


@verb(group)
def publish(file: Document) -> Shown:
    """Put a control policy in force for every decision from now on."""
    document = publish_policy.checked(read_document(file))
    with opened() as here:
        body = publish_policy.handle(document, here.ledger, here.context).body
    human = {
        "policy": body["policy_id"],
        "publication": body["version"],
        "changed": "yes" if body["changed"] else "no, it was published before",
    }
    hint = f"wattledger account set-policy ACCOUNT {body['policy_id']}"
    return Shown(body=body, human=facts(human), hint=hint)


@verb(group)
def lint(files: Files) -> Shown:
    """Say what keeps a control policy from being published, place by place."""
    documents = [(path, read_document(path)) for path in files]
    found = [
        linted(path, document, "policy_id", publish_policy.lint(document))
        for path, document in documents
    ]
    return lint_shown("policies", "policy_id", found)


@verb(group)
def diff(old: Document, new: Document) -> Shown:
    """Say what differs between two policies, defaults filled in; exit 3 where they do."""
    return changes_shown(*(_filled_in(path) for path in (old, new)))


def _filled_in(path: Path) -> Json:
    return publish_policy.checked(read_document(path)).model_dump(mode="json")
