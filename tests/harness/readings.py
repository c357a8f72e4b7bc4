"""What became of readings: in an answer, in quarantine, on a bill."""

from ledger.events.account import AccountCharged
from ledger.events.meter import ReadingQuarantined
from tests.harness.desk import Desk, Json


def codes(answer: Json) -> list[str]:
    return [item["code"] for item in answer["quarantined"]]


def counts(answer: Json) -> tuple[int, int, list[str]]:
    """How many were accepted, how many were repeats, and why the others wait."""
    return answer["accepted"], answer["duplicate"], codes(answer)


def kept_aside(desk: Desk) -> list[tuple[str, str]]:
    """Meter and code of every reading in quarantine."""
    return [
        (item.event.meter_no, item.event.code)
        for item in desk.recorded()
        if isinstance(item.event, ReadingQuarantined)
    ]


def charges(desk: Desk, account_no: str = "A1") -> list[AccountCharged]:
    return [fact for fact in desk.facts(account_no) if isinstance(fact, AccountCharged)]
