"""The table of claims: what is unique in the whole ledger, whichever shard asks."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from adapters.store.dialects import any_of, insert_into
from adapters.store.tables import claims
from ledger.ports import Claim, ClaimKey, StoredClaim
from ledger.values import claim_shard

IN_MAX = 5_000


def find_claims(
    connection: Connection, keys: Sequence[ClaimKey], shards: int
) -> dict[ClaimKey, StoredClaim]:
    """Those that stand."""
    homes: dict[tuple[int, str], list[str]] = {}
    for kind, key in keys:
        homes.setdefault((claim_shard(kind, key, shards), kind), []).append(key)
    found: dict[ClaimKey, StoredClaim] = {}
    for (shard, kind), wanted in homes.items():
        for start in range(0, len(wanted), IN_MAX):
            among = any_of(connection, claims.c.key, wanted[start : start + IN_MAX])
            rows = connection.execute(
                select(claims).where(claims.c.shard == shard, claims.c.kind == kind, among)
            )
            for row in rows:
                answer = row.answer.encode()
                found[kind, row.key] = StoredClaim(row.fingerprint, row.owner, answer)
    return found


def take_claims(connection: Connection, taken: Sequence[tuple[Claim, bytes]], shards: int) -> bool:
    """Take claims with their answers; False when another transaction was first."""
    values = [
        {
            "shard": claim_shard(claim.kind, claim.key, shards),
            **claim._asdict(),
            "answer": answer.decode(),
        }
        for claim, answer in taken
    ]
    # In one order for everybody: two that wait for each other would be a deadlock.
    values.sort(key=lambda value: (value["shard"], value["kind"], value["key"]))
    statement = insert_into(connection, claims).on_conflict_do_nothing().returning(claims.c.key)
    return len(connection.execute(statement, values).all()) == len(values)


def release_claims(connection: Connection, keys: Sequence[ClaimKey], shards: int) -> None:
    """Give up claims, so that the keys may be claimed again."""
    for shard, kind, key in sorted((claim_shard(*key, shards), *key) for key in keys):
        connection.execute(
            delete(claims).where(
                claims.c.shard == shard, claims.c.kind == kind, claims.c.key == key
            )
        )
