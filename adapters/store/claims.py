"""The table of claims: what is unique in the whole ledger, whichever shard asks."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from adapters.store.statements import Statement
from ledger.ports import Claim, ClaimKey, StoredClaim
from ledger.values import claim_shard

# OFFSET 0 and CROSS keep the planners at the few keys: they would rather read the whole table.
_FIND: Final = Statement(
    postgresql="""SELECT c.* FROM json_populate_recordset(NULL::claims, %(keys)s) w
CROSS JOIN LATERAL (SELECT kind, key, fingerprint, owner, answer FROM claims
WHERE shard = w.shard AND kind = w.kind AND key = w.key OFFSET 0) c""",
    sqlite="""SELECT c.kind, c.key, c.fingerprint, c.owner, c.answer FROM json_each(:keys) w
CROSS JOIN claims c ON c.shard = json_extract(w.value, '$.shard')
AND c.kind = json_extract(w.value, '$.kind') AND c.key = json_extract(w.value, '$.key')""",
)
_TAKE: Final = Statement(
    postgresql="""INSERT INTO claims (shard, kind, key, fingerprint, owner, answer)
SELECT shard, kind, key, fingerprint, owner, answer
FROM json_populate_recordset(NULL::claims, %(taken)s) ON CONFLICT DO NOTHING""",
    sqlite="""INSERT INTO claims (shard, kind, key, fingerprint, owner, answer)
SELECT json_extract(value, '$.shard'), json_extract(value, '$.kind'), json_extract(value, '$.key'),
json_extract(value, '$.fingerprint'), json_extract(value, '$.owner'),
json_extract(value, '$.answer') FROM json_each(:taken) WHERE true ON CONFLICT DO NOTHING""",
)
_RELEASE: Final = Statement(
    postgresql="""DELETE FROM claims
WHERE shard = %(shard)s AND kind = %(kind)s AND key = %(key)s""",
    sqlite="DELETE FROM claims WHERE shard = :shard AND kind = :kind AND key = :key",
)


def find_claims(
    connection: Connection, keys: Sequence[ClaimKey], shards: int
) -> dict[ClaimKey, StoredClaim]:
    """Those that stand."""
    wanted = [_place(kind, key, shards) for kind, key in keys]
    return {
        (kind, key): StoredClaim(fingerprint, owner, answer.encode())
        for kind, key, fingerprint, owner, answer in _FIND.rows(connection, keys=wanted)
    }


def take_claims(connection: Connection, taken: Sequence[tuple[Claim, bytes]], shards: int) -> bool:
    """Take claims with their answers; False when another transaction was first."""
    values = [
        {
            **_place(claim.kind, claim.key, shards),
            "fingerprint": claim.fingerprint,
            "owner": claim.owner,
            "answer": answer.decode(),
        }
        for claim, answer in taken
    ]
    # In one order for everybody: two that wait for each other would be a deadlock.
    values.sort(key=_in_order)
    return _TAKE.run(connection, taken=values).rowcount == len(values)


def release_claims(connection: Connection, keys: Sequence[ClaimKey], shards: int) -> None:
    """Give up claims, so that the keys may be claimed again."""
    for place in sorted((_place(*key, shards) for key in keys), key=_in_order):
        _RELEASE.run(connection, **place)


Place = dict[str, int | str]


def _place(kind: str, key: str, shards: int) -> Place:
    """Where a claim lies."""
    return {"shard": claim_shard(kind, key, shards), "kind": kind, "key": key}


def _in_order(place: Place) -> tuple[int | str, ...]:
    return place["shard"], place["kind"], place["key"]
