"""What went wrong: as a problem document (RFC 9457), in words, and as an exit code."""

import errno
import traceback
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from adapters.cli.output import talk_console
from adapters.store.faults import STORE_MEANINGS
from adapters.store.schema import OtherTermsError
from adapters.wiring import SettingsError
from ledger.commands import Json
from ledger.problems import MEANINGS, Meaning, Problem, meaning_of, sentence_of, unavailable
from ledger.store import Contradiction

OK, REFUSED, USAGE, DIFFERENCE, NOT_FOUND, CONTRADICTED, UNAVAILABLE = range(7)
INTERRUPTED: Final = 130
NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What a disk says that is full."""
EXIT_CODES: Final = {400: USAGE, 404: NOT_FOUND, 503: UNAVAILABLE}
"""By the status of a problem; what is in no list is a refusal."""

__all__ = ["Failure", "InputError", "UnreachableError", "failure_of", "sentence_of", "usage"]


class InputError(Exception):
    """The command cannot be understood or its file not be read: exit 2."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnreachableError(Exception):
    """A meter did not answer, or its gateway cannot be reached: exit 6."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Failure:
    """A problem as it ends a command."""

    problem: Problem
    exit_code: int

    def document(self) -> Json:
        """The problem as the API would answer it."""
        return self.problem.document()

    def tell(self) -> None:
        """The problem in words, on stderr."""
        console = talk_console()
        console.print(f"Error: {self.problem.detail}", style="red")
        for item in self.problem.more.get("problems", ()):
            console.print(f"  {item['path'] or '/'}: {item['message']}")


def usage(detail: str, code: str = "usage") -> Failure:
    """The command line itself is wrong."""
    return Failure(_usage(detail, code), USAGE)


def failure_of(error: Exception) -> Failure:
    """What an error means to the one who asked."""
    problem = meaning_of(error, (*MEANINGS, *_CLI_MEANINGS, *STORE_MEANINGS))
    if problem is None:
        fault = _fault(error)
        return Failure(Problem("internal", "A fault of this program", 500, fault), REFUSED)
    if isinstance(error, Contradiction):
        return Failure(problem, CONTRADICTED)
    if isinstance(error, ValidationError):
        return Failure(problem, USAGE)
    return Failure(problem, EXIT_CODES.get(problem.status, REFUSED))


def _usage(detail: str, code: str) -> Problem:
    return Problem(code, "The command cannot be understood", 400, detail)


def _file_problem(error: OSError) -> Problem:
    if error.errno in NO_ROOM:
        sentence = f"{error}. What was acknowledged is recorded; make room and try again."
        return unavailable("no_room", sentence)
    return _usage(f"{error}.", "file_error")


def _fault(error: Exception) -> str:
    """A fault that nobody foresaw is shown in full, so that it can be reported."""
    talk_console().print("".join(traceback.format_exception(error)))
    return f"{type(error).__name__}: {error}. Nothing was half-written; please report this."


_CLI_MEANINGS: Final[tuple[Meaning, ...]] = (
    (InputError, lambda error: _usage(str(error), error.code)),
    (SettingsError, lambda error: _usage(str(error), "settings_invalid")),
    (UnreachableError, lambda error: Problem(error.code, "Not available", 503, str(error))),
    (OtherTermsError, lambda error: Problem("other_terms", "Refused", 409, str(error))),
    (OSError, _file_problem),
)
