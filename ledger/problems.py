"""What went wrong, as a problem document (RFC 9457): one table of codes for HTTP and terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from ledger.access import LoginsLimitedError
from ledger.aggregates import Refused
from ledger.ports import LogUnavailableError, OutcomeUnknownError
from ledger.pricing.problems import pointer
from ledger.store import Contradiction

Json = dict[str, Any]

UNKNOWN_THINGS: Final = frozenset(
    {
        "account_unknown",
        "batch_unknown",
        "command_unknown",
        "draft_unknown",
        "gateway_unknown",
        "id_unknown",
        "meter_unknown",
        "policy_unknown",
        "position_unknown",
        "quarantine_unknown",
        "reading_unknown",
        "receipt_unknown",
        "service_point_unknown",
        "tariff_unknown",
        "token_unknown",
        "user_unknown",
        "view_unknown",
        "work_order_unknown",
    }
)
"""Refusals that say that something named does not exist: 404."""

STATUSES: Final[dict[str, int]] = {
    "cursor_invalid": 422,
    "idempotency_key_missing": 400,
    "idempotency_key_invalid": 400,
    "request_running": 409,
    "key_reused": 422,
    "not_signed_in": 401,
    "forbidden": 403,
    "csrf": 403,
    "too_large": 413,
    "batch_too_large": 413,
    "policy_invalid": 422,
    "tariff_invalid": 422,
    "views_behind": 503,
    "invalid": 422,
    "internal": 500,
    "logins_limited": 429,
    "not_initialised": 503,
    "outcome_unknown": 503,
    "unavailable": 503,
    "vault_key": 503,
}
"""Codes whose status is not that of their kind; what is in no list is a rule that says no: 409."""


def status_of(code: str) -> int:
    """HTTP status of a code."""
    return 404 if code in UNKNOWN_THINGS else STATUSES.get(code, 409)


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure: a stable code, what kind it is, the HTTP status, a sentence for the asker."""

    code: str
    title: str
    status: int
    detail: str
    more: Json = field(default_factory=dict)
    retry_after_s: int | None = None

    def document(self) -> Json:
        """The problem as the API answers it."""
        return {
            "type": f"urn:wattledger:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }


Meaning = tuple[type[Exception], Callable[[Any], Problem]]


def meaning_of(error: Exception, meanings: Sequence[Meaning]) -> Problem | None:
    """What an error means to the one who asked; the first that fits counts."""
    for kind, made in meanings:
        if isinstance(error, kind):
            return made(error)
    return None


def unavailable(code: str, detail: str) -> Problem:
    """Nothing is wrong with the request: try again soon."""
    return Problem(code, "Not available", 503, detail, retry_after_s=1)


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).strip().partition("\n")[0]


def sentence_of(error: ValidationError) -> str:
    """The first thing wrong with a value, on one line."""
    problem = error.errors(include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {message_of(problem['msg'])}"


def message_of(text: str) -> str:
    """What a validator says, without its own preface."""
    return text.removeprefix("Value error, ")


def invalid(problems: Sequence[tuple[Sequence[Any], str]]) -> Problem:
    """Values that cannot be accepted, each with its place as a JSON pointer."""
    told = [
        {"path": pointer(*place), "message": message_of(message)} for place, message in problems
    ]
    many = f"{len(told)} values" if len(told) > 1 else "A value"
    detail = f"{many} cannot be accepted."
    return Problem("invalid", "Not acceptable", 422, detail, {"problems": told})


class NotAcceptableError(Exception):
    """A body that is no JSON, or none of the wanted kind."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def _invalid(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_context=False)
    return invalid([(problem["loc"], problem["msg"]) for problem in found])


def _refusal(error: Refused) -> Problem:
    if isinstance(error, Contradiction):
        title = "The same key came before with another content"
        return Problem(error.code, title, STATUSES.get(error.code, 409), error.message)
    if error.code in UNKNOWN_THINGS:
        return Problem(error.code, "Not found", 404, error.message)
    problems = getattr(error, "problems", ())
    more = {"problems": [problem._asdict() for problem in problems]} if problems else {}
    status = STATUSES.get(error.code, 422 if more else 409)
    retry_after_s = 1 if error.code == "request_running" else None
    return Problem(error.code, "Refused", status, error.message, more, retry_after_s)


def _limited(error: LoginsLimitedError) -> Problem:
    return Problem(
        "logins_limited", "Too many attempts", 429, str(error), retry_after_s=error.retry_after_s
    )


# The first that fits counts, so a special case stands before the general one.
MEANINGS: Final[tuple[Meaning, ...]] = (
    (Refused, _refusal),
    (ValidationError, _invalid),
    (NotAcceptableError, lambda error: error.problem),
    (LoginsLimitedError, _limited),
    (
        OutcomeUnknownError,
        lambda error: unavailable("outcome_unknown", f"{error} Send the same request again."),
    ),
    (LogUnavailableError, lambda error: unavailable("unavailable", first_line(error))),
)
