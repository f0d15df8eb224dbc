"""Describe the columns of a table: statistics, missing values, distinct values, and what a column looks like.

Summaries of consecutive rows add up. Distinct values are counted by hashes of 64 bits: exactly up to a limit, beyond it
by the k smallest of them (Bar-Yossef et al., 2002, "Counting distinct elements in a data stream").
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nn.core.random import hashes
from nn.data.csv import MAX_CLASSES
from nn.data.statistics import ColumnStatistics, column_statistics
from nn.data.tables import name_of

MISSING, BAD = np.uint64(0), np.uint64(1)  # the hashes of cells without a value
MOST_DISTINCT, FEWEST_DISTINCT = 4096, 16  # hashes per column that are kept
MOST_GROUPS, FEWEST_GROUPS = MAX_CLASSES, 8  # values per column whose rows are counted separately
ALL_HASHES, ALL_GROUPS = 1 << 24, 1 << 22  # of all columns and splits together: 128 MB, and twice 32 MB
SPLIT_ROWS = 40  # bits of a row's number within its split


class Limits(NamedTuple):
    """How many values of each column are counted separately."""

    distinct: int
    groups: int

    @classmethod
    def of(cls, width: int, splits: int = 1) -> Limits:
        """Return the limits for a table of `width` columns in so many splits, whose summaries the driver adds up."""
        cells = width * splits
        return cls(
            min(MOST_DISTINCT, max(FEWEST_DISTINCT, ALL_HASHES // cells)),
            min(MOST_GROUPS, max(FEWEST_GROUPS, ALL_GROUPS // cells)),
        )


class Distinct(NamedTuple):
    """The distinct values of one column."""

    smallest: np.ndarray  # (m,) uint64, sorted: the smallest hashes of the values, at most Limits.distinct
    is_full: bool = False  # whether there are more
    groups: np.ndarray | None = None  # (g,) uint64, sorted: the hashes of all cells; None: there are too many
    rows: np.ndarray | None = None  # (g,) uint64: the sum of the hashes of the rows of each group

    @property
    def number(self) -> int:
        """Return the number of distinct values: exact unless `is_full`, else estimated, to three digits."""
        size = len(self.smallest)
        if not self.is_full:
            return size
        return int(float(f"{(size - 1) * 2.0**64 / float(self.smallest[-1]):.3g}"))

    def joined(self, other: Distinct, limits: Limits) -> Distinct:
        """Return the distinct values of the rows of both."""
        hashed = np.union1d(self.smallest, other.smallest)
        is_full = self.is_full or other.is_full or len(hashed) > limits.distinct
        smallest = hashed[: limits.distinct]
        if self.groups is None or other.groups is None:
            return Distinct(smallest, is_full)
        assert self.rows is not None and other.rows is not None
        keys = np.concatenate([self.groups, other.groups])
        return Distinct(smallest, is_full, *_grouped(keys, np.concatenate([self.rows, other.rows]), limits))


def _grouped(
    keys: np.ndarray, rows: np.ndarray, limits: Limits
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the distinct keys and the sum of `rows` of each; None where they are too many."""
    groups, places = np.unique(keys, return_inverse=True)
    if len(groups) > limits.groups:
        return None, None
    sums = np.zeros(len(groups), np.uint64)
    np.add.at(sums, places.reshape(-1), rows)
    return groups, sums


