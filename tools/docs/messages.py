"""Collect the messages of the errors that the code raises, as templates: "expected {} labels, found {}".

These strings count: the first argument of an error of the project or of a ValueError, wherever it is made, and that
of a parser's `error`; strings that a function of faults returns (`FUNCTIONS`); and any text of a message's form
("expected ..., found ...") that reaches an error by way of a variable.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACEHOLDER = "{}"  # what an f-string puts in
# Errors that no user sees, and Python's own that stand for mistakes of a caller.
NO_MESSAGES = re.compile(
    r"NotImplemented|Assertion|Attribute|Key|Type|Index|Import|Module|Runtime|ArgumentType|OS|check"
)
FORM = re.compile(
    r"expected .*found|^cannot |: cannot |no such file|exclude each other|by itself:|^error: |needs the package|"
    r"a quoted line end needs|Spark Connect (does not|has ended|takes)",
    re.DOTALL,
)
FUNCTIONS = re.compile(r"fault|refusal|divergence|_too_little|expected|_a_row|^unsuitable|^_unexpected")
LEAST = 4  # letters in a row: a template with fewer passes on a text that is made elsewhere


def templates(folder: Path = ROOT / "nn") -> dict[str, str]:
    """Return each template of a message with the first place that makes it, as path:line."""
    found: dict[str, str] = {}
    for path in sorted([*folder.rglob("*.py"), *folder.parent.glob("*.py")]):
        if path.name == "contract.py":  # checks for classes of one's own
            continue
        for line, text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            template = re.sub(rf"({re.escape(PLACEHOLDER)})+", PLACEHOLDER, " ".join(text.split()))
            if re.search(rf"[A-Za-z]{{{LEAST}}}", template.replace(PLACEHOLDER, "")):
                found.setdefault(template, f"{path.relative_to(folder.parent)}:{line}")
    return found


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the messages of a file, with their lines."""
    docs = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and FUNCTIONS.search(node.name):
            yield from _results(node)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "LineError"
        ):
            expected, found = (_alternatives(argument)[0] for argument in node.args[1:3])
            yield node.lineno, f"expected {expected}, found {found}"
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "expected":
            yield from ((node.lineno, text) for text in _alternatives(node.value))
        elif isinstance(node, ast.Call) and node.args and _makes_error(node.func):
            yield from ((node.lineno, text) for text in _alternatives(node.args[0]))
        elif isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Constant)) and node not in docs:
            yield from ((node.lineno, text) for text in _alternatives(node) if FORM.search(text))


def _results(function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """Yield the strings that a function of faults returns, yields or puts into a list."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
            yield from ((node.lineno, text) for text in _alternatives(node.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("problems.append", "found.append"):
            yield from ((node.lineno, text) for text in _alternatives(node.args[0]))
        elif isinstance(node, ast.ListComp):
            yield from ((node.lineno, text) for text in _alternatives(node.elt))


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, (ast.JoinedStr, ast.BinOp)):
            yield from (part for part in ast.walk(node) if part is not node)  # parts of a longer text


def _makes_error(function: ast.expr) -> bool:
    name = getattr(function, "id", getattr(function, "attr", ""))
    return name == "error" or (name.endswith("Error") and not NO_MESSAGES.match(name))


def _alternatives(node: ast.expr) -> list[str]:
    """Return the strings that an expression may be: one, or several where it has conditions."""
    if isinstance(node, ast.IfExp):
        return _alternatives(node.body) + _alternatives(node.orelse)
    if isinstance(node, ast.Constant):
        return [node.value if isinstance(node.value, str) else PLACEHOLDER]
    if isinstance(node, ast.JoinedStr):
        return _joined(node.values)
    if isinstance(node, ast.Tuple):  # an exit code and its message
        return [text for element in node.elts for text in _alternatives(element)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return [re.sub(r"%[sd]", PLACEHOLDER, text) for text in _alternatives(node.left)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [left + right for left in _alternatives(node.left) for right in _alternatives(node.right)]
    return [PLACEHOLDER]


def _joined(parts: list[ast.expr]) -> list[str]:
    return [
        "".join(
            PLACEHOLDER if isinstance(part, ast.FormattedValue) else _alternatives(part)[0] for part in parts
        )
    ]
