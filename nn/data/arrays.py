"""Check input arrays given in Python: they must be numeric, finite and within the range of float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.core.constraints import Interval

LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
IN_FLOAT32 = Interval(float, -LARGEST, LARGEST)


def as_numbers(inputs: Any) -> np.ndarray:
    """Convert inputs to an array (n, ...). Raises ValueError unless it is numeric."""
    array = np.asarray(inputs)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(f"expected inputs (n, ...) of numbers, got {array.dtype} {array.shape}")
    return array


def check_values(inputs: np.ndarray, first_row: int = 0, missing_values: bool = False) -> None:
    """Raise ValueError, with row and column, unless all inputs (n, ...) are finite numbers within float32.

    `first_row` is the number of the first row. With `missing_values`, NaN is allowed too.
    """
    if inputs.dtype.kind != "f" or not inputs.size:
        return
    if float(inputs.min()) >= -LARGEST and float(inputs.max()) <= LARGEST:  # false for nan
        return
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(inputs.astype(np.float32))
    if missing_values:
        wrong &= ~np.isnan(inputs)
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), wrong.shape)
        value = inputs[index]
        expected = f"within float32, up to {LARGEST:.3g}" if np.isfinite(value) else "of finite numbers"
        position = [int(index[0]) + first_row, *map(int, index[1:])]
        where = f"in row {position[0]}, column {position[1]}" if len(position) == 2 else f"at {position}"
        raise ValueError(f"expected inputs {expected}, found {value:g} {where}")


def check_sizes(inputs: np.ndarray) -> None:
    """Raise ValueError if all inputs are so small that float32 represents them as 0 or almost 0."""
    largest = float(max(inputs.max(), -inputs.min())) if inputs.dtype.kind == "f" else 0.0
    if 0 < largest < SMALLEST:
        raise ValueError(
            f"expected some inputs of at least {SMALLEST:.3g} (float32 loses digits below), found at most "
            f"{largest:g}; multiply them by a constant"
        )
