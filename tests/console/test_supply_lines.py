"""What is decided about supply is told in words, with times of the clocks on the wall."""

from pathlib import Path

import msgspec

from api.console.language import Language
from api.console.supply_lines import postponed

GOLDEN = Path(__file__).parents[1] / "contracts/golden/account.supply_trip_postponed.v1.json"


def test_a_trip_that_was_put_off_names_the_window_and_its_end() -> None:
    payload = msgspec.json.decode(GOLDEN.read_bytes())
    assert postponed(payload, Language("en", "Asia/Shanghai")) == (
        "Electricity · Normal → Cut off · policy spared v1 · summer · "
        "put off until 2026-09-16 00:00:00"
    )
    payload["held_by"] = ["grace"]
    assert postponed(payload, Language("zh-CN", "Asia/Shanghai")).endswith(
        "宽限期 · 暂缓至 2026-09-16 00:00:00"
    )
