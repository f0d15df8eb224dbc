"""Write an expression of Python as LaTeX, so that a formula of the pages can be computed by a test."""

from __future__ import annotations

import ast

GREEK = {"alpha", "pi"}
FUNCTIONS = {"tanh", "log", "cos", "max"}
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a part holds together
SIGNS = {ast.Add: " + ", ast.Sub: " - ", ast.Gt: " > "}


def latex_of(expression: str) -> str:
    """Return an expression as LaTeX. Names of several letters are set upright; f is f(x)."""
    return _written(ast.parse(expression, mode="eval").body, SUM)


def _written(node: ast.expr, least: int) -> str:
    """Return a part, in parentheses where it holds together less tightly than `least`."""
    text, binding = _part(node)
    return text if binding >= least else f"({text})"


def _part(node: ast.expr) -> tuple[str, int]:
    """Return a part as LaTeX, and how tightly it holds together."""
    if isinstance(node, ast.Constant):
        return str(node.value), ATOM
    if isinstance(node, ast.Name):
        return _name(node.id), ATOM
    if isinstance(node, ast.UnaryOp):
        return f"-{_written(node.operand, PRODUCT)}", SUM
    if isinstance(node, ast.IfExp):
        first, second = _written(node.body, SUM), _written(node.orelse, SUM)
        return rf"{first} \text{{ if }} {_part(node.test)[0]} \text{{, else }} {second}", SUM
    if isinstance(node, ast.Compare):
        return f"{_part(node.left)[0]}{SIGNS[type(node.ops[0])]}{_part(node.comparators[0])[0]}", SUM
    if isinstance(node, ast.Call):
        return _call(node), ATOM
    assert isinstance(node, ast.BinOp), ast.dump(node)
    return _binary(node)


def _name(name: str) -> str:
    if name == "f":
        return "f(x)"
    return rf"\{name}" if name in GREEK else name if len(name) == 1 else rf"\text{{{name}}}"


def _call(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Name)
    name, inside = node.func.id, ", ".join(_part(argument)[0] for argument in node.args)
    if name == "exp":
        return f"e^{{{inside}}}"
    if name == "sqrt":
        return rf"\sqrt{{{inside}}}"
    if name == "abs":
        return rf"\lvert {inside} \rvert"
    if name == "floor":
        return rf"\lfloor {inside} \rfloor"
    assert name in FUNCTIONS, name
    return rf"\{name}({inside})"


def _binary(node: ast.BinOp) -> tuple[str, int]:
    kind = type(node.op)
    if kind in SIGNS:
        right = SUM if kind is ast.Add else PRODUCT
        return f"{_written(node.left, SUM)}{SIGNS[kind]}{_written(node.right, right)}", SUM
    if kind is ast.Div:
        return rf"\frac{{{_part(node.left)[0]}}}{{{_part(node.right)[0]}}}", ATOM
    if kind is ast.Pow:
        return f"{_written(node.left, ATOM)}^{{{_part(node.right)[0]}}}", POWER
    assert kind is ast.Mult, kind
    return rf"{_written(node.left, PRODUCT)} \, {_written(node.right, PRODUCT)}", PRODUCT
