"""A correction or a fee that does not follow from what was recorded before it is named."""

from typing import Any

import msgspec
import pytest

from ledger.aggregates.account import Account
from ledger.commands import accrue_fixed
from ledger.events import Event
from ledger.events.account import ChargeCorrected, FixedFeeCharged
from ledger.events.registry import encode
from ledger.values import stream_id
from tests.harness.desk import ACTOR, Desk, point
from tests.harness.documents import daily_fee, energy, tariff, version
from tests.harness.tampering import smuggle


def forge(desk: Desk, kind: type[Event], **particulars: Any) -> list[str]:  # noqa: ANN401 - fields
    """Append a real fact once more with other particulars; the checks that find it."""
    real = next(each for each in desk.facts("A1") if isinstance(each, kind))
    payload = encode(msgspec.structs.replace(real, **particulars)).decode()
    shard = desk.ledger.shard_of("A1")
    place = smuggle(desk, shard, stream_id(Account.KIND, "A1"), real.TOPIC, payload)
    desk.views.catch_up()
    found = [item for item in desk.views.verify() if item["check"] in {"charge", "correction"}]
    assert all((item["shard"], item["position"]) == (shard, place) for item in found)
    return [item["check"] for item in found]


@pytest.fixture
def corrected(desk: Desk) -> Desk:
    """An account with a correction and a fee."""
    desk.publish(tariff("by_day", version(energy(["0.5", "1"]), daily_fee("0.2"), bounds=["100"])))
    desk.open("A1", point("M1", "by_day"))
    desk.read("M1", "2026-01-21", 100_000)
    desk.read("M1", "2026-02-11", 300_000)
    desk.read("M1", "2026-02-01", 280_000)
    accrue_fixed.handle(["A1"], desk.ledger, ACTOR)
    desk.views.catch_up()
    assert desk.views.verify() == []
    return desk


@pytest.mark.parametrize(
    "particulars",
    [
        {},
        {"replaced": (), "intervals": ()},
        {"replaced": (), "intervals": (), "cause": "household"},
        {"replaced": ()},
        {"amount_minor": 1},
        {"cause": "household", "point": "nowhere"},
    ],
)
def test_a_correction_that_does_not_follow_is_named(
    corrected: Desk, particulars: dict[str, Any]
) -> None:
    assert forge(corrected, ChargeCorrected, **particulars) == ["correction"]


@pytest.mark.parametrize("particulars", [{}, {"amount_minor": 1}, {"point": "nowhere"}])
def test_a_fee_that_does_not_follow_is_named(corrected: Desk, particulars: dict[str, Any]) -> None:
    assert forge(corrected, FixedFeeCharged, **particulars) == ["charge"]