class Summary(NamedTuple):
    """Consecutive rows of c columns; the sum of two is that of both. Columns of strings have no statistics."""

    limits: Limits
    statistics: ColumnStatistics
    filled: np.ndarray  # (c,) cells that are neither missing values nor bad
    bad: np.ndarray  # (c,) cells of columns of numbers that are no numbers
    whole: np.ndarray  # (c,) bool: all numbers are whole
    firsts: np.ndarray  # (c,) the first number; NaN: there is none
    starts: np.ndarray  # (c,) c where each number is c + the row's number; NaN in other columns
    checksums: np.ndarray  # (c,) uint64: two columns with the same cells in the same rows have the same
    distinct: tuple[Distinct, ...]
    rows_with_missing: int  # rows with a missing value in an input
    # Rows of each label, by name; None where there is no label or are too many.
    labels: Counter[str] | None = None
    records: int = 0  # lines that are no rows

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return self.statistics.rows

    @property
    def missing_values(self) -> np.ndarray:
        """Return the number of missing values of each column (c,)."""
        return self.rows - self.filled - self.bad

    def __add__(self, other: Summary) -> Summary:  # type: ignore[override]  # not a tuple's +
        labels = None
        if self.labels is not None and other.labels is not None:
            labels = _few(self.labels + other.labels)
        return Summary(
            self.limits,
            self.statistics + other.statistics,
            self.filled + other.filled,
            self.bad + other.bad,
            self.whole & other.whole,
            np.where(np.isnan(self.firsts), other.firsts, self.firsts),
            np.where(self.starts == other.starts - self.rows, self.starts, np.nan),
            self.checksums + other.checksums,
            tuple(a.joined(b, self.limits) for a, b in zip(self.distinct, other.distinct, strict=True)),
            self.rows_with_missing + other.rows_with_missing,
            labels,
            self.records + other.records,
        )


def _few(labels: Counter[str]) -> Counter[str] | None:
    return labels if len(labels) <= MAX_CLASSES else None


def summarize(
    values: np.ndarray,
    texts: Mapping[int, Sequence[str | None]],
    inputs: np.ndarray,
    label: int | None,
    split: int,
    start: int,
    limits: Limits | None = None,
    records: int = 0,
) -> Summary:
    """Summarize consecutive rows of c columns, of which `start` is the number of the first within its split.

    `values` (n, c) are float64: NaN for a missing value and in columns of strings, infinite for a cell that is no
    number. `texts` are the cells of the columns of strings, None for a missing value. `inputs` are the numbers of the
    columns that are inputs.
    """
    limits = limits or Limits.of(values.shape[1])
    is_bad = np.isinf(values)
    numbers = np.where(is_bad, np.nan, values)
    keys = _keys(numbers, is_bad, texts)
    rows = row_hashes(split, start, len(values))
    counted = numbers - np.arange(len(values))[:, None]
    starts = np.where((counted == counted[:1]).all(axis=0), counted[0], np.nan)
    labels = None if label is None else _few(_labels(values[:, label], texts.get(label)))
    first = (~np.isnan(numbers)).argmax(axis=0)
    return Summary(
        limits,
        column_statistics(numbers),
        (keys > BAD).sum(axis=0),
        is_bad.sum(axis=0),
        (np.isnan(numbers) | (numbers == np.floor(numbers))).all(axis=0),
        numbers[first, np.arange(values.shape[1])],
        starts,
        (keys * rows[:, None]).sum(axis=0, dtype=np.uint64),
        tuple(_distinct(keys[:, column], rows, limits) for column in range(values.shape[1])),
        int((keys[:, inputs] == MISSING).any(axis=1).sum()),
        labels,
        records,
    )


def row_hashes(split: int, start: int, count: int) -> np.ndarray:
    """Return a hash of each of `count` consecutive rows of a split, (n,) uint64."""
    return hashes(np.arange(start, start + count, dtype=np.uint64) + np.uint64(split << SPLIT_ROWS))


def _keys(numbers: np.ndarray, is_bad: np.ndarray, texts: Mapping[int, Sequence[str | None]]) -> np.ndarray:
    """Return the hash of each cell (n, c) uint64; equal cells of a kind have equal ones."""
    keys = np.maximum(hashes((numbers + 0.0).view(np.uint64)), BAD + BAD)  # + 0.0: of both zeros, one
    keys[np.isnan(numbers)] = MISSING
    keys[is_bad] = BAD
    for column, cells in texts.items():
        known = {cell: MISSING if cell is None else _text_key(cell) for cell in set(cells)}
        keys[:, column] = [known[cell] for cell in cells]
    return keys


