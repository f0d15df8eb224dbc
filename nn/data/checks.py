"""Check the columns of the inputs for what is valid but probably a mistake.

Examples are row indices and columns of very different sizes. Blocks of bytes (pixels) are checked for row indices only:
their columns cannot differ much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

WIDEST = 4096  # columns: wider tables are not checked for row indices
FEWEST_ROWS = 10  # with fewer, a column of consecutive numbers may be a coincidence
RATIO = 1000.0  # of the largest values of two columns, from which the smaller column has almost no effect
EXACT = 2.0**24  # float32 represents every integer up to here


class ColumnSummary(NamedTuple):
    """Statistics of the columns of consecutive rows; the sum of two is that of both."""

    largest: float  # absolute value
    rows: int
    counters: dict[int, float]  # column -> c, if each of its values is c + the row's number within the piece
    low: np.ndarray | None  # (d,) smallest values; None if all values are integers in 0..255
    high: np.ndarray | None  # (d,) largest values, or None

    def __add__(self, other: ColumnSummary) -> ColumnSummary:  # type: ignore[override]  # not a tuple's +
        counters = {column: c for column, c in self.counters.items() if other.counters.get(column) == c}
        return ColumnSummary(
            max(self.largest, other.largest),
            self.rows + other.rows,
            counters,
            _combine(np.minimum, self.low, other.low),
            _combine(np.maximum, self.high, other.high),
        )


def _combine(choose: np.ufunc, one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    return choose(one, other) if one is not None and other is not None else one if other is None else other


def summarize(inputs: np.ndarray, start: int) -> ColumnSummary:
    """Summarize consecutive rows (n, d), uint8 or float32; `start` is the number of the first within its piece."""
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
    # The first two rows exclude most columns; only the rest are checked as a whole.
    likely = np.flatnonzero((steps == 1).all(axis=0)).tolist()
    return {c: float(inputs[0, c]) - start for c in likely if _are_consecutive(inputs[:, c])}


def _are_consecutive(column: np.ndarray) -> bool:
    return bool((np.diff(column.astype(np.float64)) == 1).all())


def notes(
    pieces: Sequence[ColumnSummary | None],
    offsets: Sequence[int],
    names: Sequence[str],
    partitions: int,
    argument: str,
    one_scale: bool = True,
) -> list[str]:
    """Return the notes on all rows of `pieces`; a piece without rows is None.

    `offsets` are the row numbers at which pieces start, `names` the d names of the input columns, as they are shown.
    `one_scale`: all columns are divided by one number, and large values have no offset.
    """
    filled = [(piece, offset) for piece, offset in zip(pieces, offsets, strict=False) if piece is not None]
    # Row numbers within the file instead of within a piece.
    summaries = [
        piece._replace(counters={column: c - offset for column, c in piece.counters.items()})
        for piece, offset in filled
    ]
    total = summaries[0]
    for summary in summaries[1:]:
        total = total + summary
    candidates = [_few_rows(total.rows, partitions), _row_index(total, names)]
    if one_scale and total.low is not None and total.high is not None:
        candidates += [_sizes(total.low, total.high, names), _rounded(total.low, total.high, names)]
    return [f"{argument}: {note}" for note in candidates if note]


def _few_rows(rows: int, partitions: int) -> str | None:
    if partitions <= rows:
        return None
    return f"{rows:,} rows in {partitions:,} partitions: most tasks have no rows; take fewer --partitions"


def _row_index(total: ColumnSummary, names: Sequence[str]) -> str | None:
    if total.rows < FEWEST_ROWS or not total.counters:
        return None
    column, c = next(iter(total.counters.items()))
    return (
        f"column {names[column]}{_others(len(total.counters))} counts the rows ({c:g}, {c + 1:g}, {c + 2:g}, ...): "
        "a row index carries no information about the class; --drop-columns leaves it out"
    )


def _others(count: int) -> str:
    """Return the number of such columns, if the named one is not the only one."""
    return "" if count == 1 else f" (one of {count:,} such columns)"


def _sizes(low: np.ndarray, high: np.ndarray, names: Sequence[str]) -> str | None:
    """Return a note if one column is many times as large as another; columns of zeros are ignored."""
    sizes = np.maximum(np.abs(low), np.abs(high))  # (d,)
    filled = np.flatnonzero(sizes > 0)
    if not len(filled):
        return None
    small, large = filled[sizes[filled].argmin()], filled[sizes[filled].argmax()]
    if float(sizes[large]) < RATIO * float(sizes[small]):  # in float64, which does not overflow
        return None
    return (
        f"the values of column {names[large]} go up to {sizes[large]:g}, those of column {names[small]} only to "
        f"{sizes[small]:g}: all columns are divided by the largest value, so the small ones have almost no effect; "
        "--scale standard gives each column the same weight"
    )


def _rounded(low: np.ndarray, high: np.ndarray, names: Sequence[str]) -> str | None:
    """Return a note on a column whose values are all so large that float32 rounds them to multiples of 2 or more."""
    beyond = np.flatnonzero((low >= EXACT) | (high <= -EXACT))
    if not len(beyond):
        return None
    column = beyond[0]
    step = np.spacing(max(abs(low[column]), abs(high[column])))
    span = f"go from {low[column]:.10g} to {high[column]:.10g}"
    if low[column] == high[column]:
        span = f"are all read as {low[column]:.10g}"
    return (
        f"the values of column {names[column]}{_others(len(beyond))} {span}, where float32 has one number in "
        f"{step:g}: closer ones look the same; subtract the smallest value from each first"
    )
