"""Parse the lines of an input split into rows and labels, on the executors.

Errors in the text are returned as values in a split's SplitStats. An exception on an executor prints a hundred lines
before the driver can report it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.data import checks, csv
from nn.data.block import Block
from nn.data.columns import Columns
from nn.data.labels import LabelReader
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.workers import tune_worker


class Parsed(NamedTuple):
    """Consecutive rows of one split of the images."""

    split: int
    start: int  # the first row's number within the split
    inputs: np.ndarray  # (n, c) uint8 or float32
    labels: np.ndarray | None  # (n,) where the rows hold labels as well
    weights: np.ndarray | None  # (n,) where the rows hold weights as well
    held_out: np.ndarray | None = None  # (n,) bool where a column says which rows are for validation
    kept: np.ndarray | None = None  # (n, m) objects: columns that predictions carry along


class CachedRows(NamedTuple):
    """The rows of a set, read and cached."""

    cached: Any  # RDD of Parsed and SplitStats
    # The partition and the statistics of each split, in the order of the rows.
    placed: list[tuple[int, SplitStats]]
    firsts: np.ndarray  # (splits,) the first row's number of each split
    row_bytes: int  # of a row's inputs, estimated
    bytes: int  # of all rows, estimated
    # Labels and validation rows in the order of the rows; none where neither stands in a column.
    sides: list[Parsed]

    @property
    def all_stats(self) -> list[SplitStats]:
        """Return the statistics of all splits in the order of the rows."""
        return [stats for _, stats in self.placed]

    @property
    def total(self) -> int:
        """Return the number of rows."""
        return sum(stats.rows for stats in self.all_stats)


def parse_images(
    dialect: csv.Dialect,
    columns: Columns,
    label_reader: LabelReader,
    offsets: Sequence[float],
    split: int,
    starts_file: bool,
    lines: Iterator[bytes],
) -> Iterator[Parsed | SplitStats]:
    """Yield the rows of one split, then its statistics. `offsets` are taken off the inputs in float64; none: zeros."""
    tune_worker()
    checksum, fault, label_fault, summary = 0, None, None, None
    has_targets = label_reader.is_regression and columns.label is not None
    kind = np.float64 if offsets or has_targets else np.float32
    for part in csv.parse(lines, dialect, starts_file, kind):
        if isinstance(part, csv.PieceEnd):
            yield SplitStats(
                split,
                part.rows,
                part.lines,
                part.bytes,
                part.blank,
                fault or part.fault,
                0.0 if summary is None else summary.largest,
                checksum,
                summary,
                label_fault,
            )
        elif fault is None:
            labels, weights, held_out = _other_columns(columns, label_reader, part)
            faults = [values for values in (labels, weights, held_out) if isinstance(values, csv.LineError)]
            if faults:
                fault = min(faults, key=lambda error: error.line)
                continue
            label_fault = label_fault or _not_class_numbers(labels, columns, part)
            values = part.values if columns.take_all else part.values.take(columns.inputs, axis=1)
            inputs = csv.compact(values - np.asarray(offsets) if offsets else values)
            observed = checks.summarize(inputs, part.start)
            summary = observed if summary is None else summary + observed
            for values in (inputs, weights, held_out):
                if values is not None:
                    checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
            yield Parsed(split, part.start, inputs, labels, weights, held_out)


def _other_columns(columns: Columns, label_reader: LabelReader, part: csv.Chunk) -> tuple[Any, Any, Any]:
    """Return (labels, weights, validation rows) of parsed rows: each (n,), None, or the error of the first bad one."""
    labels = weights = held_out = None
    if columns.label is not None:
        labels = label_reader.read(part.values[:, [columns.label]], part.line)
    if columns.weight is not None:
        weights = csv.to_weights(part.values[:, columns.weight], part.line)
    if columns.validation is not None:
        held_out = csv.to_flags(part.values[:, columns.validation], part.line)
    return labels, weights, held_out


def _not_class_numbers(labels: Any, columns: Columns, part: csv.Chunk) -> csv.LineError | None:
    """Return the error for the first of whole numbers that is no class number, else None."""
    if labels is None or labels.dtype != np.int32:
        return None
    fault = csv.to_labels(part.values[:, [columns.label or 0]], part.line)
    return fault if isinstance(fault, csv.LineError) else None


def parse_labels(
    dialect: csv.Dialect, label_reader: LabelReader, split: int, starts_file: bool, lines: Iterator[bytes]
) -> Iterator[np.ndarray | SplitStats]:
    """Yield the labels (n,) of one split, then its statistics."""
    tune_worker()
    fault: Any = None
    label_fault: Any = None
    kind = np.float64 if label_reader.is_regression else np.float32
    for part in csv.parse(lines, dialect, starts_file, kind):
        if isinstance(part, csv.PieceEnd):
            end = part.rows, part.lines, part.bytes, part.blank
            yield SplitStats(split, *end, fault or part.fault, label_fault=label_fault)
        elif fault is None:
            labels = label_reader.read(part.values, part.line)
            if isinstance(labels, csv.LineError):
                fault = labels
            else:
                if labels.dtype == np.int32 and label_fault is None:
                    label_fault = csv.to_labels(part.values, part.line)
                yield labels


def to_block(
    offsets: np.ndarray, labels: Any, values: np.ndarray | None, element: Parsed | SplitStats
) -> list[Block]:
    """Return a block with the rows' numbers in the whole set and their labels; nothing for statistics.

    `offsets` (splits,) are the first row numbers of the splits. `labels` is a broadcast of all labels, or None where
    the element has its own. `values` (k,) are the labels of the classes where these are no class numbers yet.
    """
    if isinstance(element, SplitStats):
        return []
    first = int(offsets[element.split]) + element.start
    end = first + len(element.inputs)
    block_labels: Any = labels.value[first:end] if labels is not None else element.labels
    if values is not None:
        block_labels = np.searchsorted(values, block_labels).astype(np.int16)
    return [Block(np.arange(first, end), element.inputs, block_labels, element.weights)]


def without_inputs(
    has_sides: bool, partition: int, elements: Iterator[Parsed | SplitStats]
) -> Iterator[tuple[int, Parsed | SplitStats]]:
    """Yield what the driver needs of a partition, with its number: the statistics of each split.

    With `has_sides` the rows too, without their inputs and weights.
    """
    for element in elements:
        if isinstance(element, SplitStats):
            yield partition, element
        elif has_sides:
            yield partition, element._replace(inputs=element.inputs[:, :0], weights=None, kept=None)
