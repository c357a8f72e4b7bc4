"""A year of holidays is announced: readings of it waited, and are charged by its days."""

import pytest

from adapters.views.queries import SqlQueries
from ledger.commands import publish_tariff
from ledger.commands.add_holidays import Announced, handle
from ledger.commands.recompute_quarantine import item_of, recompute
from ledger.queries import Asked
from tests.commands.test_hours_of_a_register import BY_DAY_TYPE, KWH, by_hours, charges
from tests.harness.desk import ACTOR, Desk, Json, point
from tests.harness.documents import FLAT

NOTICE = Announced(
    calendar="cn", year=2031, off=["2031-01-01", "2031-01-22/2031-01-28"], worked=["2031-02-01"]
)


@pytest.fixture
def home(desk: Desk) -> Desk:
    """A1 has a meter with one register on hours by day type, from the last day of 2030 on."""
    known = {**by_hours(BY_DAY_TYPE), "holidays": [{"year": 2030, "off": ["2030-01-01"]}]}
    desk.publish(known)
    desk.clock.go("2031-03-01")
    desk.open("A1", point("M1", "hours", "2030-12-31"))
    return desk


def add(desk: Desk, notice: Announced = NOTICE) -> list[Json]:
    desk.views.catch_up()
    queries = SqlQueries(desk.engine, desk.terms)
    documents = [queries.document("tariff", name) for name in ("hours", "flat")]
    return handle(notice, [each["document"] for each in documents if each], desk.ledger, ACTOR)


def test_what_waited_is_charged_by_the_days_that_were_announced(home: Desk) -> None:
    for day, kwh in (("2031-01-21", 10), ("2031-01-22", 20), ("2031-01-23", 30)):
        home.read("M1", f"{day}T09:00", kwh * KWH)
        home.read("M1", f"{day}T10:00", (kwh + 1) * KWH)
    assert charges(home) == []
    (body,) = add(home)
    assert (body["tariff_id"], body["version"], body["changed"]) == ("hours", 2, True)
    home.views.catch_up()
    asked = Asked({"code": "holidays_unknown"})
    items = SqlQueries(home.engine, home.terms).quarantine(asked).items
    answer = recompute([item_of(item) for item in items], home.ledger, ACTOR)
    assert (answer["charged"], answer["waiting"]) == (6, [])
    workday, holiday = charges(home)[1], charges(home)[3]
    assert (workday, holiday) == (60, 30)  # A holiday without hours of its own has a weekend's.
    home.views.catch_up()
    assert home.views.verify() == []


def test_a_year_that_is_known_stays_as_it_is(home: Desk) -> None:
    assert len(add(home)) == 1
    assert add(home) == []
    other = NOTICE.model_copy(update={"off": ["2031-01-01"]})
    assert add(home, other) == []
    assert add(home, NOTICE.model_copy(update={"calendar": "gb", "year": 2032})) == []


def test_it_waits_for_a_second_person_where_tariffs_do(home: Desk) -> None:
    publish_tariff.handle(FLAT, home.ledger, ACTOR)
    home.ledger.approvals = frozenset({"tariff"})
    (body,) = add(home)
    assert body["waits_for_approval"] is True