def _text_key(text: str) -> np.uint64:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return max(np.uint64(int.from_bytes(digest, "little")), BAD + BAD)


def _distinct(keys: np.ndarray, rows: np.ndarray, limits: Limits) -> Distinct:
    values = np.unique(keys)
    groups = _grouped(keys, rows, limits) if len(values) <= limits.groups else (None, None)
    filled = values[values > BAD]
    return Distinct(filled[: limits.distinct], len(filled) > limits.distinct, *groups)


def _labels(values: np.ndarray, texts: Sequence[str | None] | None) -> Counter[str]:
    if texts is not None:
        return Counter(text for text in texts if text is not None)
    numbers, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    return Counter(dict(zip(map(name_of, numbers.tolist()), counts.tolist(), strict=True)))


# ---- what a column looks like ----

FEWEST_ROWS = 20  # with fewer, distinct or consecutive values may be a coincidence
ALMOST_ALL = 0.95  # of the rows: an estimated number of distinct values is not exact
COLLISIONS = 5.0  # expected pairs of equal values, from which none at all is no coincidence
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b.*|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\b.*", re.DOTALL)
_ID = re.compile(r"(.*[^a-z])?(id|key|index|number|no|nr)", re.IGNORECASE | re.DOTALL)
TIMES = ((1e9, 2e9, 1.0), (1e12, 2e12, 1e-3))  # smallest, largest, unit in seconds: 2001 to 2033


def copies(summary: Summary, groups: np.ndarray | None, label: int | None) -> np.ndarray:
    """Return which columns (c,) are copies of the label: each value goes with one class, and each class with one value.

    `groups` are the sums of the hashes of the rows of each class, sorted. Of a target with many values, only columns
    with the same values are found.
    """
    same = np.zeros(len(summary.distinct), bool)
    if label is not None:
        same = summary.checksums == summary.checksums[label]
        rows = summary.distinct[label].rows
        groups = None if rows is None else np.sort(rows)
    # With more groups nearly every row is a class of its own.
    if groups is not None and 1 < len(groups) <= summary.rows // 2:
        for column, distinct in enumerate(summary.distinct):
            if distinct.rows is not None and len(distinct.rows) == len(groups):
                same[column] = np.array_equal(np.sort(distinct.rows), groups)
    if label is not None:
        same[label] = False
    return same


def hint_of(summary: Summary, column: int, name: str) -> str:
    """Return what a column of numbers looks like: an index, a time or an id; "" where it is none of them."""
    low, high = summary.statistics.low[column], summary.statistics.high[column]
    rows, start = summary.rows, summary.starts[column]
    if rows >= FEWEST_ROWS and not np.isnan(start):
        return f"looks like an index: it counts the rows ({start:.0f}, {start + 1:.0f}, {start + 2:.0f}, ...)"
    for smallest, largest, unit in TIMES:
        if smallest <= low < high <= largest:
            days = np.array([low * unit, high * unit]).astype("datetime64[s]").astype("datetime64[D]")
            name = "seconds" if unit == 1 else "milliseconds"
            return f"looks like a time in {name} since 1970, from {days[0]} to {days[1]}"
    return "looks like an id: a value of its own in each row" if _is_id(summary, column, name) else ""


def _is_id(summary: Summary, column: int, name: str) -> bool:
    """Return whether all values are whole and distinct, and that is no coincidence or the name says so."""
    rows, distinct = summary.rows, summary.distinct[column]
    needed = ALMOST_ALL * rows if distinct.is_full else rows
    if not (
        summary.filled[column] == rows >= FEWEST_ROWS and summary.whole[column] and distinct.number >= needed
    ):
        return False
    values = summary.statistics.high[column] - summary.statistics.low[column] + 1
    return bool(rows * (rows - 1) / 2 >= COLLISIONS * values) or _ID.fullmatch(name) is not None


def are_dates(texts: Sequence[str]) -> bool:
    """Return whether all strings are dates; False for none."""
    return bool(texts) and all(_DATE.fullmatch(text.strip()) for text in texts)
