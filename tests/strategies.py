"""What the domain's values may be, drawn: policies, facts of every shape, whole histories."""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from ledger.aggregates import Aggregate
from ledger.aggregates.account.control import Terms
from ledger.aggregates.policy import PolicyDocument
from ledger.events import Event
from tests.harness.documents import policy
from tests.harness.story import Story
from tests.harness.town import Step as TownStep
from tests.harness.town import Verb

INTEGERS: Final = st.integers(-(2**58), 2**58)
"""Sums of a few of them still fit where a snapshot keeps them."""
NAMES: Final = st.sampled_from(["electricity", "electricity-2", "water", "M1", "M2", "total", ""])
"""Few, so that facts speak of the same points and meters."""
DAYS: Final = st.none() | st.integers(0, 20)


@st.composite
def policy_documents(draw: st.DrawFn, policy_id: str = "standard") -> PolicyDocument:
    """Any control policy: lines that descend, with or without days, hysteresis and restore line."""
    lines = sorted(draw(st.lists(st.integers(-20_00, 40_00), min_size=3, max_size=3)), reverse=True)
    remind, warn, trip = (draw(st.sampled_from([line, None])) for line in lines)
    restore = None if trip is None else draw(st.none() | st.integers(trip, trip + 30_00))
    return policy(
        policy_id,
        remind=remind,
        warn=warn,
        trip=trip,
        remind_days=draw(DAYS),
        warn_days=draw(DAYS),
        hysteresis_minor=draw(st.sampled_from([0, 1, 5_00])),
        restore_above_minor=restore,
        cuts=draw(st.sampled_from([("electricity",), ("electricity", "water"), ("water",), ()])),
    )


def policies() -> st.SearchStrategy[Terms]:
    """Control policies in force."""
    return policy_documents().map(lambda document: document.terms(1))


def any_fact(event_type: type[Event]) -> st.SearchStrategy[Event]:
    """A fact of a type with any content that its shape allows, sensible or not."""
    return st.builds(event_type, **{name: _any(hint) for name, hint in _fields(event_type)})


def any_past(kind: type[Aggregate]) -> st.SearchStrategy[list[tuple[Event, int]]]:
    """Any facts that a stream of this kind may hold, in any order."""
    facts = st.one_of([any_fact(event_type) for event_type in kind.EVOLVERS])
    return st.lists(st.tuples(facts, INTEGERS), max_size=12)


def _fields(shape: type[msgspec.Struct]) -> list[tuple[str, Any]]:
    hints = get_type_hints(shape)
    return [(name, hints[name]) for name in shape.__struct_fields__]


def _any(hint: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - any type of a field
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return st.builds(hint, **{name: _any(inner) for name, inner in _fields(hint)})
    if hint is msgspec.Raw:
        return st.sampled_from([msgspec.Raw(b"{}"), msgspec.Raw(b'{"lines":[]}')])
    origin, inner = get_origin(hint), get_args(hint)
    if origin is dict:
        return st.dictionaries(NAMES, _any(inner[1]), max_size=3)
    if origin is tuple and inner[-1] is ...:
        return st.lists(_any(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(_any, inner))
    if origin is UnionType:
        return st.one_of(*map(_any, inner))
    known: dict[Any, st.SearchStrategy[Any]] = {int: INTEGERS, str: NAMES, bool: st.booleans()}
    known[NoneType] = st.none()
    return known[hint]


Step = Callable[[Story], None]
AMOUNTS: Final = st.one_of(st.integers(1, 60_00), st.sampled_from([1, 99, 10**14]))
HOURS: Final = st.one_of(st.integers(0, 30), st.integers(0, 24 * 40))


@st.composite
def steps(draw: st.DrawFn) -> Step:
    """One thing that happens to an account."""
    match draw(
        st.sampled_from(["pay", "read", "read", "read", "reverse", "adjust", "swap", "move"])
    ):
        case "pay":
            amount_minor = draw(AMOUNTS)
            return lambda story: story.pay(amount_minor)
        case "reverse":
            number = draw(st.integers(0, 5))
            return lambda story: story.reverse(number)
        case "adjust":
            amount_minor = draw(AMOUNTS) * draw(st.sampled_from([1, -1]))
            wallet = draw(st.sampled_from(["paid", "granted"]))
            return lambda story: story.adjust(amount_minor, wallet)
        case "swap":
            which, hours = draw(st.integers(0, 1)), draw(HOURS)
            return lambda story: story.swap(which, hours)
        case "move":
            policy_id = draw(st.sampled_from(["standard", "wet"]))
            which = draw(st.integers(0, 1))
            return lambda story: story.assign(which, policy_id)
        case _:
            which, hours = draw(st.integers(0, 1)), draw(HOURS)
            quantity = draw(st.one_of(st.integers(0, 500), st.integers(0, 90_000)))
            return lambda story: story.read(which, hours, quantity)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """An account that was opened, and what its rules made of whatever happened next."""
    story = Story()
    for step in draw(st.lists(steps(), max_size=20)):
        step(story)
    return story


TOWN_STEPS: Final = st.tuples(
    st.sampled_from([*get_args(Verb), "read", "read", "sweep", "pay"]),
    st.integers(0, 11),
    st.one_of(st.integers(0, 300), st.integers(0, 60_000)),
)


@st.composite
def town_histories(draw: st.DrawFn, most: int = 40) -> list[TownStep]:
    """What happens in a town whose first accounts are open."""
    opened: list[TownStep] = [("open", who, draw(st.integers(0, 9))) for who in (0, 1)]
    return opened + draw(st.lists(TOWN_STEPS, max_size=most))
