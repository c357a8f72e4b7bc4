"""Arguments and options that several commands share, and how their texts are read."""

from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import typer

from adapters.cli.problems import InputError
from adapters.cli.times import Times
from ledger.commands import Command, Json

AccountNo = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account number.")]
Reason = Annotated[str, typer.Option(help="Why; it stays in the log.")]
PointName = Annotated[
    str | None, typer.Option("--point", help="Service point; may be left out where there is one.")
]
CommandType = TypeVar("CommandType", bound=Command)


def made(command: type[CommandType], body: Json) -> CommandType:
    """A command of what was given; absent values take their defaults."""
    return command.model_validate({key: value for key, value in body.items() if value is not None})


def chosen_accounts(text: str | None) -> list[str] | None:
    """Account numbers as they are written in an option; None stands for all."""
    if text is None:
        return None
    chosen = [number for each in text.split(",") if (number := each.strip())]
    if not chosen:
        raise InputError("accounts_missing", "--accounts names no account.")
    return chosen


def registers(given: list[str]) -> dict[str, str]:
    """`register=value` pairs; a bare value is the register `total`."""
    values: dict[str, str] = {}
    for text in given:
        name, found, value = text.rpartition("=")
        name = name if found else "total"
        if name in values:
            raise InputError("register_twice", f"The register {name} is given twice.")
        values[name] = value
    return values


def moment(text: str | None, timezone: str) -> Any:  # noqa: ANN401 - a moment, or None
    """A stated time as a UTC moment."""
    if text is None:
        return None
    try:
        return Times(timezone).moment(text)
    except ZoneInfoNotFoundError as error:
        raise InputError("timezone_unknown", f"There is no time zone {timezone!r}.") from error
    except ValueError as error:
        raise InputError("time_invalid", f"{error}.") from error
