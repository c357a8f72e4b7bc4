"""What the summary registers of Acrel's prepaid meters say, by the register map of a model."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adapters.devices.register_map import RegisterField, RegisterMap, load_map
from ledger.devices import MeterState, Mode, Relay

ADDRESS: Final = 0x0200
WORDS: Final = 48
"""Energy, electrical values, balance, status and clock in one read (function 03)."""
ENERGIES: Final = {
    "total": "energy_total",
    "sharp": "energy_sharp",
    "peak": "energy_peak",
    "flat": "energy_flat",
    "valley": "energy_valley",
}
"""Registers of a reading by the names of the map."""
FLAGS: Final = (
    "fault",
    "over_limit",
    "arrears",
    "alarm1_reached",
    "alarm2_reached",
    "load_control",
    "time_control",
)
MODEL_CODES: Final = {"DDSY1352": 7, "DTSY1352": 5, "ADF300L": 10}
MILLI_PER_MINOR: Final = 10
"""Thousandths of a yuan in a fen."""
PHASES: Final = ("l1", "l2", "l3")
SINGLE_PHASE: Final = 1
CLOCK: Final = (
    "clock_year_month",
    "clock_day_weekday",
    "clock_hour_minute",
    "clock_second_demand_high",
)
CENTURY: Final = 2000
US: Final = 1_000_000
NO_QUANTITIES: Final = frozenset({"model_code", "purchase_count", *ENERGIES.values(), "balance"})


class _Status(NamedTuple):
    """The two status words as one number: status 1 above, status 2 below."""

    bits: int
    needed: int
    """Phases that the meter switches, L1 lowest."""

    def phases(self, masks: Sequence[int]) -> int:
        """The switched phases whose bit is set."""
        return sum(1 << phase for phase, mask in enumerate(masks) if self.bits & mask) & self.needed

    def relay(self, masks: Sequence[int]) -> Relay:
        """Open or closed; unknown where the phases differ."""
        closed = self.phases(masks)
        if closed == self.needed:
            return "closed"
        return "unknown" if closed else "open"


class AcrelBlock:
    """Reads any window of the summary block that begins behind its first word and ends with it."""

    def __init__(self, model: str, timezone: ZoneInfo) -> None:
        fields = load_map(model)
        self.map = fields
        self._model = model
        self._timezone = timezone
        self._quantities = [each for each in fields.within(ADDRESS, WORDS) if _is_quantity(each)]
        self._energies = {name: fields.field(key) for name, key in ENERGIES.items()}
        self._flags = {name: _mask(fields, name) for name in FLAGS}
        self._relays = [_mask(fields, f"relay_{phase}_closed") for phase in PHASES]
        self._forced = [_mask(fields, f"forced_{phase}_closed") for phase in PHASES]
        self._forced_mode = _mask(fields, "forced_mode")
        self._prepaid_mode = _mask(fields, "prepaid_mode")

    def state(self, address: int, words: Sequence[int], at_us: int) -> MeterState:
        """The meter as a window of its summary block shows it; `at_us` is when it arrived."""
        status = self._status(address, words)
        flags = [name for name, mask in self._flags.items() if status.bits & mask]
        if address == ADDRESS and words[0] != MODEL_CODES[self._model]:
            flags.append("other_model")
        relay = status.relay(self._relays)
        if relay == "unknown":
            flags.append("phases_differ")
        return MeterState(
            at_us=at_us,
            registers={
                name: each.milli(_count(each, address, words))
                for name, each in self._energies.items()
            },
            relay=relay,
            mode=self._mode(status),
            own_prepayment=bool(status.bits & self._prepaid_mode),
            balance_minor=self._count("balance", address, words, milli=True) // MILLI_PER_MINOR,
            purchase_count=self._count("purchase_count", address, words),
            clock_skew_s=self._skew(address, words, at_us),
            values={
                each.name: each.milli(_count(each, address, words))
                for each in self._quantities
                if each.address >= address
            },
            flags=tuple(flags),
            raw=dict(enumerate(words, address)),
        )

    def _status(self, address: int, words: Sequence[int]) -> _Status:
        bits = self._count("status1", address, words) << 16 | self._count("status2", address, words)
        is_single = self._model == "DDSY1352" or (
            self._model == "ADF300L"
            and self._count("box_type", address, words) & 0xFF == SINGLE_PHASE
        )
        return _Status(bits, 0b001 if is_single else 0b111)

    def _mode(self, status: _Status) -> Mode:
        if not status.bits & self._forced_mode:
            return "auto"
        forced = status.phases(self._forced)
        if forced == status.needed:
            return "forced_closed"
        return "unknown" if forced else "forced_open"

    def _count(self, name: str, address: int, words: Sequence[int], *, milli: bool = False) -> int:
        each = self.map.field(name)
        count = _count(each, address, words)
        return each.milli(count) if milli else count

    def _skew(self, address: int, words: Sequence[int], at_us: int) -> int | None:
        """Seconds that the meter's clock is ahead; None where it shows no date."""
        year_month, day_weekday, hour_minute, second = (
            self._count(name, address, words) for name in CLOCK
        )
        try:
            shown = datetime(
                CENTURY + (year_month >> 8),
                year_month & 0xFF,
                day_weekday >> 8,
                hour_minute >> 8,
                hour_minute & 0xFF,
                second >> 8,
                tzinfo=self._timezone,
            )
        except ValueError:
            return None
        return int(shown.timestamp()) - at_us // US


def _is_quantity(each: RegisterField) -> bool:
    return each.milli_per_count is not None and each.name not in NO_QUANTITIES


def _count(each: RegisterField, address: int, words: Sequence[int]) -> int:
    at = each.address - address
    return each.decode(words[at : at + each.words])


def _mask(fields: RegisterMap, name: str) -> int:
    """The place of a bit in the number that both status words make."""
    each = fields.field(name)
    return 1 << each.bit + (16 if each.address == fields.field("status1").address else 0)
