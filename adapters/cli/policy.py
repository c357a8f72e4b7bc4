"""`wattledger policy`: publish the lines at which people are reminded, warned and cut."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from adapters.cli.documents import read_document
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts
from adapters.cli.verbs import topic, verb
from ledger.aggregates import Refused
from ledger.aggregates.policy import PolicyDocument
from ledger.commands import publish_policy
from ledger.pricing import Problem

group = topic("policy", "Control policies: publish FILE.")


class PolicyRefused(Refused):
    """The document is no policy; each problem names its place."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__("policy_invalid", "The control policy cannot be published.")
        self.problems = [
            Problem(
                "".join(f"/{part}" for part in problem["loc"]),
                problem["msg"].removeprefix("Value error, "),
                "invalid",
            )
            for problem in error.errors(include_url=False, include_context=False)
        ]


@verb(group)
def publish(file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON file.")]) -> Shown:
    """Put a control policy in force for every decision from now on."""
    try:
        document = PolicyDocument.model_validate(read_document(file))
    except ValidationError as error:
        raise PolicyRefused(error) from error
    with opened() as here:
        body = publish_policy.handle(document, here.ledger, here.context).body
    human = {
        "policy": body["policy_id"],
        "publication": body["version"],
        "changed": "yes" if body["changed"] else "no, it was published before",
    }
    hint = f"wattledger account set-policy ACCOUNT {body['policy_id']}"
    return Shown(body=body, human=facts(human), hint=hint)
