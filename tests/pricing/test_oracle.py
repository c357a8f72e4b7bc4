from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ledger.pricing import compile_tariff
from ledger.values import instant, local_us
from tests.pricing.oracle import Reckoning
from tests.pricing.strategies import STARTS, documents, readings


@settings(max_examples=25, deadline=None)  # Slow, because it is simple.
@given(st.data())
def test_a_second_reckoning_day_by_day_comes_to_the_same_money(data: st.DataObject) -> None:
    document: dict[str, Any] = data.draw(documents(by_days=True))
    tariff = compile_tariff(document)
    at_us = data.draw(STARTS)
    position, charged = tariff.start(at_us), dict.fromkeys((line.id for line in tariff.lines), 0)
    clock = [instant(local_us(tariff.timezone, at_us)).replace(tzinfo=None)]
    reckoning = Reckoning(document, clock[0].date())
    for step_us, quantities in data.draw(readings(len(tariff.registers))):
        assume(step_us)
        position, amounts = tariff.rate(position, at_us, at_us + step_us, quantities)
        at_us += step_us
        clock.append(instant(local_us(tariff.timezone, at_us)).replace(tzinfo=None))
        assume(clock[-1] > clock[-2])
        passed = dict(zip(tariff.registers, quantities, strict=True))
        reckoning.add(clock[-2], clock[-1], passed)
        for line, amount in zip(tariff.lines, amounts, strict=True):
            charged[line.id] += amount
    totals = reckoning.totals_minor()
    assert charged == {line: totals.get(line, 0) for line in charged}
