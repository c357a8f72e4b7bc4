"""A large park costs little: to start, to keep, and while nobody asks."""

import json
import subprocess
import sys

from adapters.devices.park import Park, ParkClock
from tests.adapters.devices.park.conftest import HandTime
from tests.harness.terminal import ROOT

LARGE = """
import gc, json, time
from pathlib import Path
from adapters.devices.park import Park, ParkClock, running

def rss_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

gc.collect()
before_mb, began_s = rss_mb(), time.process_time()
park = Park(ParkClock(0)).fill(50, 5_000)
with running(park):
    started_s = time.process_time() - began_s
    idle_since_s = time.process_time()
    time.sleep(1)
    idle_s = time.process_time() - idle_since_s
    extra_mb = rss_mb() - before_mb
    print(json.dumps({"started_s": started_s, "idle_s": idle_s, "extra_mb": extra_mb}))
"""


def test_five_thousand_meters_start_at_once_and_cost_little() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LARGE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    cost = json.loads(done.stdout)
    assert cost["started_s"] < 2
    assert cost["extra_mb"] < 60
    assert cost["idle_s"] < 0.05


def test_meters_are_spread_evenly_over_gateways(time: HandTime) -> None:
    park = Park(ParkClock(0, monotonic_ns=time)).fill(7, 100)
    sizes = [len(gateway.units) for gateway in park.gateways]
    assert sum(sizes) == len(park) == 100
    assert max(sizes) - min(sizes) <= 1


def test_a_park_is_the_same_for_the_same_seed(time: HandTime) -> None:
    clock = ParkClock(0, monotonic_ns=time)
    one, same, other = (Park(clock, seed=seed).fill(2, 20) for seed in (1, 1, 2))
    time.go(hours=30)
    assert [meter.registers_wh() for meter in one] == [meter.registers_wh() for meter in same]
    assert [meter.registers_wh() for meter in one] != [meter.registers_wh() for meter in other]
