import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, update

from adapters.store.engine import create_engine
from adapters.store.schema import upgrade
from adapters.store.tables import vault
from adapters.store.vault import (
    KEY,
    SealedRow,
    SqlVault,
    VaultKeyError,
    commitment,
    make_master_key,
    read_master_key,
)

PERSONAL = {"name": "张三", "phone": "13800000001", "address": "Building 3, Flat 1201"}
fields = st.sampled_from(["name", "phone", "address"])


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        upgrade(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "vault.key"


@pytest.fixture
def safe(engine: Engine, key_file: Path) -> SqlVault:
    safe = SqlVault(engine, key_file, os.urandom)
    assert safe.prepare()
    return safe


def keep(engine: Engine, rows: list[SealedRow]) -> None:
    names = ("shard", "account_no", "field", "sealed")
    with engine.begin() as connection:
        connection.execute(insert(vault), [dict(zip(names, row, strict=True)) for row in rows])


def test_a_key_that_could_not_be_written_leaves_nothing_behind(key_file: Path) -> None:
    drawn = iter((b"12345678",))

    def full(_size: int) -> bytes:
        try:
            return next(drawn)
        except StopIteration:
            raise OSError(errno.ENOSPC, "No space left on device") from None

    with pytest.raises(OSError, match="No space"):
        make_master_key(key_file, full)
    assert list(key_file.parent.iterdir()) == []


def test_the_name_of_a_new_key_is_on_the_disk_as_well(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    assert make_master_key(key_file, os.urandom)
    assert synced == [key_file.stat().st_ino, key_file.parent.stat().st_ino]


def test_what_was_sealed_is_read_by_another_process_with_the_same_key(
    engine: Engine, safe: SqlVault, key_file: Path
) -> None:
    _, rows = safe.seal(0, "A1", PERSONAL)
    keep(engine, rows)
    assert SqlVault(engine, key_file, os.urandom).unseal(0, "A1") == PERSONAL
    assert safe.unseal(0, "A2") == {}
    assert safe.unseal(1, "A1") == {}


def test_the_names_of_a_page_are_read_at_once(engine: Engine, safe: SqlVault) -> None:
    for number in ("A1", "A2"):
        _, rows = safe.seal(0, number, {"name": f"Somebody of {number}"})
        keep(engine, rows)
    owners = [(0, "A1"), (0, "A2"), (0, "A3"), (1, "A1")]
    assert safe.unseal_all(owners) == {
        "A1": {"name": "Somebody of A1"},
        "A2": {"name": "Somebody of A2"},
    }
    assert safe.unseal_all([]) == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(fields, st.text(min_size=1, max_size=200), min_size=1))
def test_any_text_comes_back_as_it_was_given(
    engine: Engine, safe: SqlVault, personal: dict[str, str]
) -> None:
    with engine.begin() as connection:
        connection.execute(delete(vault))
    keep(engine, safe.seal(0, "A1", personal)[1])
    assert safe.unseal(0, "A1") == personal


def test_nothing_of_a_name_can_be_seen_in_its_row_or_its_commitment(safe: SqlVault) -> None:
    commitments, rows = safe.seal(0, "A1", PERSONAL)
    seen = b"".join(row[3] for row in rows) + "".join(commitments.values()).encode()
    for value in PERSONAL.values():
        assert value.encode() not in seen
        assert hashlib.sha256(value.encode()).hexdigest().encode() not in seen


def test_the_same_name_is_sealed_and_committed_anew_for_each_customer(safe: SqlVault) -> None:
    one, one_rows = safe.seal(0, "A1", PERSONAL)
    other, other_rows = safe.seal(0, "A2", PERSONAL)
    assert not set(one.values()) & set(other.values())
    assert not {row[3] for row in one_rows} & {row[3] for row in other_rows}


def test_a_commitment_is_the_hash_of_the_sealed_salt_and_the_value(
    engine: Engine, key_file: Path
) -> None:
    drawn: list[bytes] = []

    def entropy(size: int) -> bytes:
        drawn.append(os.urandom(size))
        return drawn[-1]

    make_master_key(key_file, os.urandom)
    commitments, _ = SqlVault(engine, key_file, entropy).seal(0, "A1", {"name": "张三"})
    chance = drawn[0]
    salts = [chance[at : at + 16] for at in range(len(chance) - 15)]
    assert commitments["name"] in {commitment(salt, "张三") for salt in salts}
    assert commitments["name"] in {
        hashlib.sha256(salt + "张三".encode()).hexdigest() for salt in salts
    }


def test_without_personal_data_there_is_nothing_to_keep_and_no_key_is_needed(
    engine: Engine, key_file: Path
) -> None:
    assert SqlVault(engine, key_file, os.urandom).seal(0, "A1", {}) == ({}, [])


@pytest.mark.parametrize("moved_to", ["account", "field", "version"])
def test_a_sealed_value_opens_only_where_it_was_put(
    engine: Engine, safe: SqlVault, moved_to: str
) -> None:
    rows = safe.seal(0, "A1", PERSONAL)[1]
    others = {field: sealed for _, _, field, sealed in safe.seal(0, "A2", PERSONAL)[1]}
    mine = {field: sealed for _, _, field, sealed in rows}
    forged = {
        "account": others["name"],
        "field": mine["phone"],
        "version": (2).to_bytes(4) + mine["name"][4:],
    }[moved_to]
    keep(engine, [row for row in rows if row[2] != "name"] + [(0, "A1", "name", forged)])
    with pytest.raises(VaultKeyError, match="sealed name of account A1 does not open"):
        safe.unseal(0, "A1")


def test_a_changed_byte_is_noticed(engine: Engine, safe: SqlVault) -> None:
    rows = safe.seal(0, "A1", {"name": "Zhang San"})[1]
    keep(engine, rows)
    sealed = bytearray(rows[-1][3])
    sealed[-1] ^= 1
    with engine.begin() as connection:
        where = vault.c.field == "name"
        connection.execute(update(vault).where(where).values(sealed=bytes(sealed)))
    with pytest.raises(VaultKeyError, match="altered"):
        safe.unseal(0, "A1")


def test_a_customer_whose_key_was_deleted_is_forgotten(engine: Engine, safe: SqlVault) -> None:
    keep(engine, safe.seal(0, "A1", PERSONAL)[1])
    with engine.begin() as connection:
        connection.execute(delete(vault).where(vault.c.field == KEY))
        assert connection.scalar(select(vault.c.sealed).where(vault.c.field == "name"))
    assert safe.unseal(0, "A1") == {}


def test_the_master_key_is_for_its_owner_alone_and_never_replaced(key_file: Path) -> None:
    assert make_master_key(key_file, os.urandom)
    key = read_master_key(key_file)
    assert len(key) == 32
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert not make_master_key(key_file, os.urandom)
    assert read_master_key(key_file) == key
    assert list(key_file.parent.iterdir()) == [key_file]


def test_a_lost_key_beside_sealed_data_is_told_and_not_made_anew(
    engine: Engine, safe: SqlVault, key_file: Path
) -> None:
    keep(engine, safe.seal(0, "A1", PERSONAL)[1])
    key_file.unlink()
    other = SqlVault(engine, key_file, os.urandom)
    for attempt in (
        other.prepare,
        lambda: other.unseal(0, "A1"),
        lambda: other.seal(0, "A", PERSONAL),
    ):
        with pytest.raises(VaultKeyError, match=r"vault\.key is missing"):
            attempt()
    assert not key_file.exists()


def test_another_key_does_not_open_what_this_one_sealed(
    engine: Engine, safe: SqlVault, key_file: Path
) -> None:
    keep(engine, safe.seal(0, "A1", PERSONAL)[1])
    key_file.unlink()
    make_master_key(key_file, os.urandom)
    with pytest.raises(VaultKeyError, match="not the one that sealed it"):
        SqlVault(engine, key_file, os.urandom).unseal(0, "A1")


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31, "ab" * 33])
def test_a_file_that_holds_no_key_is_told(key_file: Path, content: str) -> None:
    key_file.parent.mkdir()
    key_file.write_text(content)
    with pytest.raises(VaultKeyError, match="does not hold a key"):
        read_master_key(key_file)
