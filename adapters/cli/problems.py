"""What went wrong: as a problem document (RFC 9457), in words, and as an exit code."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from adapters.cli.output import talk_console
from adapters.store.schema import NotInitialisedError, OtherTermsError
from adapters.store.vault import VaultKeyError
from adapters.wiring import SettingsError
from ledger.aggregates import Refused
from ledger.commands import Json
from ledger.ports import LogUnavailableError, OutcomeUnknownError
from ledger.store import Contradiction

OK, REFUSED, USAGE, DIFFERENCE, NOT_FOUND, CONTRADICTED, UNAVAILABLE = range(7)
INTERRUPTED: Final = 130

UNKNOWN_THINGS: Final = frozenset(
    {
        "account_unknown",
        "meter_unknown",
        "policy_unknown",
        "receipt_unknown",
        "service_point_unknown",
        "tariff_unknown",
        "view_unknown",
    }
)
"""Refusals that say that something named does not exist."""


class InputError(Exception):
    """The command cannot be understood or its file not be read: exit 2."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure: a stable code, a sentence, the HTTP status and the exit code that it means."""

    code: str
    title: str
    status: int
    detail: str
    exit_code: int
    more: Json = field(default_factory=dict)

    def document(self) -> Json:
        """The problem as the API would answer it."""
        return {
            "type": f"urn:wattledger:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }

    def tell(self) -> None:
        """The problem in words, on stderr."""
        console = talk_console()
        console.print(f"Error: {self.detail}", style="red")
        for item in self.more.get("problems", ()):
            console.print(f"  {item['path'] or '/'}: {item['message']}")


def usage(detail: str, code: str = "usage") -> Problem:
    """The command line itself is wrong."""
    return Problem(code, "The command cannot be understood", 400, detail, USAGE)


def problem_of(error: Exception) -> Problem:
    """What an error means to the one who asked."""
    for kind, made in MEANINGS:
        if isinstance(error, kind):
            return made(error)
    return Problem("internal", "A fault of this program", 500, _fault(error), REFUSED)


def _refusal(error: Refused) -> Problem:
    if isinstance(error, Contradiction):
        title = "The same key came before with another content"
        status = 422 if error.code == "key_reused" else 409
        return Problem(error.code, title, status, error.message, CONTRADICTED)
    if error.code in UNKNOWN_THINGS:
        return Problem(error.code, "Not found", 404, error.message, NOT_FOUND)
    problems = getattr(error, "problems", ())
    more = {"problems": [problem._asdict() for problem in problems]} if problems else {}
    return Problem(error.code, "Refused", 422 if more else 409, error.message, REFUSED, more)


def _invalid(error: ValidationError) -> Problem:
    problems = [
        {"path": "/" + "/".join(map(str, problem["loc"])), "message": _message(problem["msg"])}
        for problem in error.errors(include_url=False, include_context=False)
    ]
    detail = f"{len(problems)} value(s) cannot be accepted."
    return Problem("invalid", "Not acceptable", 422, detail, USAGE, {"problems": problems})


def _message(text: str) -> str:
    return text.removeprefix("Value error, ")


def sentence_of(error: ValidationError) -> str:
    """The first thing wrong with a value, on one line."""
    problem = error.errors(include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {_message(problem['msg'])}"


def _unavailable(code: str, detail: str) -> Problem:
    return Problem(code, "Not available", 503, detail, UNAVAILABLE)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own words, without the statement and its parameters."""
    return _first_line(error.orig if isinstance(error, DBAPIError) and error.orig else error)


def _fault(error: Exception) -> str:
    """A fault that nobody foresaw is shown in full, so that it can be reported."""
    talk_console().print("".join(traceback.format_exception(error)))
    return f"{type(error).__name__}: {error}. Nothing was half-written; please report this."


# The first that fits counts, so a special case stands before the general one.
MEANINGS: Final[tuple[tuple[type[Exception], Callable[[Any], Problem]], ...]] = (
    (Refused, _refusal),
    (ValidationError, _invalid),
    (InputError, lambda error: usage(str(error), error.code)),
    (SettingsError, lambda error: usage(str(error), "settings_invalid")),
    (OtherTermsError, lambda error: Problem("other_terms", "Refused", 409, str(error), REFUSED)),
    (NotInitialisedError, lambda error: _unavailable("not_initialised", str(error))),
    (OSError, lambda error: usage(f"{error}.", "file_error")),
    (VaultKeyError, lambda error: _unavailable("vault_key", str(error))),
    (
        OutcomeUnknownError,
        lambda error: _unavailable("outcome_unknown", f"{error} Run the same command again."),
    ),
    (LogUnavailableError, lambda error: _unavailable("unavailable", _first_line(error))),
    (
        SQLAlchemyError,
        lambda error: _unavailable("unavailable", f"The database fails: {_cause(error)}"),
    ),
)
