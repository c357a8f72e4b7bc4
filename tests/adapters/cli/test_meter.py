from tests.harness.terminal import Terminal

NEW_YEAR = ("--installed-at", "2026-01-01 00:00")


def test_a_further_meter_becomes_a_point_of_its_own(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    install = ("meter", "install", "A1", "M2", "--tariff", "flat", "--initial", "7.5", *NEW_YEAR)
    body = terminal.json(*install, "--multiplier", "40")
    assert [point["service_point"] for point in body["service_points"]] == [
        "electricity",
        "electricity-2",
    ]
    assert body["service_points"][1]["registers"] == {"total": "7.5"}
    again = terminal.json(*install, "--multiplier", "40")
    assert again["service_points"] == body["service_points"]
    assert terminal.json(*install, exit_code=5)["code"] == "meter_in_use"
    assert terminal.json("meter", "install", "A9", "M3", "--tariff", "flat", "--initial", "0",
                         exit_code=4)["code"] == "account_unknown"  # fmt: skip


def test_a_replaced_meter_is_charged_to_its_last_value(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    words = ("--reason", "broken display", "--at", "2026-01-03 00:00")
    replace = ("meter", "replace", "A1", "M2", "--final", "total=10", "--initial", "total=100")
    body = terminal.json(*replace, *words)
    assert body["balance_minor"] == -500
    (point,) = body["service_points"]
    assert (point["meter_no"], point["registers"]) == ("M2", {"total": "100"})
    remove = ("meter", "remove", "A1", "--reason", "demolished", "--at", "2026-01-04 00:00")
    assert terminal.json(*remove, "--final", "99", exit_code=1)["code"] == "backward"
    removed = terminal.json(*remove, "--final", "104")
    assert (removed["service_points"], removed["balance_minor"]) == ([], -700)


def test_a_removed_meter_may_count_elsewhere(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    terminal.run("meter", "remove", "A1", "--final", "1", "--reason", "moved")
    terminal.run("account", "open", "A2")
    body = terminal.json("meter", "install", "A2", "M1", "--tariff", "flat", "--initial", "1")
    assert body["service_points"][0]["meter_no"] == "M1"
