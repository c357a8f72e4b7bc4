"""Bills (账单) that go on: a billing period without a told day ends with a reading, not a meter."""

import msgspec

from ledger.pricing.compiled import CompiledTariff
from ledger.pricing.position import Position


def after_meter(tariff: CompiledTariff, position: Position) -> Position:
    """Where the next meter of the same supply goes on from."""
    if not tariff.versions[position.version].is_billed:
        return position
    return msgspec.structs.replace(position, bill_goes_on=True)
