"""Cases put together from the public ones."""

import json
from pathlib import Path
from typing import Any

from ledger.pricing import CaseResult, run_cases

FOLDER = Path(__file__).parent / "cases"
FILES = sorted(FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / name).read_bytes())
    return document


def with_events(*events: dict[str, Any], name: str = "cn_shanghai_elec.json") -> dict[str, Any]:
    """The first case of a file with other events and nothing expected."""
    document = read(name)
    case = document["cases"][0] | {"events": list(events)}
    del case["expected"]
    return document | {"cases": [case]}


def installed(seq: int, at: str, meter: str = "M1", **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    registers = {"peak": "0", "valley": "0"}
    installation = {"seq": seq, "type": "meter_installed", "at": at, "meter": meter}
    return installation | {"registers": registers, "wrap": "100000"} | fields


def reading(seq: int, at: str, peak: str, valley: str, meter: str = "M1") -> dict[str, Any]:
    registers = {"peak": peak, "valley": valley}
    return {"seq": seq, "type": "reading", "at": at, "meter": meter, "registers": registers}


def only(document: dict[str, Any]) -> CaseResult:
    (result,) = run_cases(document)
    return result
