"""Claims of one transaction: what stood before it, what its works take, and what they give up."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from ledger.aggregates import Refused
from ledger.ports import Claim, ClaimKey, ConflictError, LogWriter, StoredClaim
from ledger.store.work import Answer, Body

TAKEN: Final = {
    "account": ("account_exists", "The account {key} was opened before with other particulars."),
    "meter": ("meter_in_use", "The meter {key} is installed at account {owner}."),
    "payment": (
        "payment_contradiction",
        "The payment {key} was booked before to account {owner} with another content.",
    ),
}
CONTRADICTION: Final = ("key_reused", "This key was used before for another request.")


class Contradiction(Refused):
    """The same key came before with another content."""


class ClaimBook:
    """Decides which works are repeats; written in the transaction of their effects."""

    def __init__(self, writer: LogWriter, claims: Iterable[Claim]) -> None:
        keys = [(claim.kind, claim.key) for claim in claims]
        self._writer = writer
        self._standing: dict[ClaimKey, StoredClaim] = dict(writer.find_claims(keys)) if keys else {}
        self._taken: dict[ClaimKey, tuple[Claim, bytes]] = {}
        self._given_up: list[ClaimKey] = []

    def earlier_answer(self, claims: Sequence[Claim]) -> Answer | None:
        """The answer of an earlier run under one of these keys; a contradiction is refused.

        The keys before the one that stands are taken with that answer: they name the same request.
        """
        for index, claim in enumerate(claims):
            standing = self._standing.get((claim.kind, claim.key))
            if standing is None:
                continue
            if standing.fingerprint != claim.fingerprint:
                code, message = TAKEN.get(claim.kind, CONTRADICTION)
                raise Contradiction(code, message.format(key=claim.key, owner=standing.owner))
            answer = standing.answer or b"{}"
            self._take(claims[:index], answer)
            return Answer(msgspec.json.decode(answer), replayed=True)
        return None

    def settle(self, claims: Sequence[Claim], body: Body, released: Iterable[ClaimKey]) -> None:
        """Enter what a work has taken, with its answer, and what it has given up."""
        for key in released:
            self._standing.pop(key, None)
            if self._taken.pop(key, None) is None:
                self._given_up.append(key)
        if claims:
            self._take(claims, msgspec.json.encode(body))

    def write(self) -> None:
        """Give up and take in the log; raises `ConflictError` when another process was first."""
        if self._given_up:
            self._writer.release_claims(self._given_up)
        if self._taken and not self._writer.take_claims(list(self._taken.values())):
            raise ConflictError("A key was claimed by another process meanwhile.")

    def _take(self, claims: Sequence[Claim], answer: bytes) -> None:
        for claim in claims:
            key = (claim.kind, claim.key)
            self._taken[key] = (claim, answer)
            self._standing[key] = StoredClaim(claim.fingerprint, claim.owner, answer)
