from tests.harness.terminal import Terminal

CASH = ("--channel", "cash", "--txn")


def test_a_payment_is_booked_once_whatever_is_repeated(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    first = terminal.json("recharge", "A1", "100.50", *CASH, "T1")
    assert (first["amount_minor"], first["balance_minor"]) == (10_050, 10_050)
    assert terminal.json("recharge", "A1", "100.5", *CASH, "T1") == first
    assert "repeat" in terminal.run("recharge", "A1", "100.5", *CASH, "T1").stdout
    assert terminal.json("account", "show", "A1")["balance_minor"] == 10_050


def test_the_same_payment_with_another_content_is_a_contradiction(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    terminal.open("A2", "M2")
    terminal.run("recharge", "A1", "100", *CASH, "T1")
    for words in (("A1", "100.01"), ("A2", "100")):
        problem = terminal.json("recharge", *words, *CASH, "T1", exit_code=5)
        assert problem["code"] == "payment_contradiction"
    assert terminal.json("account", "show", "A2")["balance_minor"] == 0


def test_the_time_of_a_payment_has_one_form_whatever_its_zone(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    at = ("2026-03-01T10:00:00+08:00", "2026-03-01T02:00:00Z", "2026-03-01 10:00")
    receipts = {
        terminal.json("recharge", "A1", "5", *CASH, "T1", "--paid-at", text)["receipt_no"]
        for text in at
    }
    assert len(receipts) == 1
    (credited,) = terminal.lines("events", "--topic", "account.credited")
    assert credited["valid_at"] == "2026-03-01T02:00:00Z"


def test_what_the_rules_refuse_ends_with_1_and_books_nothing(embedded: Terminal) -> None:
    embedded.open("A1", "M1")
    refusals = {
        ("0",): "amount_not_positive",
        ("-5",): "amount_not_positive",
        ("9999999999999",): "amount_too_large",
        ("5", "--currency", "USD"): "wrong_currency",
        ("5", "--paid-at", "2999-01-01 00:00"): "paid_in_the_future",
    }
    for words, code in refusals.items():
        assert embedded.json("recharge", "A1", *words, *CASH, "T1", exit_code=1)["code"] == code
    assert embedded.json("account", "show", "A1")["balance_minor"] == 0


def test_an_unknown_account_ends_with_4(embedded: Terminal) -> None:
    assert embedded.json("recharge", "A9", "5", *CASH, "T1", exit_code=4)["code"] == (
        "account_unknown"
    )


def test_options_may_stand_before_the_account(embedded: Terminal) -> None:
    embedded.open("A1", "M1")
    assert embedded.json("recharge", *CASH, "T1", "A1", "5")["balance_minor"] == 500


def test_an_account_may_be_called_like_a_command(embedded: Terminal) -> None:
    for number in ("import", "reverse", "to"):
        embedded.run("account", "open", number)
        body = embedded.json("recharge", "to", number, "5", *CASH, number)
        assert (body["account_no"], body["balance_minor"]) == (number, 500)


def test_a_recharge_is_reversed_in_full_and_once(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    receipt = terminal.json("recharge", "A1", "100", *CASH, "T1")["receipt_no"]
    reverse = ("recharge", "reverse", receipt, "--reason", "wrong account")
    assert terminal.json(*reverse)["balance_minor"] == 0
    assert terminal.json(*reverse, exit_code=1)["code"] == "already_reversed"
    for unknown in ("0-1", "7-1", "0-999"):
        words = ("recharge", "reverse", unknown, "--reason", "x")
        assert terminal.json(*words, exit_code=4)["code"] == "receipt_unknown"
    assert terminal.json("recharge", "reverse", "R1", "--reason", "x", exit_code=2)["code"] == (
        "invalid"
    )


def test_a_wallet_is_corrected_by_a_signed_amount(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    assert terminal.json("adjust", "A1", "-5.25", "--reason", "typo")["balance_minor"] == -525
    granted = terminal.json("adjust", "A1", "3", "--wallet", "granted", "--reason", "sorry")
    assert (granted["granted_minor"], granted["available_minor"]) == (300, -225)
    below = ("adjust", "A1", "-4", "--wallet", "granted", "--reason", "x")
    assert terminal.json(*below, exit_code=1)["code"] == "granted_negative"
    assert terminal.json("adjust", "A1", "0", "--reason", "x", exit_code=1)["code"] == "amount_zero"
    assert terminal.json("adjust", "A1", "1", "--wallet", "gold", "--reason", "x", exit_code=2)


def test_money_that_falls_to_the_line_trips_and_a_payment_restores(terminal: Terminal) -> None:
    terminal.open("A1", "M1")
    assert terminal.json("recharge", "A1", "15", *CASH, "T1")["alert_level"] == "remind"
    assert terminal.json("adjust", "A1", "-15", "--reason", "x")["alert_level"] == "trip"
    (point,) = terminal.json("account", "show", "A1")["service_points"]
    assert point["supply"]["intended"] == "off"
    assert terminal.json("recharge", "A1", "50", *CASH, "T2")["alert_level"] == "none"
    (point,) = terminal.json("account", "show", "A1")["service_points"]
    assert point["supply"]["intended"] == "on"
