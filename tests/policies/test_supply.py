"""Which facts steer the supply of a point, and what they give as cause and reason."""

from ledger.policies.supply import REASONS, TOPICS, steering_of
from tests.harness.desk import Desk
from tests.harness.device_day import Line


def test_every_fact_that_may_change_what_is_wanted_steers_its_point(sqlite_url: str) -> None:
    desk = Desk.at(sqlite_url)
    line = Line(desk, "A1", "M1")
    desk.adjust("A1", -5_00)
    desk.recharge("A1", 50_00)
    found = [(recorded, steering_of(recorded)) for recorded in desk.recorded()]
    steered = {type(recorded.event).__name__ for recorded, steering in found if steering}
    assert steered == {"MeterConnected", "SupplyTripOrdered", "SupplyRestoreOrdered"}
    for recorded, steering in found:
        if steering is not None:
            assert steering.cause == f"{recorded.shard}:{recorded.position}"
            assert (steering.account_no, steering.point) == (line.account_no, "electricity")
            assert steering.reason
    desk.close()


def test_the_topics_that_are_followed_are_those_of_the_facts() -> None:
    assert {event_type.TOPIC for event_type in REASONS} == TOPICS
