"""`wattledger bench poll` measures a real sweep: a park in a process of its own, and commands."""

from tests.harness.terminal import Terminal


def test_a_small_park_is_swept_charged_and_commanded(embedded: Terminal) -> None:
    words = ("bench", "poll", "--meters", "12", "--gateways", "3", "--sweeps", "2")
    body = embedded.json(*words, "--baud", "19200")
    assert (body["unread"], body["uncharged"]) == (0, 0)
    assert body["passed_by"] <= 1
    assert body["rate"] > 0
    assert "cpu_ms" not in body["limits"]


def test_more_meters_than_a_bus_can_have_are_refused(embedded: Terminal) -> None:
    words = ("bench", "poll", "--meters", "300", "--gateways", "1")
    assert embedded.json(*words, exit_code=2)["code"] == "too_many_meters"
