"""The registers of a simulated meter by its map: words out for a read, effects of a write."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

from adapters.devices.park.meter import SimulatedMeter
from adapters.devices.park.showing import counts_of
from adapters.devices.register_map import RegisterField, load_map

ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
GAP_WORDS: Final = 8
"""Registers without a meaning between two that have one read as zero; farther off there is none."""
SECOND_PLACE: Final = re.compile("_[0-9a-f]{4}$")
"""Ends the name of a value that the map has elsewhere too."""
FORCE_ON: Final = 0x0057
FORCE_OPEN: Final = 0x0058


class Place(NamedTuple):
    """Where a word or a bit of a value stands in a block."""

    word: int
    name: str
    shift: int
    """To the right, of a word of a longer value."""
    bit: int
    mask: int


class Layout(NamedTuple):
    """Where a block of registers holds which value."""

    fields: tuple[RegisterField, ...]
    places: tuple[Place, ...]


@cache
def layout(model: str, address: int, words: int) -> Layout | None:
    """The values of a block; None where a register of it does not exist."""
    known = _existing(model)
    if not words or any(each not in known for each in range(address, address + words)):
        return None
    fields = tuple(
        each
        for each in load_map(model).fields
        if each.address < address + words and each.address + each.words > address
    )
    places = [place for field in fields for place in _places(field, address)]
    return Layout(fields, tuple(place for place in places if 0 <= place.word < words))


def _places(field: RegisterField, address: int) -> list[Place]:
    mask = 1 if field.kind == "bit" else 0xFFFF
    plain = SECOND_PLACE.sub("", field.name)
    return [
        Place(field.address + step - address, plain, shift, field.bit, mask)
        for step, shift in enumerate(range(16 * (field.words - 1), -1, -16))
    ]


@cache
def _existing(model: str) -> frozenset[int]:
    known: set[int] = set()
    end = 0
    for field in load_map(model).fields:
        if known and 0 < field.address - end <= GAP_WORDS:
            known.update(range(end, field.address))
        known.update(range(field.address, field.address + field.words))
        end = max(end, field.address + field.words)
    return frozenset(known)


def read(meter: SimulatedMeter, address: int, words: int) -> list[int] | int:
    """The words of a block, or the exception code of a read that cannot be answered."""
    placed = layout(meter.model, address, words)
    if placed is None:
        return ILLEGAL_ADDRESS
    counts = counts_of(meter, meter.glance())
    block = [0] * words
    for word, name, shift, bit, mask in placed.places:
        if name in counts:
            block[word] |= (counts[name] >> shift & mask) << bit
    for written, word in meter.written.items():
        if address <= written < address + words:
            block[written - address] = word
    return block


def write(meter: SimulatedMeter, address: int, words: Sequence[int]) -> int:
    """Write holding registers (function 0x10); 0, or the exception code of the refusal."""
    if not words or not {*range(address, address + len(words))} <= _writable(meter.model):
        return ILLEGAL_ADDRESS
    given = dict(enumerate(words, address))
    if any(given.get(each, 0) > 1 for each in (FORCE_ON, FORCE_OPEN)):
        return ILLEGAL_VALUE
    if FORCE_ON in given or FORCE_OPEN in given:
        seen = meter.glance()
        meter.force(
            is_on=bool(given.pop(FORCE_ON, seen.is_forced)),
            is_open=bool(given.pop(FORCE_OPEN, seen.is_forced_open)),
        )
    meter.written.update(given)
    return 0


def write_private(meter: SimulatedMeter, address: int, words: Sequence[int]) -> int:
    """Write the prepaid page (function 0x20): a purchase overwrites what it names as a whole.

    The frame is taken to be that of 0x10, and the addresses those of the page as it is read; what
    a real meter takes is not in any public text.
    """
    placed = layout(meter.model, address, len(words))
    if placed is None or not load_map(meter.model).has("balance_0414"):
        return ILLEGAL_ADDRESS
    own, after = meter.own, replace(meter.own)
    counts = {
        field.name: field.decode(words[field.address - address :])
        for field in placed.fields
        if field.address >= address and field.address + field.words <= address + len(words)
    }
    if counts.get("purchase_count_0401", own.purchase_count + 1) < own.purchase_count:
        return ILLEGAL_VALUE
    after.is_on = bool(counts.get("prepaid_on", own.is_on))
    after.purchase_count = counts.get("purchase_count_0401", own.purchase_count)
    after.total_purchased_minor = counts.get("total_purchased", own.total_purchased_minor)
    after.credit_minor = counts.get("overdraft", own.credit_minor)
    if "balance_0414" in counts:
        after.write_balance(counts["balance_0414"])
    meter.prepay(after)
    return 0


@cache
def _writable(model: str) -> frozenset[int]:
    return frozenset(
        address
        for field in load_map(model).fields
        if field.is_writable
        for address in range(field.address, field.address + field.words)
    )
