"""What is wrong with a tariff document, where, and how to put it right."""

from collections.abc import Iterator
from typing import NamedTuple


class Problem(NamedTuple):
    """One reason why a tariff cannot be published."""

    path: str
    """JSON pointer to the place."""
    message: str
    """What is wrong and what to do about it."""
    code: str


class TariffInvalid(ValueError):  # noqa: N818 - a refusal, named as one
    """The document cannot be rated by; `problems` says why, place by place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.path}: {first.message}{more}")


Problems = Iterator[Problem]


def pointer(*parts: str | int) -> str:
    """JSON pointer (RFC 6901) to a place in a document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
