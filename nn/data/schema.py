"""The columns of a table as a run knows them: decided on the training rows, imposed on all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.data.encoding import (
    LARGEST_OFFSET,
    SMALLEST_SCALE,
    UNKNOWN,
    Category,
    Encoder,
    Number,
    SharedScale,
    TableEncoder,
)
from nn.data.statistics import ColumnStatistics

SCALES = ("standard", "largest", "minmax", "none")
MISSING = ("error", "mean", "zero", "indicator", "drop")
UNKNOWNS = ("other", "error")
LARGE = 65_536.0  # from here on, float32 keeps fewer than 8 bits behind the point: such columns get an offset
PIXELS = 64  # columns of integers in 0..255, from which they are taken for pixels


class ColumnSchema(NamedTuple):
    """A column of inputs: its name, and how its values become numbers of a block."""

    name: str
    values: tuple[str, ...] | None = None  # the categories in the order of their codes; None: numbers
    rare: bool = False  # whether categories beyond the cap have been merged
    offset: float = 0.0  # taken off in float64


class Encoding(NamedTuple):
    """The options of a recipe that decide how columns are encoded."""

    scale: str = "standard"  # one of SCALES
    missing: str = "error"  # one of MISSING
    unknown: str = "other"  # one of UNKNOWNS


def encoder_for(columns: Sequence[ColumnSchema], statistics: ColumnStatistics, options: Encoding) -> Encoder:
    """Return the encoder for columns with these statistics of the rows learned from.

    One scale for all columns of numbers without missing values is a SharedScale, as for pixels.
    """
    largest = _largest(columns, statistics)
    plain = all(column.values is None and not column.offset for column in columns)
    if options.scale in ("largest", "none") and options.missing == "error" and plain:
        scale = largest if options.scale == "largest" else 1.0
        return SharedScale(scale, tuple(column.name for column in columns))
    return TableEncoder(
        tuple(
            _number(column, index, statistics, options, largest)
            if column.values is None
            else _category(column, index, statistics, options)
            for index, column in enumerate(columns)
        )
    )


def _largest(columns: Sequence[ColumnSchema], statistics: ColumnStatistics) -> float:
    """Return the largest absolute value of all numbers, or 1 if all are 0."""
    numbers = [index for index, column in enumerate(columns) if column.values is None]
    sizes = np.maximum(statistics.high[numbers], -statistics.low[numbers])
    return float(sizes.max(initial=0.0)) or 1.0


def _number(
    column: ColumnSchema, index: int, statistics: ColumnStatistics, options: Encoding, largest: float
) -> Number:
    mean, low, high = (float(values[index]) for values in (statistics.mean, statistics.low, statistics.high))
    if not statistics.counts[index]:
        low = high = 0.0
    center, scale = {
        "standard": (mean, float(statistics.deviation[index])),
        "minmax": (low, high - low),
        "largest": (0.0, largest),
        "none": (0.0, 1.0),
    }[options.scale]
    if options.scale in ("standard", "minmax") and (low == high or scale < SMALLEST_SCALE):
        center, scale = low, 1.0  # a constant becomes 0; its deviation may differ from 0 by rounding
    fill = {"error": None, "drop": None, "zero": -column.offset}.get(options.missing, mean)
    indicator = options.missing == "indicator" and bool(statistics.missing_values[index])
    return Number(column.name, column.offset, center, scale or 1.0, fill, indicator)


def _category(column: ColumnSchema, index: int, statistics: ColumnStatistics, options: Encoding) -> Category:
    assert column.values is not None
    fills = options.missing not in ("error", "drop")
    indicator = options.missing == "indicator" and bool(statistics.missing_values[index])
    other = column.rare or options.unknown == "other"
    return Category(column.name, column.values, other, fills, indicator)


# ---- values of one column -> numbers of a block ----


def offset_of(first: float) -> float:
    """Return what to take off a column of numbers whose first value is this one."""
    return first if LARGE <= abs(first) <= LARGEST_OFFSET else 0.0


def pack_numbers(values: np.ndarray, offset: Any = 0.0) -> np.ndarray:
    """Return numbers less the offset as float32; NaN is a missing value."""
    return (
        (values.astype(np.float64) - offset).astype(np.float32)
        if np.any(offset)
        else values.astype(np.float32)
    )


def pack_categories(names: np.ndarray, values: Sequence[str]) -> np.ndarray:
    """Return the codes (n,) float32 of names (n,) of dtype object: UNKNOWN for others, NaN for None."""
    codes = {value: float(code) for code, value in enumerate(values)}
    return np.array([np.nan if name is None else codes.get(name, UNKNOWN) for name in names], np.float32)


def categories_of(counts: dict[str, int], cap: int) -> tuple[tuple[str, ...], bool]:
    """Return the sorted categories, at most `cap`, the most frequent ones, and whether others were left out.

    Of equally frequent ones, those that sort first are kept.
    """
    frequent = sorted(counts, key=lambda name: (-counts[name], name))[:cap]
    return tuple(sorted(frequent)), len(counts) > cap
