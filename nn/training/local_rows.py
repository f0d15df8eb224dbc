"""Check arrays and tables in memory as the job checks files, and turn them into the rows of a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.core.format import line
from nn.data import csv
from nn.data.arrays import as_numbers, check_sizes, check_values
from nn.data.block import LARGEST_WEIGHT
from nn.data.columns import Reference, matching
from nn.data.decoding import ClassLabels, are_class_numbers, sorted_labels
from nn.data.schema import ColumnSchema, offset_of, pack_numbers
from nn.data.tables import (
    Columns,
    are_numbers,
    column_of,
    columns_of,
    is_missing,
    known,
    name_of,
    numbers_of,
    pack,
    pack_for,
    pack_rows,
    refuse_others,
    schema_for,
    schema_of,
)
from nn.models.sequential import Sequential
from nn.training import pretrained
from nn.training.backend import Facts
from nn.training.recipe import Recipe

SHOWN = 5  # columns with missing values in a message


class LocalRows(NamedTuple):
    """The rows of a run in memory."""

    inputs: np.ndarray  # (n, ...) as in blocks
    weights: np.ndarray | None  # (n,)
    facts: Facts  # with the labels
    shape: tuple[int, ...] | None  # of images; None for rows


def rows_of(
    inputs: Any, labels: Any, weights: Any, recipe: Recipe, model: Sequential | None = None
) -> LocalRows:
    """Check inputs, labels and weights. Raises ValueError for what is wrong, with row and column.

    Rows are packed for `model`, the one that training starts from, if there is one.
    """
    if model is not None:
        pretrained.check_recipe(recipe, model)
        recipe = dataclasses.replace(recipe, missing=pretrained.missing_for(recipe, model))
    table = columns_of(inputs)
    schema: tuple[ColumnSchema, ...] | None = None
    if table is not None:
        # Of all columns, the labels' too, as the job counts them.
        categorical = _names(table, recipe.categorical) if model is None else []
        if isinstance(labels, str):
            labels, table = _without(table, labels)
        if not table:
            raise ValueError("expected a column of inputs beside the labels, found none in the table")
        schema = _schema(table, recipe, model, categorical)
        packed = pack(schema, table)
        if not len(packed):
            raise ValueError("expected rows, found none in the table")
    else:
        packed, schema = (
            _numbers(inputs, recipe) if model is None else (_numbers_for(model, inputs, recipe), None)
        )
    codes, labeled = _targets(labels, len(packed)) if recipe.is_regression else _classes(labels, len(packed))
    row_weights = None if weights is None else _row_weights(weights, len(packed))
    packed, kept = _without_missing(packed, schema, recipe)
    if kept is not None:
        codes, row_weights = codes[kept], None if row_weights is None else row_weights[kept]
    if not recipe.is_regression and codes.min() == codes.max():
        raise ValueError(f"labels: expected at least 2 classes, found class {codes[0]} alone")
    filled = packed[~np.isnan(packed)] if packed.dtype.kind == "f" else packed
    scale = max(float(filled.max(initial=0)), -float(filled.min(initial=0))) or 1.0
    shape = (*packed.shape[1:], 1)[:3] if packed.ndim > 2 else None  # gray images may leave their channel out
    # A label of rows that are left out alone has a class too.
    classes = 1 if recipe.is_regression else max(len(labeled.labels or ()), int(codes.max()) + 1, 2)
    are_pixels = packed.dtype == np.uint8
    width = math.prod(packed.shape[1:])
    facts = Facts(
        width,
        codes,
        classes,
        scale,
        columns=schema,
        labeled=labeled,
        are_pixels=are_pixels,
        has_names=table is not None,
    )
    if model is not None and recipe.keep_layers is None and not recipe.is_regression:
        facts = pretrained.with_classes_of(facts, model)
    return LocalRows(packed, row_weights, facts, shape)


def _schema(
    table: Columns, recipe: Recipe, model: Sequential | None, categorical: Collection[str]
) -> tuple[ColumnSchema, ...]:
    """Return the columns of a table: as the recipe decides, or those of the model."""
    if model is not None:
        return tuple(schema_for(model.encoder)) or tuple(map(ColumnSchema, table))
    return schema_of(table, set(categorical) & table.keys(), recipe.max_categories, recipe.centers_columns)


def _names(table: Columns, references: Sequence[Reference]) -> list[str]:
    """Return the names of the columns that references mean: names, patterns with *, or numbers from 0."""
    names = list(table)
    try:
        found = matching(references, names, len(names), "the table", "categorical")
    except DataError as error:
        raise ValueError(str(error)) from None
    return [names[column] for column in found]


def _without(table: Columns, name: str) -> tuple[np.ndarray, Columns]:
    """Return the column of the labels and the other columns."""
    if name not in table:
        raise ValueError(f"labels: expected the name of a column, found {name!r}; {known(table)}")
    return table[name], {other: column for other, column in table.items() if other != name}


def _numbers_for(model: Sequential, inputs: Any, recipe: Recipe) -> np.ndarray:
    """Return an array of inputs (n, ...), or of numbers and categories (n, c), as in blocks for a model."""
    packed = pack_for(model.encoder, inputs)
    return _compact(pack_rows(model.encoder, _checked(inputs, recipe))) if packed is None else packed


def _numbers(inputs: Any, recipe: Recipe) -> tuple[np.ndarray, tuple[ColumnSchema, ...] | None]:
    """Return an array of inputs (n, ...) as in blocks, and its columns where some have offsets."""
    array = _checked(inputs, recipe)
    if array.ndim == 2 and recipe.centers_columns:
        firsts = array[np.isnan(array).argmin(axis=0), range(array.shape[1])]  # of each column, not NaN
        offsets = [offset_of(first) for first in firsts.tolist()]
        if any(offsets):
            schema = tuple(ColumnSchema(str(column), offset=offset) for column, offset in enumerate(offsets))
            return pack_numbers(array, np.array(offsets)), schema
    return _compact(array), None


def _compact(array: np.ndarray) -> np.ndarray:
    """Return numbers (n, ...) as bytes where all are whole numbers in 0..255, else as float32."""
    has_gaps = array.dtype.kind == "f" and np.isnan(array.min())
    return array.astype(np.float32) if has_gaps else csv.compact(array)


def _checked(inputs: Any, recipe: Recipe) -> np.ndarray:
    """Return an array of inputs (n, ...) of numbers within float32."""
    array = as_numbers(inputs)
    if not 2 <= array.ndim <= 4 or not array.size:
        raise ValueError(f"expected inputs (n, ...) of numbers, got {array.dtype} {array.shape}")
    if recipe.categorical:
        raise ValueError(
            "categorical: an array has no names of columns; give a table, such as a dict of columns"
        )
    missing_values = np.isnan(array) if array.dtype.kind == "f" else np.zeros(1, bool)
    if recipe.missing == "error" or not missing_values.any() or array.ndim > 2:
        check_values(array)
        check_sizes(array)
    else:
        check_values(np.where(missing_values, 0, array))
    return array


def _without_missing(
    packed: np.ndarray, schema: tuple[ColumnSchema, ...] | None, recipe: Recipe
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the rows, compact where they are whole numbers, and the mask of those kept, None for all.

    Raises ValueError, with counts by column, for missing values that are an error, and where no rows are left.
    """
    if packed.dtype.kind != "f" or not np.isnan(packed.min()):
        return csv.compact(packed), None
    missing_values = np.isnan(packed)
    if recipe.missing == "error":
        names = [column.name for column in schema or ()] or list(map(str, range(packed.shape[1])))
        counts = dict(zip(names, missing_values.sum(axis=0).tolist(), strict=True))
        raise ValueError(missing_message(counts, int(missing_values.any(axis=1).sum())))
    if recipe.missing != "drop":
        return packed, None
    kept = ~missing_values.any(axis=1)
    if not kept.any():
        raise ValueError("missing: drop leaves no rows: every row has a missing value")
    return csv.compact(packed[kept]), kept


