"""Read labels that stand in a file of their own, which only Spark's readers can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.decoding import ClassLabels, sorted_labels
from nn.data.labels import LabelReader
from nn.spark.input import table_columns
from nn.spark.input.table_categories import decoder_of_names
from nn.spark.input.table_source import Table


def labels_of_table(table: Table, label_reader: LabelReader) -> tuple[np.ndarray, ClassLabels]:
    """Return the labels of a file of labels in the order of its rows: class numbers int16, or targets float64."""
    if table.width != 1:
        raise DataError(
            f"{table.argument}: expected one column of labels, found {table.width} in {table.path}"
        )
    read = table_columns.number if label_reader.is_regression else table_columns.name
    values = read(*table.cell(0))
    rows = table.frame.select(values.alias("value")).rdd
    parts = dict(table.collect(rows.mapPartitionsWithIndex(_values)))
    ordered = [value for split in table.order for value in parts.get(split, [])]
    if label_reader.is_regression:
        targets = np.array(ordered, np.float64)
        if not np.isfinite(targets).all():
            row = int(np.argmin(np.isfinite(targets)))
            raise DataError(
                f"{table.argument}: {table.path}: expected numbers, found another in row {row + 1}"
            )
        return targets, ClassLabels()
    if None in ordered:
        raise DataError(
            f"{table.argument}: {table.path}: expected a label, found a missing value in row {ordered.index(None) + 1}"
        )
    distinct = set(ordered)
    if label_reader.classes is None:
        decoder = decoder_of_names(list(distinct), len(distinct), table.argument)
    else:
        decoder = ClassLabels(label_reader.values)
    values = decoder.labels or tuple(range(label_reader.classes or csv.MAX_CLASSES))
    codes = {name: _code(name, values) for name in distinct}
    unknown = next((row for row, name in enumerate(ordered) if codes[name] is None), None)
    if unknown is not None:
        raise DataError(
            f"{table.argument}: {table.path}: expected {label_reader.expected}, found {ordered[unknown]!r} in row "
            f"{unknown + 1}{label_reader.advice}"
        )
    return np.array([codes[name] for name in ordered], np.int16), decoder


def _values(split: int, rows: Any) -> list[tuple[int, list[Any]]]:
    return [(split, [row[0] for row in rows])]


def _code(name: str, labels: Sequence[Any]) -> int | None:
    """Return the class number of a label's name; None for a name that no label has."""
    if any(isinstance(label, str) for label in labels):
        own: Any = name
    else:
        (own,) = sorted_labels([name])
    return next((code for code, label in enumerate(labels) if label == own), None)
