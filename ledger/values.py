"""Identities, shards and local time: the small exact values every other module speaks in."""

import hashlib
import re
import uuid
import zlib
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

NAMESPACE: Final = uuid.UUID("6f4dc35c-7c3c-5b0e-9a53-1f0c9a1d7a10")
"""The UUIDv5 namespace of every stream id; fixed for ever."""

_NAMESPACE: Final = NAMESPACE.bytes
_UUID_KEPT: Final = (1 << 128) - 1 - (0xF << 76) - (0x3 << 62)
_UUID_FIVE: Final = (5 << 76) + (2 << 62)
"""Version and variant of an id by name, and the bits that they leave."""

MICROS_PER_SECOND: Final = 1_000_000
MICROS_PER_DAY: Final = 86_400 * MICROS_PER_SECOND
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()
_OFFSET_STEP_US: Final = 900 * MICROS_PER_SECOND  # Zones shift on quarter hours only.
_OFFSETS_MAX: Final = 200_000
_UNSTORABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters, and the surrogates that UTF-8 cannot hold."""

_offsets: dict[str, dict[int, int]] = {}
_leaps: dict[int, dict[str, int]] = {}
"""Offsets at the very instants at which the clocks of a zone leap over midnight."""


def stream_id(kind: str, natural_id: str) -> str:
    """Canonical UUIDv5 text of the stream `kind/natural_id`."""
    # The same as `uuid.uuid5`, at a third of its cost: every command names three streams.
    hashed = hashlib.sha1(_NAMESPACE + f"{kind}/{natural_id}".encode(), usedforsecurity=False)
    number = int.from_bytes(hashed.digest()[:16], "big") & _UUID_KEPT | _UUID_FIVE
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def storable(text: str) -> str:
    """The text as any database holds it: what some refuse is written out, as the NUL is `u0000`."""
    if text.isprintable():
        return text
    return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shard_of(account_no: str, shards: int) -> int:
    """Shard that holds everything of an account."""
    return zlib.crc32(account_no.encode()) % shards


def claim_shard(kind: str, key: str, shards: int) -> int:
    """Shard of a claim: by the claimed key, so that one key has one home."""
    return zlib.crc32(f"{kind}{key}".encode()) % shards


def local_us(timezone: str, at_us: int) -> int:
    """Wall-clock microseconds since 1970-01-01 00:00 local, for UTC microseconds `at_us`.

    The instant at which clocks leap over midnight is that midnight: it ends the day before.
    """
    step, within = divmod(at_us, _OFFSET_STEP_US)
    zone = _offsets.get(timezone)
    if zone is None:
        zone = _offsets.setdefault(timezone, {})
    offset = zone.get(step)
    if offset is None:
        if len(zone) >= _OFFSETS_MAX:
            zone.clear()
        offset = zone[step] = _step_offset_us(timezone, step * _OFFSET_STEP_US)
    if not within and at_us in _leaps:
        offset = _leaps[at_us].get(timezone, offset)
    return at_us + offset


def clock_us(timezone: str, at_us: int) -> int:
    """As `local_us`, but what the hands show: behind the leap where they leap over midnight."""
    return local_us(timezone, at_us + 1) - 1


def _step_offset_us(timezone: str, at_us: int) -> int:
    """Offset from the beginning of a step on; what held until then is kept where midnight was."""
    offset, before = _offset_us(timezone, at_us), _offset_us(timezone, at_us - 1)
    is_midnight = not (at_us + before) % MICROS_PER_DAY
    if before < offset and is_midnight and (at_us + offset) % MICROS_PER_DAY:
        _leaps.setdefault(at_us, {})[timezone] = before
    return offset


def _offset_us(timezone: str, at_us: int) -> int:
    offset = instant(at_us).astimezone(ZoneInfo(timezone)).utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)


def local_day(timezone: str, at_us: int) -> int:
    """Day ordinal (`date.toordinal`) on which `at_us` falls in the zone."""
    return EPOCH_DAY + local_us(timezone, at_us) // MICROS_PER_DAY


def closing_day(timezone: str, at_us: int) -> int:
    """Day ordinal that a reading at `at_us` belongs to: local midnight closes the day before."""
    return EPOCH_DAY + (local_us(timezone, at_us) - 1) // MICROS_PER_DAY


def instant(at_us: int) -> datetime:
    """UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def micros(at: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime."""
    return (at - EPOCH) // timedelta(microseconds=1)


def rfc3339(at_us: int) -> str:
    """RFC 3339 text in UTC, to the microsecond only where there is a fraction."""
    return instant(at_us).isoformat().replace("+00:00", "Z")
