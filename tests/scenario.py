"""Given a past, when somebody decides, then these facts follow, or this refusal."""

from collections.abc import Callable, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from ledger.aggregates import Aggregate, Refused
from ledger.aggregates.account.consumption import Quarantine
from ledger.events import Event

State = TypeVar("State", bound=Aggregate)
Asked = ParamSpec("Asked")
Fact = Event | tuple[Event, int]
"""A fact of the past; with the time it was valid at where that matters."""


class Scenario(Generic[State]):
    """`Scenario(kind).given(*past).when(decision, …).then(*facts)`, or `.refused(code)`."""

    def __init__(self, kind: type[State]) -> None:
        self.state = kind(0, "any")
        self._outcome: object = None

    def given(self, *past: Fact) -> Self:
        """These facts happened before."""
        self.state.replay(fact if isinstance(fact, tuple) else (fact, 0) for fact in past)
        return self

    def when(
        self,
        decision: Callable[Concatenate[State, Asked], object],
        *args: Asked.args,
        **kwargs: Asked.kwargs,
    ) -> Self:
        """Somebody decides; a decision reads the state and leaves it as it is."""
        before = self.state.clone()
        try:
            outcome = decision(self.state, *args, **kwargs)
            self._outcome = tuple(outcome) if isinstance(outcome, Iterator) else outcome
        except Refused as refusal:
            self._outcome = refusal
        assert self.state == before, "a decision changed the state"
        return self

    def then(self, *facts: Event) -> Self:
        """Exactly these facts follow; they become part of the past."""
        assert self.facts == facts
        return self.given(*facts)

    def then_nothing(self) -> Self:
        """Nothing follows: what was asked for is so already."""
        return self.then()

    def refused(self, code: str) -> Self:
        """The rules say no, with a sentence for the person who asked."""
        refusal = self._outcome
        assert isinstance(refusal, Refused), refusal
        assert (refusal.code, refusal.message[-1:]) == (code, ".")
        return self

    def quarantined(self, code: str) -> Self:
        """A reading is kept aside, with a sentence that says why."""
        why = self._outcome
        assert isinstance(why, Quarantine), why
        assert (why.code, why.reason[-1:]) == (code, ".")
        return self

    @property
    def facts(self) -> tuple[Any, ...]:
        """What followed, for a closer look."""
        if isinstance(self._outcome, Refused):
            raise self._outcome
        if self._outcome is None:
            return ()
        return self._outcome if isinstance(self._outcome, tuple) else (self._outcome,)
