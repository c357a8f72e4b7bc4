"""The derivation of every kind: what it prints can be reckoned again by anyone."""

import ast
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.pricing import Position, compile_tariff, explain, lint
from tests.pricing.oracle import rounded_minor
from tests.pricing.rich import contexts, rich_documents
from tests.pricing.strategies import STARTS, readings

OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def reckoned(arithmetic: str) -> Fraction:
    """The value of printed arithmetic, by no code of the engine."""
    tree = ast.parse(arithmetic.replace("×", "*").replace("−", "-"), mode="eval")
    return _value(tree.body, arithmetic.replace("×", "*").replace("−", "-"))


def _value(node: ast.AST, text: str) -> Fraction:
    match node:
        case ast.Constant():
            segment = ast.get_source_segment(text, node)
            assert segment is not None
            return Fraction(segment)
        case ast.UnaryOp(operand=operand):
            return -_value(operand, text)
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATIONS[type(op)](_value(left, text), _value(right, text))
        case ast.Call(func=ast.Name(id=name), args=args):
            values = [_value(arg, text) for arg in args]
            return max(values) if name == "max" else min(values)
        case _:
            pass
    raise AssertionError(f"{ast.dump(node)} is no arithmetic")


def money(text: str) -> int:
    return int(Fraction(text) * 100)


def rounded(exact: str, ladder: str) -> int:
    amount = Fraction(exact)
    for rounding in ladder.split(", then "):
        mode, quantum = rounding.split()
        amount = Fraction(rounded_minor(amount, {"mode": mode, "quantum": quantum}), 100)
    return int(amount * 100)


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
        explained: Any = explain(tariff, rated[2])
        by_line = dict.fromkeys((line.id for line in tariff.lines), 0)
        for step in explained:
            for line in step["lines"]:
                change = Fraction(line["exact_after"]) - Fraction(line["exact_before"])
                assert reckoned(line["arithmetic"]) == change
                assert money(line["rounded_after"]) == rounded(
                    line["exact_after"], line["rounding"]
                )
                amount = money(line["rounded_after"]) - money(line["rounded_before"])
                assert money(line["amount"]) == amount
                by_line[line["id"]] += amount
        assert tuple(by_line.values()) == rated[1]
        assert msgspec.json.decode(msgspec.json.encode(rated[0]), type=Position) == rated[0]
        position, at_us = rated[0], at_us + step_us
