"""Printed derivations reckoned again, by no code of the engine."""

import ast
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tests.pricing.oracle import rounded_minor

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


def money(text: str, digits: int = 2) -> int:
    """Minor units of an amount as it is printed."""
    amount: Fraction = Fraction(text) * 10**digits
    assert amount.denominator == 1
    return amount.numerator


def rounded(exact: str, ladder: str, digits: int = 2) -> int:
    """Minor units of an exact amount after every step of a printed rounding."""
    amount = Fraction(exact)
    for rounding in ladder.split(", then "):
        mode, quantum = rounding.split()
        amount = Fraction(rounded_minor(amount, {"mode": mode, "quantum": quantum}), 100)
    return money(str(amount), digits)


def amounts_minor(steps: Any, digits: int = 2) -> dict[str, int]:  # noqa: ANN401 - JSON
    """Minor units by line, each from its printed arithmetic and rounding."""
    found: dict[str, int] = {}
    for line in (line for step in steps for line in step["lines"]):
        change = Fraction(line["exact_after"]) - Fraction(line["exact_before"])
        assert reckoned(line["arithmetic"]) == change, line
        after = rounded(line["exact_after"], line["rounding"], digits)
        assert money(line["rounded_after"], digits) == after, line
        amount = after - money(line["rounded_before"], digits)
        assert money(line["amount"], digits) == amount, line
        found[line["id"]] = found.get(line["id"], 0) + amount
    return found
