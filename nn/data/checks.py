"""Look at the columns of the inputs, and tell what is legal but was probably not meant.

Blocks of bytes, as pixels are, have no columns that differ much: of those nothing but the row counters is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

WIDEST = 4096  # columns of a table; in a wider one no row counters are looked for
FEWEST_ROWS = 10  # in which a column of consecutive numbers is no accident
RATIO = 1000.0  # of two columns' largest values, from which on the smaller is hardly seen
EXACT = 2.0**24  # float32 holds every whole number up to here


class ColumnSummary(NamedTuple):
    """What the columns of some consecutive rows hold."""

    largest: float  # absolute value
    rows: int
    counters: dict[
        int, float
    ]  # column -> c, where each of its values is c plus the row's number within the piece
    low: np.ndarray | None  # (d,) smallest values; None where all values were whole numbers in 0..255
    high: np.ndarray | None  # (d,) largest values

    def __add__(self, other: ColumnSummary) -> ColumnSummary:  # type: ignore[override]  # not a tuple's +
        counters = {column: c for column, c in self.counters.items() if other.counters.get(column) == c}
        return ColumnSummary(
            max(self.largest, other.largest),
            self.rows + other.rows,
            counters,
            _together(np.minimum, self.low, other.low),
            _together(np.maximum, self.high, other.high),
        )


def _together(choose: np.ufunc, one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    return choose(one, other) if one is not None and other is not None else one if other is None else other


def observe(inputs: np.ndarray, start: int) -> ColumnSummary:
    """Look at consecutive rows, inputs (n, d) uint8 or float32, the first of which is number `start` of its piece."""
    low = high = None
    if inputs.dtype == np.uint8:
        largest = float(inputs.max())
    else:
        low, high = inputs.min(axis=0), inputs.max(axis=0)
        largest = max(float(high.max()), -float(low.min()))
    counters = _counters(inputs, start) if inputs.shape[1] <= WIDEST else {}
    return ColumnSummary(largest, len(inputs), counters, low, high)


def _counters(inputs: np.ndarray, start: int) -> dict[int, float]:
    steps = inputs[1:2].astype(np.float64) - inputs[:1]
    # Most columns drop out here, so that hardly one is looked at as a whole.
    likely = np.flatnonzero((steps == 1).all(axis=0)).tolist()
    return {c: float(inputs[0, c]) - start for c in likely if _are_consecutive(inputs[:, c])}


def _are_consecutive(column: np.ndarray) -> bool:
    return bool((np.diff(column.astype(np.float64)) == 1).all())


def notes(
    pieces: Sequence[ColumnSummary | None],
    offsets: Sequence[int],
    numbers: np.ndarray,
    partitions: int,
    argument: str,
) -> list[str]:
    """Return the notes on all rows, which lie in `pieces`; None for one without rows.

    `offsets` are the numbers of the pieces' first rows, `numbers` (d,) those of the input columns in the file.
    """
    filled = [(piece, offset) for piece, offset in zip(pieces, offsets, strict=False) if piece is not None]
    # Counted over all rows, not within a piece.
    every = [
        piece._replace(counters={column: c - offset for column, c in piece.counters.items()})
        for piece, offset in filled
    ]
    whole = every[0]
    for piece in every[1:]:
        whole = whole + piece
    found = [_few_rows(whole.rows, partitions), _rows_counted(whole, numbers)]
    if whole.low is not None and whole.high is not None:
        found += [_sizes(whole.low, whole.high, numbers), _rounded(whole.low, whole.high, numbers)]
    return [f"{argument}: {note}" for note in found if note]


def _few_rows(rows: int, partitions: int) -> str | None:
    if partitions <= rows:
        return None
    return f"{rows:,} rows in {partitions:,} partitions: most tasks have no rows; take fewer --partitions"


def _rows_counted(whole: ColumnSummary, numbers: np.ndarray) -> str | None:
    if whole.rows < FEWEST_ROWS or not whole.counters:
        return None
    column, c = next(iter(whole.counters.items()))
    return (
        f"column {numbers[column]}{_others(len(whole.counters))} counts the rows ({c:g}, {c + 1:g}, {c + 2:g}, ...): "
        "a row index carries no information about the class; remove it"
    )


def _others(count: int) -> str:
    """Return how many columns there are beside the one that a note names."""
    return "" if count == 1 else f" (one of {count:,} such columns)"


def _sizes(low: np.ndarray, high: np.ndarray, numbers: np.ndarray) -> str | None:
    """Return a note on columns of which one is many times as large as another; columns of zeros do not count."""
    sizes = np.maximum(np.abs(low), np.abs(high))  # (d,)
    filled = np.flatnonzero(sizes > 0)
    if not len(filled):
        return None
    small, large = filled[sizes[filled].argmin()], filled[sizes[filled].argmax()]
    if sizes[large] < RATIO * sizes[small]:
        return None
    return (
        f"the values of column {numbers[large]} go up to {sizes[large]:g}, those of column {numbers[small]} only to "
        f"{sizes[small]:g}: all columns are divided by the largest value, so the small ones have almost no effect; "
        "standardize the columns first (mean 0, standard deviation 1)"
    )


def _rounded(low: np.ndarray, high: np.ndarray, numbers: np.ndarray) -> str | None:
    """Return a note on columns whose values are all so large that float32 does not hold each whole number.

    Where it takes all of them for the same number, nothing tells them from a constant: the note is the same.
    """
    beyond = np.flatnonzero((low >= EXACT) | (high <= -EXACT))
    if not len(beyond):
        return None
    column = beyond[0]
    step = np.spacing(max(abs(low[column]), abs(high[column])))
    span = f"go from {low[column]:.10g} to {high[column]:.10g}"
    if low[column] == high[column]:
        span = f"are all read as {low[column]:.10g}"
    return (
        f"the values of column {numbers[column]}{_others(len(beyond))} {span}, where float32 has one number in "
        f"{step:g}: closer ones look the same; subtract the smallest value from each first"
    )
