"""Every window of the summary block tells the same of energy, relay, mode and clock."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.devices.acrel_block import ADDRESS, MODEL_CODES, WORDS, AcrelBlock
from adapters.devices.acrel_modbus import MODELS, POLL_STARTS, VERIFY_STARTS
from adapters.devices.register_map import load_map
from ledger.devices import MeterState

ZONE = ZoneInfo("Asia/Shanghai")
BLOCKS = {model: AcrelBlock(model, ZONE) for model in MODELS}
NOW_US = 1_790_568_000_000_000

words = st.lists(st.integers(0, 0xFFFF), min_size=WORDS, max_size=WORDS)


def block(**words: int) -> list[int]:
    shown = dict.fromkeys(range(WORDS), 0) | {0: MODEL_CODES["DTSY1352"]}
    shown |= {int(name.removeprefix("at_"), 16) - ADDRESS: word for name, word in words.items()}
    return [shown[at] for at in range(WORDS)]


def state(model: str, **words: int) -> MeterState:
    return BLOCKS[model].state(ADDRESS, block(**words), NOW_US)


def test_no_two_windows_have_the_same_length() -> None:
    starts = [*POLL_STARTS, *VERIFY_STARTS]
    assert len(set(starts)) == len(starts)
    energy = load_map("DDSY1352").field("energy_total").address
    assert ADDRESS == min(starts) < max(starts) < energy


@given(st.sampled_from(MODELS), st.sampled_from([*POLL_STARTS, *VERIFY_STARTS]), words)
def test_a_window_tells_what_the_whole_block_tells(
    model: str, start: int, shown: list[int]
) -> None:
    whole = BLOCKS[model].state(ADDRESS, shown, NOW_US)
    part = BLOCKS[model].state(start, shown[start - ADDRESS :], NOW_US)
    told = ("registers", "relay", "mode", "own_prepayment", "balance_minor", "purchase_count")
    for name in (*told, "clock_skew_s"):
        assert getattr(part, name) == getattr(whole, name)
    assert part.values.items() <= whole.values.items()
    assert part.raw.items() <= whole.raw.items()
    assert set(part.flags) | {"other_model"} == set(whole.flags) | {"other_model"}


@pytest.mark.parametrize(
    ("status", "relay"), [(0xE000, "closed"), (0x0000, "open"), (0x2000, "unknown")]
)
def test_a_three_phase_meter_is_closed_only_on_all_phases(status: int, relay: str) -> None:
    shown = state("DTSY1352", at_0224=status)
    assert shown.relay == relay
    assert ("phases_differ" in shown.flags) == (relay == "unknown")


def test_a_circuit_of_a_box_says_itself_how_many_phases_it_has() -> None:
    assert state("ADF300L", at_0224=0x2000, at_022F=1).relay == "closed"
    assert state("ADF300L", at_0224=0x2000, at_022F=0).relay == "unknown"


@pytest.mark.parametrize(
    ("status", "mode"), [(0x0F, "forced_closed"), (0x08, "forced_open"), (0x07, "auto")]
)
def test_a_mode_is_forced_only_while_force_is_on(status: int, mode: str) -> None:
    assert state("DTSY1352", at_0224=status).mode == mode


def test_a_clock_that_runs_ahead_is_told_in_seconds() -> None:
    ahead = state("DDSY1352", at_0228=26 << 8 | 9, at_0229=28 << 8, at_022A=12 << 8 | 1)
    assert ahead.clock_skew_s == 60
