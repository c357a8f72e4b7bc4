import stat

from tests.harness.terminal import Terminal


def test_people_are_added_listed_shut_out_and_let_in_again(terminal: Terminal) -> None:
    added = terminal.json("user", "add", "anna", "--role", "operator", "--site", "East")
    assert added == {
        "user_id": "anna",
        "role": "operator",
        "sites": ["East"],
        "account_no": None,
        "is_active": True,
    }
    assert terminal.json("user", "list")["items"] == [added]
    assert not terminal.json("user", "disable", "anna")["is_active"]
    assert terminal.json("user", "enable", "anna") == added


def test_people_are_shown_in_words_and_not_as_a_program_writes_them(embedded: Terminal) -> None:
    told = embedded.run("user", "add", "anna", "--role", "cashier").stdout
    assert "sites" not in told
    assert "yes" in told
    assert "True" not in embedded.run("user", "list").stdout


def test_who_is_added_twice_or_in_an_unknown_role_is_refused(embedded: Terminal) -> None:
    embedded.run("user", "add", "anna", "--role", "admin")
    assert embedded.json("user", "add", "anna", "--role", "admin", exit_code=1)["code"] == (
        "user_exists"
    )
    assert embedded.json("user", "add", "bo", "--role", "king", exit_code=1)["code"] == (
        "role_unknown"
    )
    assert embedded.json("user", "token", "nobody", exit_code=4)["code"] == "user_unknown"


def test_a_token_and_a_link_are_made_for_somebody_who_is_known(embedded: Terminal) -> None:
    embedded.run("user", "add", "anna", "--role", "admin")
    token = embedded.json("user", "token", "anna", "--scope", "accounts:read")["token"]
    assert token.startswith("wl_")
    assert embedded.json("user", "revoke", token)["revoked"]
    assert embedded.json("user", "revoke", "nothing", exit_code=4)["code"] == "token_unknown"
    assert "/login/" in embedded.json("user", "link", "anna")["url"]


def test_the_key_of_sessions_is_made_by_init_for_its_owner_alone(embedded: Terminal) -> None:
    mode = stat.S_IMODE((embedded.folder / "session.key").stat().st_mode)
    assert mode == 0o600
