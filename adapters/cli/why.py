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
UNTIL: Final = re.compile(r"\buntil (\S+Z)")


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
                "decided again": "" if decision is None else _time(decision["due"], timezone),
            }
        )
        if decision is not None and decision["trace"]:
            yield _rules(decision["trace"], state["currency"], timezone)
    for hold in body["holds"]:
        since, until = _time(hold["since"], timezone), _time(hold["until"], timezone)
        yield facts({hold["kind"]: hold["reason"], "since": since, "until": until})
    if body["commands"]:
        yield command_table(body["commands"], timezone)


def _time(at: str | None, timezone: str) -> str:
    return "" if at is None else local_text(at, timezone)


def _rules(trace: Json, currency: str, timezone: str) -> RenderableType:
    rows = [(_in_words(rule["rule"], currency, timezone), rule["holds"]) for rule in trace["rules"]]
    return table((f"policy {trace['policy_id']} v{trace['policy_version']}", "holds"), rows)


def _in_words(rule: str, currency: str, timezone: str) -> str:
    """A rule with amounts in major units and times on the account's clock."""
    amounts = AMOUNT.sub(lambda found: f"{found[1]} {money(int(found[2]), currency)}", rule)
    return UNTIL.sub(lambda found: f"until {local_text(found[1], timezone)}", amounts)
