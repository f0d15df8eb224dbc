"""Declare once which values a field may have.

    rate: Annotated[float, FROM_0_BELOW_1]

`check_fields` checks all declared fields of a dataclass at its construction. The readers of nn.core.options read values
of the command line and of JSON by the same declarations, and messages, --help and --words spell them in words.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import reprlib
import sys
import typing
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class Constraint(Protocol):
    """A set of values. Its text completes "expected ..."."""

    def __contains__(self, value: object, /) -> bool: ...


@dataclass(frozen=True)
class Interval:
    """Whole numbers (`kind` int) or finite numbers (`kind` float, whole ones among them) between two ends.

    `closed` names the ends that belong to it. Booleans, NumPy's numbers of other types and numbers beyond those of the
    machine are outside every interval.
    """

    kind: type
    low: float = -math.inf
    high: float = math.inf
    closed: Literal["left", "right", "both", "neither"] = "both"

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, self.kind)):
            return False
        assert isinstance(value, (int, float))
        largest = sys.maxsize if self.kind is int else sys.float_info.max
        above = value >= self.low if self._includes_low else value > self.low
        below = value <= self.high if self._includes_high else value < self.high
        return above and below and -largest <= value <= largest

    def __str__(self) -> str:
        if self.kind is int:
            first, last = self.low + (not self._includes_low), self.high - (not self._includes_high)
            bound = f"of at least {first}" if last == math.inf else f"from {first} to {last}"
            return "a whole number" if first == -math.inf else f"a whole number {bound}"
        if self.low == -math.inf and self.high == math.inf:
            return "a finite number"
        if self.high == math.inf:
            return f"a finite number {'of at least' if self._includes_low else 'above'} {self.low:g}"
        left, right = "[" if self._includes_low else "(", "]" if self._includes_high else ")"
        return f"a number in {left}{self.low:g}, {self.high:g}{right}"

    @property
    def _includes_low(self) -> bool:
        return self.closed in ("left", "both")

    @property
    def _includes_high(self) -> bool:
        return self.closed in ("right", "both")


AT_LEAST_ONE = Interval(int, 1)
POSITIVE = Interval(float, 0, closed="neither")
NON_NEGATIVE = Interval(float, 0)
FROM_0_TO_1 = Interval(float, 0, 1)
FROM_0_BELOW_1 = Interval(float, 0, 1, "left")
ABOVE_0_TO_1 = Interval(float, 0, 1, "right")
ABOVE_0_BELOW_1 = Interval(float, 0, 1, "neither")


@dataclass(frozen=True)
class OneOf:
    """One of several names."""

    names: tuple[str, ...]

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and value in self.names

    def __str__(self) -> str:
        return f"one of {', '.join(self.names)}"


@functools.cache
def constraints_of(cls: type) -> dict[str, Constraint]:
    """Return the constraint of each field of a dataclass that declares one, as metadata or in Annotated."""
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except NameError:  # a user's class with annotations for type checkers alone declares no constraints
        hints = {}
    declared: dict[str, Constraint] = {}
    for field in dataclasses.fields(cls):
        hint = hints.get(field.name)
        parts = (hint, *typing.get_args(hint))  # of Annotated[...] | None
        extras = [extra for part in parts for extra in getattr(part, "__metadata__", ())]
        declared |= ((field.name, extra) for extra in extras if isinstance(extra, (Interval, OneOf)))
        if "reader" in field.metadata:
            declared[field.name] = field.metadata["reader"]
    return declared


def check_fields(item: Any) -> None:
    """Check the fields of a dataclass that declare a constraint; a field's default is always allowed.

    Raises ValueError: "Dropout rate must be a number in [0, 1), got 1.5".
    """
    cls: type = type(item)
    defaults = {field.name: field.default for field in dataclasses.fields(cls)}
    for name, constraint in constraints_of(cls).items():
        value, default = getattr(item, name), defaults[name]
        is_default = type(value) is type(default) and value == default
        if not is_default and value not in constraint:
            raise ValueError(f"{cls.__name__} {name} must be {constraint}, got {shown(value)}")


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


def shown(value: Any) -> str:
    """Return a value for a message; a long or deeply nested one is shortened."""
    return _SHORT.repr(value)
