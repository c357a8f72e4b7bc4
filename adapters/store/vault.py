"""Sealed personal data: a key of its own for each customer, wrapped under one master key.

A row is `version (4 bytes) ‖ nonce (12) ‖ AES-256-GCM ciphertext`, bound to account, field and
version; row `key` holds the customer's wrapped key, every other row `salt (16) ‖ value`. Deleting
row `key` erases the customer: the commitments in the events stay and say nothing.
"""

import binascii
import hashlib
import os
import struct
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, exists, select
from sqlalchemy.exc import DBAPIError

from adapters.store.dialects import by_shard
from adapters.store.tables import vault
from ledger.ports import LogUnavailableError

KEY: Final = "key"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SALT_BYTES: Final = 16
FIELD_BYTES: Final = SALT_BYTES + NONCE_BYTES
"""Of chance for each field, drawn for all at once: a draw costs more than the sealing."""
FIRST_VERSION: Final = 1
_VERSION: Final = struct.Struct(">I")

Entropy = Callable[[int], bytes]
SealedRow = tuple[int, str, str, bytes]


class VaultKeyError(Exception):
    """The master key is missing, unreadable, or not the one that sealed the data."""


def commitment(salt: bytes, value: str) -> str:
    """What an event holds of a value: hex SHA-256 of the sealed salt and the value."""
    return hashlib.sha256(salt + value.encode()).hexdigest()


def make_master_key(path: Path, entropy: Entropy) -> bool:
    """Make the file of the master key, readable by its owner alone; False when it is there."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{entropy(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(entropy(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)  # Unlike a rename, a link never replaces a key that another just made.
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _keep_names(path.parent)
    return True


def _keep_names(folder: Path) -> None:
    """A file outlives a power failure under its name only when its folder was written too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_master_key(path: Path) -> bytes:
    """The master key; a clear error where there is none."""
    try:
        key = binascii.unhexlify(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise VaultKeyError(
            f"The vault key file {path} is missing; names and addresses cannot be read or kept "
            "without it. Put it back from its backup, or set LEDGER_VAULT_KEY_FILE."
        ) from None
    except OSError as error:
        raise VaultKeyError(
            f"The vault key file {path} cannot be read: {error.strerror}."
        ) from error
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultKeyError(f"The vault key file {path} does not hold a key of {KEY_BYTES} bytes.")
    return key


class SqlVault:
    """The vault of one ledger, on the table `vault`; the master key is read when first needed."""

    def __init__(self, engine: Engine, key_file: Path, entropy: Entropy) -> None:
        self._reader = engine.execution_options(read_only=True)
        self._key_file = key_file
        self._entropy = entropy
        self._opened: AESGCM | None = None

    def prepare(self) -> bool:
        """Make the master key where nothing is sealed yet, else see that it is there; True if made.

        A second key beside data that the first one sealed would hide its loss.
        """
        with self._reader.connect() as connection:
            has_sealed = connection.scalar(select(exists().select_from(vault)))
        if has_sealed:
            read_master_key(self._key_file)
            return False
        return make_master_key(self._key_file, self._entropy)

    def seal(
        self, shard: int, account_no: str, personal: dict[str, str]
    ) -> tuple[dict[str, str], list[SealedRow]]:
        """Commitments for the event, and sealed rows to be written with it."""
        if not personal:
            return {}, []
        chance = BytesIO(self._entropy(KEY_BYTES + NONCE_BYTES + len(personal) * FIELD_BYTES))
        own_key = chance.read(KEY_BYTES)
        wrapped = _lock(self._master, account_no, KEY, own_key, chance.read(NONCE_BYTES))
        rows, cipher = [(shard, account_no, KEY, wrapped)], AESGCM(own_key)
        commitments: dict[str, str] = {}
        for field, value in personal.items():
            salt, nonce = chance.read(SALT_BYTES), chance.read(NONCE_BYTES)
            commitments[field] = commitment(salt, value)
            sealed = _lock(cipher, account_no, field, salt + value.encode(), nonce)
            rows.append((shard, account_no, field, sealed))
        return commitments, rows

    def unseal(self, shard: int, account_no: str) -> dict[str, str]:
        """The personal data of an account; empty where there is none or it was erased."""
        return self.unseal_all([(shard, account_no)]).get(account_no, {})

    def unseal_all(self, owners: Sequence[tuple[int, str]]) -> dict[str, dict[str, str]]:
        """The same of several by shard and number, read at once; who has none is left out."""
        found: dict[str, dict[str, str]] = {}
        for account_no, rows in self._rows(owners).items():
            wrapped = rows.pop(KEY, None)
            if wrapped is None:
                continue
            cipher = AESGCM(_unlock(self._master, account_no, KEY, wrapped))
            found[account_no] = {
                field: _unlock(cipher, account_no, field, sealed)[SALT_BYTES:].decode()
                for field, sealed in rows.items()
            }
        return found

    @property
    def _master(self) -> AESGCM:
        if self._opened is None:
            self._opened = AESGCM(read_master_key(self._key_file))
        return self._opened

    def _rows(self, owners: Sequence[tuple[int, str]]) -> dict[str, dict[str, bytes]]:
        statement = select(vault.c.account_no, vault.c.field, vault.c.sealed)
        found: dict[str, dict[str, bytes]] = {}
        try:
            with self._reader.begin() as connection:
                theirs = by_shard(connection, vault.c.shard, vault.c.account_no, owners)
                for row in connection.execute(statement.where(theirs)):
                    found.setdefault(row.account_no, {})[row.field] = bytes(row.sealed)
        except DBAPIError as error:
            raise LogUnavailableError(f"The vault cannot be read now: {error}") from error
        return found


def _lock(cipher: AESGCM, account_no: str, field: str, plain: bytes, nonce: bytes) -> bytes:
    version = _VERSION.pack(FIRST_VERSION)
    return version + nonce + cipher.encrypt(nonce, plain, _bound(account_no, field, version))


def _unlock(cipher: AESGCM, account_no: str, field: str, sealed: bytes) -> bytes:
    version, rest = sealed[: _VERSION.size], sealed[_VERSION.size :]
    try:
        return cipher.decrypt(
            rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound(account_no, field, version)
        )
    except (InvalidTag, ValueError) as error:
        raise VaultKeyError(
            f"The sealed {field} of account {account_no} does not open: it was altered, "
            "or the vault key file is not the one that sealed it."
        ) from error


def _bound(account_no: str, field: str, version: bytes) -> bytes:
    """What a ciphertext belongs to; moved anywhere else it does not open."""
    return b"wattledger/vault\n%b\n%b\n%b" % (account_no.encode(), field.encode(), version)
