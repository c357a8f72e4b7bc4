import json

import pytest

from tests.harness.terminal import Terminal


def test_a_ledger_is_made_once(blank: Terminal) -> None:
    first = blank.json("init", "--shards", "3")
    assert (first["created"], first["shards"], first["currency"]) == (True, 3, "CNY")
    again = blank.json("init")
    assert again == {**first, "created": False}


def test_its_terms_are_fixed_for_ever(blank: Terminal) -> None:
    blank.run("init", "--shards", "2", "--timezone", "Europe/Berlin", "--currency", "EUR")
    problem = blank.json("init", "--shards", "3", exit_code=1)
    assert problem["code"] == "other_terms"
    assert "2 shard(s), Europe/Berlin, EUR" in problem["detail"]


@pytest.mark.parametrize(
    "options",
    [("--shards", "0"), ("--shards", "x"), ("--timezone", "Mars/Olympus"), ("--currency", "yuan")],
)
def test_terms_that_cannot_be_are_refused_before_anything_is_made(
    blank: Terminal, options: tuple[str, str]
) -> None:
    assert blank.json("init", *options, exit_code=2)["status"] == 400
    assert blank.json("account", "list", exit_code=6)["code"] == "not_initialised"


def test_the_standard_policy_reminds_at_20_warns_at_10_and_trips_at_0(blank: Terminal) -> None:
    blank.run("init", "--currency", "JPY")
    (published,) = blank.lines("events", "--topic", "policy.published")
    document = published["payload"]["document"]
    levels = {name: document[name]["available_minor"] for name in ("remind", "warn", "trip")}
    assert levels == {"remind": 20, "warn": 10, "trip": 0}
    assert document["policy_id"] == "standard"


def test_a_standard_policy_of_the_operator_is_left_alone(blank: Terminal) -> None:
    blank.run("init")
    own = {"policy_id": "standard", "trip": {"available_minor": -5_000}}
    blank.run("policy", "publish", blank.write("own.json", json.dumps(own)))
    blank.run("init")
    published = blank.lines("events", "--topic", "policy.published.v1")
    assert [event["payload"]["document"]["trip"]["available_minor"] for event in published] == [
        0,
        -5_000,
    ]


def test_the_vault_key_is_made_for_its_owner_alone(blank: Terminal) -> None:
    blank.run("init")
    key_file = blank.folder / "vault.key"
    key = key_file.read_bytes()
    assert key_file.stat().st_mode & 0o777 == 0o600
    blank.run("init")
    assert key_file.read_bytes() == key


def test_a_lost_vault_key_is_not_made_anew_beside_sealed_names(embedded: Terminal) -> None:
    embedded.run("account", "open", "A1", "--name", "张三")
    (embedded.folder / "vault.key").unlink()
    problem = embedded.json("init", exit_code=6)
    assert problem["code"] == "vault_key"
    assert not (embedded.folder / "vault.key").exists()


def test_looking_for_a_ledger_leaves_no_file_behind(blank: Terminal) -> None:
    problem = blank.json("account", "show", "A1", exit_code=6)
    assert problem["code"] == "not_initialised"
    assert "run `wattledger init`" in problem["detail"]
    assert list(blank.folder.iterdir()) == []
