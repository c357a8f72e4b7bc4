"""A published control policy (费控策略): the lines at which people are reminded, warned and cut."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.aggregates import Aggregate
from ledger.aggregates.account.control import Terms
from ledger.aggregates.account.no_cut import HOUR_US, NoCut
from ledger.aggregates.policy_windows import WINDOWS_MAX, NoCutWindow
from ledger.events import Event
from ledger.events.catalogue import PolicyPublished

Minor = Annotated[int, Field(strict=True, ge=-(10**14), le=10**14)]
Days = Annotated[int, Field(strict=True, ge=0, le=9998)]
Hours = Annotated[int, Field(strict=True, ge=0, le=720)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Document):
    """Where a level begins: money available at most this much, or so few days left."""

    available_minor: Minor | None = None
    days_left: Days | None = None


class TripLine(_Document):
    """Where supply is cut; days left are an estimate and never cut anybody off."""

    available_minor: Minor
    grace_hours: Hours = 0
    """So long after the line was reached nobody is cut yet."""


class PolicyDocument(_Document):
    """A control policy as its author writes it; amounts in the account's minor units."""

    policy_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: str = ""
    remind: Line | None = None
    warn: Line | None = None
    trip: TripLine | None = None
    restore_above_minor: Minor | None = None
    hysteresis_minor: Annotated[int, Field(strict=True, ge=0, le=10**12)] = 0
    cuts: tuple[Literal["electricity", "water", "hot_water", "gas", "heat"], ...] = ("electricity",)
    no_cut_windows: Annotated[tuple[NoCutWindow, ...], Field(max_length=WINDOWS_MAX)] = ()
    """When nobody is cut, by the clock of the account; what is due then comes at their end."""

    @model_validator(mode="after")
    def _lines_descend(self) -> Self:
        lines = [line for line in self.lines_minor() if line is not None]
        if lines != sorted(lines, reverse=True):
            raise ValueError("remind must not lie below warn, nor warn below trip")
        if self.trip and self.restore_minor() < self.trip.available_minor:
            raise ValueError("restore_above_minor must not lie below the trip line")
        return self

    def lines_minor(self) -> tuple[int | None, int | None, int | None]:
        """Money lines of remind, warn and trip."""
        return (
            self.remind.available_minor if self.remind else None,
            self.warn.available_minor if self.warn else None,
            self.trip.available_minor if self.trip else None,
        )

    def restore_minor(self) -> int:
        """The line above which supply returns: the trip line plus hysteresis unless stated."""
        if self.restore_above_minor is not None:
            return self.restore_above_minor
        return (self.trip.available_minor if self.trip else 0) + self.hysteresis_minor

    def no_cut(self) -> NoCut | None:
        """What keeps trips back; None where nothing ever does."""
        grace_us = self.trip.grace_hours * HOUR_US if self.trip else 0
        windows = tuple(each.window() for each in self.no_cut_windows)
        return NoCut(windows, grace_us) if windows or grace_us else None

    def terms(self, version: int) -> Terms:
        """The terms that decisions are made by."""
        lines = self.lines_minor()
        return Terms(
            policy_id=self.policy_id,
            version=version,
            lines_minor=lines,
            days=(
                self.remind.days_left if self.remind else None,
                self.warn.days_left if self.warn else None,
            ),
            hysteresis_minor=self.hysteresis_minor,
            restore_minor=self.restore_minor(),
            cuts=frozenset(self.cuts),
            top_minor=max((line for line in lines if line is not None), default=-(10**15)),
            no_cut=self.no_cut(),
        )


class ControlPolicy(Aggregate):
    """One policy by its id; `version` counts its publications."""

    KIND: ClassVar[str] = "policy"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    document: bytes = b""
    document_sha256: str = ""

    def publish(
        self, policy_id: str, document: bytes, document_sha256: str
    ) -> PolicyPublished | None:
        """Put a checked document in force; the same document again is silence."""
        if document_sha256 == self.document_sha256:
            return None
        return PolicyPublished(policy_id, msgspec.Raw(document), document_sha256)


def _published(policy: ControlPolicy, event: PolicyPublished, _at: int) -> None:
    policy.document = bytes(event.document)
    policy.document_sha256 = event.document_sha256


ControlPolicy.EVOLVERS.update({PolicyPublished: _published})
