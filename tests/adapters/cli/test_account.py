import pytest

from tests.harness.terminal import Terminal


def test_an_account_reads_as_the_api_answers_with_its_names_unsealed(terminal: Terminal) -> None:
    personal = ("--name", "张三", "--phone", "13800000001", "--address", "Building 3")
    opened = terminal.open("A1", "M1", *personal, "--site", "north", "--group", "residential")
    shown = terminal.json("account", "show", "A1")
    assert {"name", "phone", "address"}.isdisjoint(opened)
    positions = {"position", "positions"}
    common = {key: value for key, value in opened.items() if key not in positions}
    assert {key: shown[key] for key in common} == common
    assert (shown["name"], shown["phone"], shown["address"]) == (
        "张三",
        "13800000001",
        "Building 3",
    )
    (point,) = shown["service_points"]
    assert (point["meter_no"], point["registers"]) == ("M1", {"total": "0"})
    assert point["supply"] == {"intended": "on", "actual": "unknown"}


def test_no_event_holds_a_name(terminal: Terminal) -> None:
    terminal.open("A1", "M1", "--name", "Zhang San", "--phone", "13800000001")
    printed = terminal.run("events").stdout
    assert "Zhang San" not in printed
    assert "13800000001" not in printed
    assert '"personal":{"name":"' in printed


def test_opening_the_same_account_again_changes_nothing(terminal: Terminal) -> None:
    first = terminal.open("A1", "M1", "--name", "Zhang San")
    assert terminal.open("A1", "M1", "--name", "Zhang San") == first
    assert len(terminal.lines("events", "--topic", "account.opened")) == 1


def test_an_account_number_or_a_meter_is_taken_once(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    other = terminal.json("account", "open", "A1", "--site", "south", exit_code=5)
    assert (other["code"], other["status"]) == ("account_exists", 409)
    point = ("--meter", "M1", "--tariff", "flat", "--initial", "0")
    assert terminal.json("account", "open", "A2", *point, exit_code=5)["code"] == "meter_in_use"
    terminal.run("account", "show", "A2", exit_code=4)


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (("--tariff", "none", "--initial", "0"), "tariff_unknown", 4),
        (("--tariff", "flat", "--policy", "none", "--initial", "0"), "policy_unknown", 4),
        (("--tariff", "flat"), "register_missing", 1),
        (("--tariff", "flat", "--initial", "0", "--kind", "water"), "tariff_of_other_service", 1),
        (("--tariff", "flat", "--initial", "0", "--currency", "USD"), "wrong_currency", 1),
        (("--tariff", "flat", "--initial", "0", "--installed-at", "2999-01-01 00:00"),
         "installed_in_the_future", 1),
        (("--tariff", "flat", "--initial", "total=-1"), "invalid", 2),
        (("--initial", "0"), "invalid", 2),
        (("--tariff", "flat", "--initial", "0", "--timezone", "Mars/Olympus"), "invalid", 2),
        (("--tariff", "flat", "--initial", "0", "--timezone", "Mars/Olympus",
          "--installed-at", "2026-01-01 00:00"), "timezone_unknown", 2),
    ],
)  # fmt: skip
def test_an_account_that_cannot_be_charged_is_not_opened(
    embedded: Terminal, options: tuple[str, ...], code: str, exit_code: int
) -> None:
    words = ("account", "open", "A1", "--meter", "M1", *options)
    assert embedded.json(*words, exit_code=exit_code)["code"] == code
    embedded.run("account", "show", "A1", exit_code=4)


def test_accounts_are_listed_page_by_page(terminal: Terminal) -> None:
    numbers = [f"A{number:02d}" for number in range(7)]
    for number in numbers:
        terminal.run("account", "open", number)
    seen: list[str] = []
    behind: tuple[str, ...] = ()
    while True:
        page = terminal.json("account", "list", "--limit", "3", *behind)
        seen += [item["account_no"] for item in page["items"]]
        if page["cursor"] is None:
            break
        after = terminal.json("account", "list", "--limit", "3", "--after", seen[-1])
        behind = ("--cursor", page["cursor"])
        assert after == terminal.json("account", "list", "--limit", "3", *behind)
    assert seen == numbers
    assert "A06" in terminal.run("account", "list").stdout


def test_a_tariff_a_policy_and_a_group_can_be_assigned(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    dear = terminal.read("flat.json").replace('"flat"', '"dear"').replace("0.50", "0.90")
    terminal.run("tariff", "publish", terminal.write("dear.json", dear))
    terminal.run("policy", "publish", terminal.write("p.json", '{"policy_id": "patient"}'))
    assert terminal.json("account", "set-tariff", "A1", "dear")["changed"]
    assert terminal.json("account", "set-policy", "A1", "patient", "--point", "electricity")[
        "changed"
    ]
    assert not terminal.json("account", "set-policy", "A1", "patient")["changed"]
    assert terminal.json("account", "set-group", "A1", "staff")["group"] == "staff"
    shown = terminal.json("account", "show", "A1")
    (point,) = shown["service_points"]
    assert (point["tariff_id"], point["policy_id"], shown["group"]) == ("dear", "patient", "staff")
    assert terminal.json("account", "set-tariff", "A1", "none", exit_code=4)["code"] == (
        "tariff_unknown"
    )
    unknown = terminal.json("account", "set-tariff", "A1", "flat", "--point", "gas", exit_code=4)
    assert unknown["code"] == "service_point_unknown"


def test_an_account_is_closed_when_nothing_is_left(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    terminal.run("recharge", "A1", "5", "--channel", "cash", "--txn", "T1")
    close = ("account", "close", "A1", "--reason", "moved out")
    assert terminal.json(*close, exit_code=1)["code"] == "service_points_left"
    removal = ("--at", "2026-01-02 00:00", "--final", "total=4", "--reason", "moved out")
    terminal.run("meter", "remove", "A1", *removal)
    assert terminal.json(*close, exit_code=1)["code"] == "balance_not_zero"
    terminal.run("adjust", "A1", "-3.00", "--reason", "paid back")
    assert terminal.json(*close)["status"] == "closed"
    assert terminal.json("account", "show", "A1")["status"] == "closed"
    late = terminal.json("recharge", "A1", "5", "--channel", "cash", "--txn", "T2", exit_code=1)
    assert late["code"] == "account_not_open"


def test_a_lost_vault_key_is_told_where_names_are_needed(embedded: Terminal) -> None:
    embedded.run("account", "open", "A1", "--name", "Zhang San")
    embedded.run("account", "open", "A2")
    (embedded.folder / "vault.key").unlink()
    assert embedded.json("account", "show", "A1", exit_code=6)["code"] == "vault_key"
    named = embedded.json("account", "open", "A3", "--name", "Li Si", exit_code=6)
    assert "vault.key is missing" in named["detail"]
    assert embedded.json("account", "show", "A2")["account_no"] == "A2"
    embedded.run("account", "open", "A4")
