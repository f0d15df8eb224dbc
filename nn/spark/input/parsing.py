"""Parse the lines of an input split into rows and labels, on the executors.

Errors in the text are returned as values in a split's SplitStats. An exception on an executor prints a hundred lines
before the driver can report it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nn.data import checks, csv
from nn.data.block import Block
from nn.data.columns import Columns
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.workers import tune_worker


class Parsed(NamedTuple):
    """Consecutive rows of one split of the image text."""

    split: int
    start: int  # the first row's number within the split
    inputs: np.ndarray  # (n, d) uint8 or float32
    labels: np.ndarray | None  # (n,) where the lines hold labels as well
    weights: np.ndarray | None  # (n,) where the lines hold weights as well


def parse_images(
    dialect: csv.Dialect,
    columns: Columns,
    classes: int,
    split: int,
    starts_file: bool,
    lines: Iterator[bytes],
) -> Iterator[Parsed | SplitStats]:
    """Yield the rows of one split, then its statistics."""
    tune_worker()
    checksum, fault, summary = 0, None, None
    for part in csv.parse(lines, dialect, starts_file):
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
            )
        elif fault is None:
            labels, weights = columns.labels_and_weights(part, classes)
            faults = [values for values in (labels, weights) if isinstance(values, csv.LineError)]
            if faults:
                fault = min(faults, key=lambda error: error.line)
                continue
            values = np.delete(part.values, columns.excluded, axis=1) if columns.excluded else part.values
            inputs = csv.compact(values)
            observed = checks.summarize(inputs, part.start)
            summary = observed if summary is None else summary + observed
            for values in (inputs, weights):
                if values is not None:
                    checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
            yield Parsed(split, part.start, inputs, labels, weights)


def parse_labels(
    dialect: csv.Dialect, classes: int, split: int, starts_file: bool, lines: Iterator[bytes]
) -> Iterator[np.ndarray | SplitStats]:
    """Yield the class numbers (n,) of one split, then its statistics."""
    tune_worker()
    fault = None
    for part in csv.parse(lines, dialect, starts_file):
        if isinstance(part, csv.PieceEnd):
            yield SplitStats(split, part.rows, part.lines, part.bytes, part.blank, fault or part.fault)
        elif fault is None:
            labels = csv.to_labels(part.values, part.line, classes)
            if isinstance(labels, csv.LineError):
                fault = labels
            else:
                yield labels


def to_block(offsets: np.ndarray, labels: Any, element: Parsed | SplitStats) -> list[Block]:
    """Return a block with the rows' numbers in the whole set and their labels; nothing for statistics.

    `offsets` (splits + 1,) are the first row numbers of the splits. `labels` is a broadcast of all labels, or None
    where the element has its own.
    """
    if isinstance(element, SplitStats):
        return []
    first = int(offsets[element.split]) + element.start
    end = first + len(element.inputs)
    block_labels: Any = labels.value[first:end] if labels is not None else element.labels
    return [Block(np.arange(first, end), element.inputs, block_labels, element.weights)]


def stats_of(partition: int, elements: Iterator[Parsed | SplitStats]) -> Iterator[tuple[int, SplitStats]]:
    """Yield the number of the partition and the statistics of each split in it."""
    return ((partition, element) for element in elements if isinstance(element, SplitStats))


def labels_of(element: Parsed | SplitStats) -> list[np.ndarray | None]:
    """Return the labels (n,) that were parsed with the images; nothing for statistics."""
    return [element.labels] if isinstance(element, Parsed) else []