def missing_message(counts: dict[str, int], rows: int) -> str:
    """Return the message for missing values that are an error; `counts`: of each column, `rows`: that have some."""
    columns = sorted((item for item in counts.items() if item[1]), key=lambda item: -item[1])
    shown = ", ".join(f"{name!r} {count:,}" for name, count in columns[:SHOWN])
    more = f" and {len(columns) - SHOWN:,} other columns" if len(columns) > SHOWN else ""
    return (
        f"expected no missing values, found {sum(counts.values()):,} in {rows:,} rows: {shown}{more}; "
        "missing=mean fills them, missing=drop leaves the rows out"
    )


def _classes(labels: Any, rows: int) -> tuple[np.ndarray, ClassLabels]:
    """Return class numbers (n,) int16 and the labels of the classes; labels are (n,), (n, 1) or one-hot (n, k)."""
    values = column_of(labels)
    if values.ndim not in (1, 2) or len(values) != rows or not values.size:
        raise ValueError(
            f"expected {rows} labels, (n,) or one-hot rows (n, k), got an array of shape {values.shape}"
        )
    if values.ndim == 2 and values.shape[1] > 1:
        return _class_numbers(as_numbers(values)), ClassLabels()
    values = values.reshape(rows)
    row = next((row for row, value in enumerate(values.tolist()) if is_missing(value)), None)
    if row is not None:
        raise ValueError(f"labels, row {row}: expected a label, found a missing value")
    refuse_others(values, "labels")
    if values.dtype.kind in "Sc":
        raise ValueError(f"labels: expected numbers, booleans or strings, found {values.dtype}")
    if values.dtype.kind in "iu" and values.min() >= 0:
        if values.min() == 0:
            return _class_numbers(values[:, None]), ClassLabels()
    elif values.dtype.kind in "fO" and are_numbers(values):
        _refuse_measured(values)
    names = np.array([name_of(value) for value in values.tolist()])
    distinct, codes = np.unique(names, return_inverse=True)
    if len(distinct) > csv.MAX_CLASSES:
        raise ValueError(
            f"labels: expected at most {csv.MAX_CLASSES:,} classes, found {len(distinct):,} different labels; "
            'measured values are learned with task="regression"'
        )
    are_text = values.dtype.kind in "USO" and any(isinstance(value, str) for value in values.tolist())
    ordered = tuple(sorted(distinct.tolist())) if are_text else sorted_labels(distinct.tolist())
    if are_class_numbers(ordered):
        return _class_numbers(numbers_of(values, "labels")[:, None]), ClassLabels()
    if len(ordered) < 2:
        raise ValueError(
            f"labels: expected at least 2 classes, found class {line(str(ordered[0])[:40])} alone"
        )
    places = {name_of(label): place for place, label in enumerate(ordered)}
    return np.array([places[name] for name in distinct], np.int16)[codes], ClassLabels(ordered)


