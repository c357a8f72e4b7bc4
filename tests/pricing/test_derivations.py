"""The derivation of every kind: what it prints can be reckoned again by anyone."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pricing import Position, compile_tariff, explain, lint
from tests.pricing.printed import amounts_minor
from tests.pricing.rich import contexts, rich_documents
from tests.pricing.strategies import STARTS, readings


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_printed_arithmetic_comes_to_the_amounts(data: st.DataObject) -> None:
    document: dict[str, Any] = data.draw(rich_documents())
    assert lint(document) == []
    tariff = compile_tariff(document)
    at_us = data.draw(STARTS)
    context = data.draw(contexts(tariff.timezone, at_us))
    position = tariff.start(at_us)
    for step_us, quantities in data.draw(readings(len(tariff.registers))):
        rated = tariff.derive(position, at_us, at_us + step_us, quantities, context)
        assert tariff.rate(position, at_us, at_us + step_us, quantities, context) == rated[:2]
        lines = [line.id for line in tariff.lines]
        by_line = dict.fromkeys(lines, 0) | amounts_minor(explain(tariff, rated[2]))
        assert tuple(by_line[line] for line in lines) == rated[1]
        assert msgspec.json.decode(msgspec.json.encode(rated[0]), type=Position) == rated[0]
        position, at_us = rated[0], at_us + step_us
