"""The labels of a training set that was described: classes and their rows, or the range of a target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nn.core import format
from nn.core.errors import DataError
from nn.data.decoding import sorted_labels
from nn.spark.input.described_columns import FileColumn
from nn.spark.input.describing import Description
from nn.spark.input.table_categories import decoder_of_names
from nn.training.recipe import Recipe


class LabelSummary(NamedTuple):
    """The labels of a training set: classes and their rows, or the range of a target."""

    where: str  # the column, or the argument
    classes: tuple[tuple[str, int], ...] | None = None  # (name, rows), in the order of the classes
    target: tuple[float, float, float] | None = None  # (smallest, mean, largest)
    fault: str = ""  # why training refuses them


def label_summary(description: Description, recipe: Recipe) -> LabelSummary | None:
    """Return what the labels are; None where none are named."""
    apart, column = description.labels, description.label
    if apart is not None:
        if recipe.is_regression:
            values = apart.values
            return LabelSummary(apart.argument, target=(values.min(), values.mean(), values.max()))
        counts = np.bincount(apart.values)
        names = apart.decoder.names(len(counts))
        return LabelSummary(apart.argument, tuple(zip(names, counts.tolist(), strict=True)))
    if column is None:
        return None
    where = f"column {column.name!r}"
    return _target(description, column, where) if recipe.is_regression else _classes(description, where)


def _target(description: Description, column: FileColumn, where: str) -> LabelSummary:
    summary, index = description.summary, column.first
    wrong = int(summary.missing_values[index] + summary.bad[index])
    fault = (
        f"{where}: expected a number as the target of each row, found {format.counted(wrong, 'other cell')}"
        if wrong
        else ""
    )
    if not summary.filled[index]:
        return LabelSummary(where, fault=fault)
    statistics = summary.statistics
    target = (float(statistics.low[index]), float(statistics.mean[index]), float(statistics.high[index]))
    return LabelSummary(where, target=target, fault=fault)


def _classes(description: Description, where: str) -> LabelSummary:
    """Return the classes of a column of labels, as training would number them."""
    summary, column = description.summary, description.label
    assert column is not None
    counts: dict[str, int] = dict(summary.labels or {})
    distinct = len(counts) if summary.labels is not None else summary.distinct[column.first].number
    try:
        decoder = decoder_of_names(list(counts) or ["too many"], distinct, where)
    except DataError as error:
        return LabelSummary(where, fault=str(error))
    missing_values = int(summary.missing_values[column.first])
    fault = (
        f"{where}: expected a label in each row, found {format.counted(missing_values, 'missing value')}"
        if missing_values
        else ""
    )
    ordered = sorted_labels(counts)
    if decoder.labels is None:
        ordered = tuple(range(int(ordered[-1]) + 1))
    if len(ordered) < 2:
        fault = f"{where}: expected at least 2 classes, found class {ordered[0]} alone"
    are_texts = any(isinstance(label, str) for label in ordered)
    rows = dict.fromkeys(ordered, 0)
    for name, count in counts.items():
        rows[name if are_texts else sorted_labels([name])[0]] += count
    names = type(decoder)(ordered if len(ordered) > 1 else None).names(len(ordered))
    return LabelSummary(where, tuple(zip(names, rows.values(), strict=True)), fault=fault)
