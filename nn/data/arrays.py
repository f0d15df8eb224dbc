"""Check arrays of inputs that Python gives: numbers, finite and within float32, or an error that says where not."""

from __future__ import annotations

from typing import Any

import numpy as np

LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)


def as_numbers(inputs: Any) -> np.ndarray:
    """Return inputs as an array (n, ...); ValueError where they are no numbers."""
    array = np.asarray(inputs)
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise ValueError(f"expected inputs (n, ...) of numbers, got {array.dtype} {array.shape}")
    return array


def check_values(inputs: np.ndarray, first_row: int = 0) -> None:
    """Raise ValueError, with the place, unless all inputs (n, ...) are finite numbers within float32.

    `first_row` is the number of their first row.
    """
    if inputs.dtype.kind != "f" or not inputs.size:
        return
    if float(inputs.min()) >= -LARGEST and float(inputs.max()) <= LARGEST:  # a nan is neither
        return
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(inputs.astype(np.float32))
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), wrong.shape)
        value = inputs[index]
        expected = f"within float32, up to {LARGEST:.3g}" if np.isfinite(value) else "of finite numbers"
        place = [int(index[0]) + first_row, *map(int, index[1:])]
        shown = f"in row {place[0]}, column {place[1]}" if len(place) == 2 else f"at {place}"
        raise ValueError(f"expected inputs {expected}, found {value:g} {shown}")


def check_sizes(inputs: np.ndarray) -> None:
    """Raise ValueError where there are inputs other than 0, and float32 takes all of them for 0 or nearly so."""
    largest = float(max(inputs.max(), -inputs.min())) if inputs.dtype.kind == "f" else 0.0
    if 0 < largest < SMALLEST:
        raise ValueError(
            f"expected inputs of which some are at least {SMALLEST:.3g} in size, where float32 begins, found at most "
            f"{largest:g}; multiply them by a constant"
        )
