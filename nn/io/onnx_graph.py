"""An ONNX graph before it is written: inputs, constants, nodes and outputs. This needs NumPy alone.

nn/io/onnx.py turns it into a file. ONNX names every value; names are distinct within a graph.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any, NamedTuple

import numpy as np

TEXT = np.dtype(object)  # of values that are texts
ML, ML_OPERATORS = "ai.onnx.ml", {"OneHotEncoder"}  # operators for texts are in a domain of their own
Operand = str | np.ndarray | np.generic  # the name of a value, or a constant


class Value(NamedTuple):
    """An input or an output of the graph: its name, its type, and its shape behind the rows n."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]


class Node(NamedTuple):
    """An operator applied to values; it gives one value."""

    operator: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]

    @property
    def domain(self) -> str:
        """Return the set of operators that the operator is in."""
        return ML if self.operator in ML_OPERATORS else ""


class Graph:
    """A graph to which nodes are added in the order in which they are computed."""

    def __init__(self, reserved: tuple[str, ...] = ()):
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.constants: dict[str, np.ndarray] = {}
        self.nodes: list[Node] = []
        self.renamed: dict[str, str] = {}  # a value -> the output of the graph that it is
        self._names = set(reserved)
        self._prefix = ""

    def below(self, prefix: str) -> Graph:
        """Return the same graph, which begins the names of what is added to it with a prefix."""
        graph = copy.copy(self)
        graph._prefix = self._prefix + prefix
        return graph

    def input(self, name: str, dtype: Any, width: int) -> str:
        """Add an input (n, width). Return its name, with a number behind it where another value has it."""
        value = Value(self._distinct(name), np.dtype(dtype), (width,))
        self.inputs.append(value)
        return value.name

    def constant(self, name: str, value: Any) -> str:
        """Add a constant and return its name."""
        name = self._distinct(self._prefix + name)
        self.constants[name] = np.asarray(value)
        return name

    def add(self, operator: str, *operands: Operand, **attributes: Any) -> str:
        """Add a node and return the name of its value."""
        inputs = tuple(
            operand if isinstance(operand, str) else self.constant(f"{operator}_constant", operand)
            for operand in operands
        )
        output = self._distinct(self._prefix + operator)
        self.nodes.append(Node(operator, inputs, output, attributes))
        return output

    def cast(self, value: str, dtype: Any) -> str:
        """Add a node that converts a value to another type."""
        return self.add("Cast", value, to=np.dtype(dtype))

    def concat(self, values: list[str]) -> str:
        """Return values (n, ...) side by side."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=1)

    def sum(self, value: str) -> str:
        """Return the sum of each row of a value (n, m), (n, 1)."""
        return self.add("ReduceSum", value, np.array([1]), keepdims=1)

    def output(self, name: str, value: str, dtype: Any, *shape: int) -> None:
        """Make a value (n, *shape) an output; its name is one of `reserved`."""
        self.outputs.append(Value(name, np.dtype(dtype), shape))
        self.renamed[value] = name

    def _distinct(self, name: str) -> str:
        """Return a name that no other value has: name, name_2, name_3, ..."""
        name = utf8(name) or "unnamed"
        names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
        found = next(name for name in names if name not in self._names)
        self._names.add(found)
        return found


def utf8(text: str) -> str:
    """Return a text as ONNX can hold it: halves of characters, which UTF-8 does not have, are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