def _refuse_measured(values: np.ndarray) -> None:
    """Raise ValueError, with the row, for a number (n,) that is not whole."""
    measured = next((row for row, value in enumerate(values) if not _is_whole(value)), None)
    if measured is not None:
        raise ValueError(
            f"labels, row {measured}: expected a class, found {values[measured]}; "
            'measured values are learned with task="regression"'
        )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) or (math.isfinite(value) and value == int(value))


def _class_numbers(values: np.ndarray) -> np.ndarray:
    """Return class numbers (n,) int16 for rows (n, 1) or one-hot rows (n, k). Raises ValueError with the row."""
    numbers = csv.to_labels(values, first_line=0)
    if isinstance(numbers, csv.LineError):
        raise ValueError(f"labels, row {numbers.line}: {numbers}")
    return numbers


def _targets(labels: Any, rows: int) -> tuple[np.ndarray, ClassLabels]:
    """Return the values of the target (n,) float64."""
    values = column_of(labels)
    if values.shape not in ((rows,), (rows, 1)):
        raise ValueError(f"expected {rows} values of a target (n,), got an array of shape {values.shape}")
    refuse_others(values, "labels")
    numbers = numbers_of(values.reshape(rows), "target")
    missing_values = np.isnan(numbers)
    if missing_values.any():
        raise ValueError(
            f"labels, row {int(missing_values.argmax())}: expected a value of the target, found a missing value"
        )
    return numbers, ClassLabels()


def _row_weights(weights: Any, rows: int) -> np.ndarray:
    weights = np.asarray(weights, np.float64)
    if weights.shape != (rows,):
        raise ValueError(f"expected {rows} weights (n,), got an array of shape {weights.shape}")
    if not ((weights >= 0) & (weights <= LARGEST_WEIGHT)).all():
        raise ValueError(
            f"expected weights from 0 to {LARGEST_WEIGHT:g}, got {weights.min():g} to {weights.max():g}"
        )
    return weights
