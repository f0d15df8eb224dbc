"""Check that a number lies in a range, with the same message wherever it does not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def check_interval(name: str, value: Any, interval: str) -> None:
    """Raise ValueError unless a value is a number in an interval, such as "[0, 1)" or "(0, inf)"."""
    low, high = map(float, interval[1:-1].split(","))
    is_number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
    inside = is_number and low <= value <= high
    if not inside or (value == low and interval[0] == "(") or (value == high and interval[-1] == ")"):
        bound = "above" if interval[0] == "(" else "of at least"
        expected = f"in {interval}" if high < math.inf else f"a finite number {bound} {low:g}"
        raise ValueError(f"{name} must be {expected}, got {value!r}")


def check_count(name: str, value: Any) -> None:
    """Raise ValueError unless a value is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
