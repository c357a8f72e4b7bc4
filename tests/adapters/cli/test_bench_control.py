"""`wattledger bench control` cuts and restores real simulated meters, and times it."""

from tests.harness.terminal import Terminal


def test_everybody_who_pays_is_supplied_again(embedded: Terminal) -> None:
    words = ("bench", "control", "--meters", "6", "--gateways", "2", "--every", "0.05")
    body = embedded.json(*words)
    assert body["missed"] == []
    assert 0 < body["p50_ms"] <= body["p99_ms"] <= body["max_ms"]
