"""Where a service point stands in its tariff, and what a line of a charge is."""

from typing import Final, NamedTuple

import msgspec

CLOSED_WINDOW: Final = "closed_window"
"""Code of an interval that begins before the open window."""
SOLD_IN_UNITS: Final = "sold_in_units"
"""Code of an interval of a tariff that sells units: what a meter counts is paid already."""


class Position(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a service point stands in its tariff: all that rating needs to know of the past.

    Days are local day ordinals (`date.toordinal`). Quantities are in Wh or litres over `den`,
    accruals in units of 10⁻¹¹ of the major currency unit over `den`, posted amounts in minor units.
    """

    version: int
    """Index of the tariff version that rated the last interval."""
    window_from: int
    """First day of the window whose quantity `used` counts."""
    window_to: int
    """First day after that window."""
    in_service_from: int
    """Day on which the supply began: bounds of its first window are prorated by it."""
    used: int
    accrued: tuple[int, ...]
    """Exact accrual of each line in its window."""
    posted: tuple[int, ...]
    """What was charged of it: the accrual, rounded."""
    fixed_through: int
    """Days before this one have borne their fixed charges."""
    den: int = 1
    """Above 1 only after an interval was split at a border that left no whole unit on each side."""
    season: int = 0
    """Which terms of the version hold: 0 the year round, else the season's number."""
    months_through: int = 0
    """Calendar months (year × 12 + month − 1) before this one have borne their monthly charges."""
    fixed_window: tuple[int, ...] = ()
    """Version and window of the fixed lines while a silent meter keeps its consumption behind."""
    limits: tuple[int, ...] = ()
    """Tier bounds in force over `limits_den`, where a household has others than everyone."""
    limits_den: int = 1
    """0 where the household has one price instead of tiers."""
    used_by: tuple[int, ...] = ()
    """Quantity of each register, where each has the tiers for itself; over `den`."""
    peaks: tuple[tuple[int, int, int], ...] = ()
    """(register, month, W): the highest powers that a demand charge may still ask for."""
    ahead_us: int = 0
    """Up to when others that share the tiers are counted, where that is later than the fact."""
    fixed_gaps: tuple[tuple[int, int], ...] = ()
    """Days before `fixed_through` that bore nothing yet: first of them, and first after them."""
    month_gaps: tuple[tuple[int, int], ...] = ()
    """The same of months before `months_through`; none without days in `fixed_gaps`."""
    bill_goes_on: bool = False
    """The last interval ended with a meter, not with a bill: the next one is of the same bill."""
    bills: tuple[int, ...] = ()
    """When bills of meters side by side ended, as far as one of them may still count over it."""


class Line(NamedTuple):
    """One line of every charge: what it is booked as, and the VAT inside it."""

    id: str
    gl: str
    vat_rate: tuple[int, int]
    """Tax by net price as a ratio, (0, 1) when none: vat = half_up(gross × num / (den + num))."""


class NotRateable(ValueError):  # noqa: N818 - a refusal, named as one
    """The interval cannot be rated; `code` says why in one stable word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
