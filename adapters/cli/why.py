"""`wattledger why`: why supply was cut, or why not."""

import re
from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType

from adapters.cli.amounts import money
from adapters.cli.command import command_table
from adapters.cli.inputs import AccountNo
from adapters.cli.opening import opened
from adapters.cli.output import Shown, facts, table
from adapters.cli.times import local_text
from adapters.views.queries import SqlQueries
from ledger.aggregates import Refused
from ledger.commands import Json

AMOUNT: Final = re.compile(r"\b(available|remind|warn|trip|restore|hysteresis) (-?\d+)")


def why(account: AccountNo) -> Shown:
    """Show the last decision at each point, with all it looked at, and what its meter was told."""
    with opened() as here:
        here.views()
        queries = SqlQueries(here.engine, here.terms)
        state = queries.account(account)
        if state is None:
            raise Refused("account_unknown", f"There is no account {account}.")
        body = queries.why(account)
    human = Group(*_told(body, state))
    return Shown(body=body, human=human, hint=f"wattledger replay {account}")


def _told(body: Json, state: Json) -> Iterator[RenderableType]:
    timezone: str = state["timezone"]
    decisions = {decision["service_point"]: decision for decision in body["decisions"]}
    for point in state["service_points"]:
        decision = decisions.get(point["service_point"])
        yield facts(
            {
                "service point": point["service_point"],
                "meter": point["meter_no"],
                "wanted": point["supply"]["intended"],
                "shown by the meter": point["supply"]["actual"],
                "guaranteed": "yes" if point["guaranteed"] else "",
                "decided": "nothing yet" if decision is None else decision["decision"],
                "since": "" if decision is None else local_text(decision["since"], timezone),
            }
        )
        if decision is not None and decision["trace"]:
            yield _rules(decision["trace"], state["currency"])
    for hold in body["holds"]:
        yield facts({hold["kind"]: hold["reason"], "since": local_text(hold["since"], timezone)})
    if body["commands"]:
        yield command_table(body["commands"], timezone)


def _rules(trace: Json, currency: str) -> RenderableType:
    rows = [(_in_major_units(rule["rule"], currency), rule["holds"]) for rule in trace["rules"]]
    return table((f"policy {trace['policy_id']} v{trace['policy_version']}", "holds"), rows)


def _in_major_units(rule: str, currency: str) -> str:
    return AMOUNT.sub(lambda found: f"{found[1]} {money(int(found[2]), currency)}", rule)
