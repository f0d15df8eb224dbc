"""Read the rows of a table into blocks: kinds and categories of the training set, one pass over the rows, faults told.

1. The kinds of the columns are decided by their types, or by the first rows where they are texts (decide).
2. One job counts categories and labels of the training set, where there are any (profile).
3. One pass casts the rows in the JVM and packs them into blocks, which stay cached (read_rows).
"""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.columns import Columns, Reference, matching
from nn.data.decoding import ClassLabels, are_class_numbers, sorted_labels
from nn.data.labels import REGRESSION, LabelReader, refuse_many, shown
from nn.data.schema import ColumnSchema, categories_of
from nn.spark.input import cache, formats, table_columns, table_rows
from nn.spark.input.parsing import CachedRows, stats_of
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, VECTOR, Kind
from nn.spark.input.table_rows import LABEL, RECORD, VALIDATION, WEIGHT, Piece, RowPlan
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import CellFaults, SplitStats
from nn.spark.runtime import jvm

DISTINCT = 0.9  # distinct values per row, from which a column of texts tells rows apart and not kinds of rows
FEWEST = 20  # rows, from which that is told
LONGEST = 40  # characters of a cell in a message
SHOWN = 5  # columns in a message


class BadCellsError(DataError):
    """Cells of columns of numbers are no numbers."""


class Wishes(NamedTuple):
    """What a recipe asks of reading."""

    task: str = "classification"  # or "regression"
    offsets: bool = False  # whether a column of large numbers is kept less its first value
    missing: str = "error"  # one of nn.data.schema.MISSING
    categorical: tuple[Reference, ...] = ()
    max_categories: int = 100
    test_fraction: float = 0.0  # where there is no test set
    seed: int = 0


def decide(
    table: Table, columns: Columns, wishes: Wishes
) -> tuple[tuple[Kind, ...], tuple[ColumnSchema, ...]]:
    """Return the kind of each column of inputs of a training set, and the columns that they give."""
    categorical = matching(wishes.categorical, table.names, table.width, table.path, "--categorical")
    kinds, schema = [], []
    for index in columns.inputs:
        cells = [row[index] for row in table.sample]
        name, is_categorical = table.name_of(index), index in categorical
        try:
            kind = table_columns.kind_of(name, table.types[index], cells, is_categorical, table.how.all_gaps)
        except DataError as error:
            raise DataError(f"{table.argument}: {table.path}: {error}") from None
        kinds.append(kind)
        schema += table_columns.schemas(name, kind, cells, wishes.offsets)
    _refuse_too_large(table, sum(kind.width for kind in kinds))
    return tuple(kinds), tuple(schema)


def _refuse_too_large(table: Table, width: int) -> None:
    """Raise DataError where sparse rows are too many for the cluster's memory once they are dense."""
    if VECTOR not in table.types:
        return
    with table.readable():
        rows = table.estimated_rows
    size, free = 4 * rows * width, cache.free_storage(table.context)
    if size > free:
        raise DataError(
            f"{table.argument}: {rows:,} rows of {width:,} values each take {size / 1e9:.3g} GB in memory, where "
            f"{free / 1e9:.3g} GB are free; give more memory (--driver-memory or --executor-memory), or fewer columns"
        )


# ---- categories and labels ----


class Profile(NamedTuple):
    """The categories of a training set, and the labels of its classes."""

    schema: tuple[ColumnSchema, ...]
    labels: ClassLabels | None  # None where labels are targets, or in a file of their own


def profile(
    table: Table, columns: Columns, kinds: Sequence[Kind], schema: Sequence[ColumnSchema], wishes: Wishes
) -> Profile:
    """Count the values of the categories and of the labels, in one job."""
    names = {
        index: _name(table, index)
        for index, kind in zip(columns.inputs, kinds, strict=True)
        if kind.kind == CATEGORY
    }
    has_labels = columns.label is not None and wishes.task != REGRESSION
    if has_labels:
        names[columns.label or 0] = _name(table, columns.label or 0)
    if not names:
        return Profile(tuple(schema), None)
    cap = max(wishes.max_categories, csv.MAX_CLASSES if has_labels else 0)
    counted = _counts(table, names, cap)
    result = list(schema)
    first = 0
    for index, kind in zip(columns.inputs, kinds, strict=True):
        if kind.kind == CATEGORY:
            counts, distinct, total = counted.get(index, ({}, 0, 0))
            _refuse_names_of_rows(table, index, distinct, total)
            values, _ = categories_of(counts, wishes.max_categories)
            rare = distinct > wishes.max_categories
            if rare:
                table.notes.append(
                    f"{table.argument}: column {table.name_of(index)!r} has {distinct:,} categories: the "
                    f"{wishes.max_categories:,} most frequent are kept, the others are one (--max-categories)"
                )
            result[first] = schema[first]._replace(values=values, rare=rare)
        first += kind.width
    labels = None
    if has_labels:
        counts, distinct, _ = counted.get(columns.label or 0, ({}, 0, 0))
        labels = decoder_of_names(list(counts), distinct, table.argument)
    return Profile(tuple(result), labels)


def _name(table: Table, index: int) -> Any:
    return table_columns.name(table.column(index), table.types[index], table.how.all_gaps)


def _counts(table: Table, names: dict[int, Any], cap: int) -> dict[int, tuple[dict[str, int], int, int]]:
    """Return of each column (rows of each of the `cap` most frequent values, number of values, rows with a value)."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    pairs = sql.array(
        *(sql.struct(sql.lit(i).alias("column"), name.alias("value")) for i, name in names.items())
    )
    counts = (
        table.frame.select(sql.explode(pairs).alias("pair"))
        .select("pair.*")
        .filter("value is not null")
        .groupBy("column", "value")
        .count()
    )
    by_column = Window.partitionBy("column")
    rank = sql.row_number().over(by_column.orderBy(sql.desc("count"), "value"))
    ranked = counts.select(
        "column",
        "value",
        "count",
        rank.alias("rank"),
        sql.count("*").over(by_column).alias("distinct"),
        sql.sum("count").over(by_column).alias("total"),
    ).filter(sql.col("rank") <= cap)
    found: dict[int, tuple[dict[str, int], int, int]] = {}
    for row in table.collect(ranked):
        found.setdefault(row["column"], ({}, row["distinct"], row["total"]))[0][row["value"]] = row["count"]
    return found


def _refuse_names_of_rows(table: Table, index: int, distinct: int, total: int) -> None:
    if total >= FEWEST and distinct >= DISTINCT * total:
        name = table.name_of(index)
        raise DataError(
            f"{table.argument}: column {name!r} of {table.path} has {distinct:,} different texts in {total:,} rows: it "
            f"names the rows, or holds dates or free text, and cannot be learned from; leave it out with "
            f"--drop-columns {name}"
        )


def decoder_of_names(names: Sequence[str], distinct: int, argument: str) -> ClassLabels:
    """Return the labels of the classes, given their names. Raises DataError where they are none."""
    if not names:
        raise DataError(f"{argument}: expected labels, found gaps alone")
    labels = sorted_labels(names)
    if any(isinstance(label, float) for label in labels):
        raise DataError(
            f"{argument}: expected labels of classes, found real numbers ({shown(labels)}); measured values are "
            "learned with --task regression"
        )
    refuse_many(distinct, argument)
    if are_class_numbers(labels):
        if int(labels[-1]) >= csv.MAX_CLASSES:
            raise DataError(
                f"{argument}: expected class numbers in 0..{csv.MAX_CLASSES - 1}, found {labels[-1]}"
            )
        return ClassLabels()
    if len(labels) < 2:
        raise DataError(f"{argument}: expected at least 2 classes, found class {labels[0]} alone")
    return ClassLabels(labels)


# ---- rows ----


def read_rows(
    table: Table,
    columns: Columns,
    kinds: Sequence[Kind],
    schema: Sequence[ColumnSchema],
    label_reader: LabelReader,
    missing: str,
) -> CachedRows:
    """Pack all rows into blocks and cache them. Raises DataError for cells that are no values."""
    plan, frame = plan_rows(table, columns, kinds, schema, label_reader, missing)
    elements = _elements(table, plan, frame)
    if len(table.splits) > table.partitions and not jvm.has_hosts(elements):
        elements = elements.coalesce(table.partitions)
    with table.readable():
        cached = elements.persist(cache.level(table.context, table.estimated_rows * row_bytes(kinds)))
    placed = table.collect(cached.mapPartitionsWithIndex(stats_of))
    firsts = table.firsts({stats.split: stats.rows for _, stats in placed})
    placed.sort(key=lambda pair: table.splits[pair[1].split][:2])
    try:
        _check(table, columns, kinds, schema, label_reader, missing, [stats for _, stats in placed])
    except DataError:
        cached.unpersist()
        raise
    return CachedRows(cached, placed, firsts)


def row_bytes(kinds: Sequence[Kind]) -> int:
    """Estimate the bytes of a row of inputs."""
    return sum(kind.width * (1 if kind.kind == BYTES else 4) for kind in kinds)


def plan_rows(
    table: Table,
    columns: Columns,
    kinds: Sequence[Kind],
    schema: Sequence[ColumnSchema],
    label_reader: LabelReader,
    missing: str,
) -> tuple[RowPlan, Any]:
    """Return how rows are laid out, and the DataFrame that lays them out."""
    from pyspark.sql import functions as sql

    pieces: list[Piece] = []
    expressions: list[Any] = []
    scalars: list[Any] = []
    first = 0

    def end_of_scalars() -> None:
        if scalars:
            pieces.append(Piece(len(scalars)))
            expressions.append(sql.array(*scalars))
            scalars.clear()

    for index, kind in zip(columns.inputs, kinds, strict=True):
        own = schema[first : first + kind.width]
        if kind.kind in (NUMBER, CATEGORY):
            scalars.append(_scalar(table, index, kind, own[0]).cast("float"))
        else:
            end_of_scalars()
            pieces.append(Piece(kind.width, kind.kind == BYTES))
            expressions.append(_numbers(table, index, kind, own))
        first += kind.width
    end_of_scalars()
    sides = _sides(table, columns, label_reader)
    plan = RowPlan(
        tuple(pieces), tuple(sides), label_reader.is_regression, missing == "error", missing == "drop"
    )
    named = [expression.alias(f"p{number}") for number, expression in enumerate(expressions)]
    named += [expression.alias(name) for name, expression in sides.items()]
    return plan, table.frame.select(sql.spark_partition_id().alias("split"), *named)


def _scalar(table: Table, index: int, kind: Kind, schema: ColumnSchema) -> Any:
    column, type_name, gaps = table.column(index), table.types[index], table.how.all_gaps
    if kind.kind == CATEGORY:
        return table_columns.code(table_columns.name(column, type_name, gaps), schema.values or ())
    value = table_columns.number(column, type_name, gaps)
    return value - schema.offset if schema.offset else value


def _numbers(table: Table, index: int, kind: Kind, schema: Sequence[ColumnSchema]) -> Any:
    """Return the expression of an array, a vector or bytes; of another type than in training, cells that are bad."""
    from pyspark.sql import functions as sql

    column, type_name = table.column(index), table.types[index]
    if type_name not in (ARRAY, VECTOR, "binary") or (type_name == "binary") != (kind.kind == BYTES):
        raise DataError(
            f"{table.argument}: column {table.name_of(index)!r} of {table.path}: expected {kind.kind} as in the "
            f"training set, found {type_name}"
        )
    if kind.kind == BYTES:
        return sql.when(sql.length(column) == kind.width, column)
    return table_columns.numbers(column, Kind(type_name, kind.width), [one.offset for one in schema])


def _sides(table: Table, columns: Columns, label_reader: LabelReader) -> dict[str, Any]:
    from pyspark.sql import functions as sql

    gaps = table.how.all_gaps
    sides = {}
    if columns.label is not None:
        column, type_name = table.column(columns.label), table.types[columns.label]
        if label_reader.is_regression:
            sides[LABEL] = table_columns.number(column, type_name, gaps)
        else:
            labels = label_reader.values or tuple(range(label_reader.classes or csv.MAX_CLASSES))
            sides[LABEL] = table_columns.class_number(column, type_name, labels, gaps)
    if columns.weight is not None:
        sides[WEIGHT] = table_columns.number(table.column(columns.weight), table.types[columns.weight], gaps)
    if columns.validation is not None:
        sides[VALIDATION] = table_columns.flag(
            table.column(columns.validation), table.types[columns.validation], gaps
        )
    if table.has_record:
        sides[RECORD] = sql.col(RECORD).isNotNull().cast("double")
    return sides


def _elements(table: Table, plan: RowPlan, frame: Any) -> Any:
    """Return the RDD of Parsed and SplitStats, through Arrow where the driver and the executors have it."""
    if not has_arrow(table.context):
        return frame.rdd.mapPartitionsWithIndex(lambda index, rows: table_rows.from_rows(plan, index, rows))
    frame.sparkSession.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(plan.batch_rows))
    packed = frame.mapInArrow(lambda batches: table_rows.from_arrow(plan, batches), table_rows.ELEMENT)
    return packed.rdd.map(_unpickled)


def _unpickled(row: Any) -> Any:
    return pickle.loads(row[0])  # what our own tasks have pickled


def has_arrow(context: Any) -> bool:
    """Return whether driver and executors have what Spark needs for Arrow: pyarrow, and pandas before Spark 4."""
    modules = ("pyarrow",) if int(context.version.split(".")[0]) >= 4 else ("pyarrow", "pandas")
    if not _have(modules, 0):
        return False
    slots = context.defaultParallelism
    return all(context.parallelize(range(slots), slots).map(partial(_have, modules)).collect())


def _have(modules: Sequence[str], _: int) -> bool:
    return all(importlib.util.find_spec(module) is not None for module in modules)


# ---- faults ----


def _check(
    table: Table,
    columns: Columns,
    kinds: Sequence[Kind],
    schema: Sequence[ColumnSchema],
    label_reader: LabelReader,
    missing: str,
    all_stats: list[SplitStats],
) -> None:
    """Raise DataError for cells that are no values, and where there are no rows."""
    width = sum(kind.width for kind in kinds)
    zeros = np.zeros(width, np.int64)
    faults = sum((stats.cells for stats in all_stats if stats.cells is not None), CellFaults(zeros, zeros))
    place = f"{table.argument}: {table.path}"
    if faults.records:
        raise DataError(f"{place}: {_count(faults.records, 'line')} no rows{_example_record(table)}")
    if faults.bad.any():
        raise _bad_cells(table, columns, kinds, schema, faults.bad)
    if faults.labels:
        raise _bad_labels(table, columns, label_reader, faults.labels)
    if faults.weights:
        bound = f"0 to {table_rows.LARGEST_WEIGHT:g}"
        raise DataError(f"{place}: expected row weights from {bound}, found {faults.weights:,} others")
    if faults.flags:
        raise DataError(
            f"{place}: expected true or false, or 1 or 0, in the validation column, found {faults.flags:,} others"
        )
    if faults.gap_rows and missing == "error":
        gaps = np.flatnonzero(faults.gaps)
        raise DataError(
            f"{place}: {faults.gap_rows:,} {'row has' if faults.gap_rows == 1 else 'rows have'} gaps, in "
            f"{_listed(schema, gaps, faults.gaps)}; --missing mean, zero or indicator fills them, --missing drop "
            "leaves the rows out"
        )
    if faults.gap_rows and missing == "drop":
        table.notes.append(
            f"{table.argument}: {faults.gap_rows:,} rows with gaps are left out (--missing drop)"
        )
    if not any(stats.rows for stats in all_stats):
        raise DataError(f"{place}: expected rows, found none")


def _count(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number:,} {noun}s are"


def _listed(schema: Sequence[ColumnSchema], indices: np.ndarray, counts: np.ndarray) -> str:
    parts = [f"column {schema[index].name!r} ({counts[index]:,})" for index in indices[:SHOWN]]
    more = f" and {len(indices) - SHOWN:,} more columns" if len(indices) > SHOWN else ""
    return ", ".join(parts) + more


def _example_record(table: Table) -> str:
    from pyspark.sql import functions as sql

    rows = table.frame.filter(sql.col(RECORD).isNotNull())
    (row,) = table.collect(rows.select(sql.input_file_name(), RECORD).limit(1)) or [("", "")]
    text = str(row[1])
    count = "" if table.how.format != formats.CSV else f" of {table.width} fields"
    return f"{count}, such as {text[:LONGEST]!a} in {row[0]}; a quoted line end needs --read-option multiLine=true"


def _bad_cells(
    table: Table, columns: Columns, kinds: Sequence[Kind], schema: Sequence[ColumnSchema], bad: np.ndarray
) -> BadCellsError:
    """Return the error for cells that are no numbers, with an example of the first column that has some."""
    indices = np.flatnonzero(bad)
    owner = np.repeat(np.arange(len(kinds)), [kind.width for kind in kinds])[indices[0]]
    column, kind = columns.inputs[owner], kinds[owner]
    example = ""
    if kind.kind == NUMBER:
        example = _example(table, column)
    expected = "numbers within float32" if kind.kind == NUMBER else f"{kind.width} numbers a row"
    return BadCellsError(
        f"{table.argument}: {table.path}: expected {expected}, found other cells in {_listed(schema, indices, bad)}"
        f"{example}; --missing-values WORD takes a word for a gap, --categorical NAME reads a column as categories, "
        "--drop-columns NAME leaves it out"
    )


def _example(table: Table, column: int) -> str:
    from pyspark.sql import functions as sql

    value = table_columns.number(table.column(column), table.types[column], table.how.all_gaps)
    is_bad = sql.abs(value) > csv.LARGEST
    rows = table.frame.filter(is_bad & ~sql.isnan(value)).select(sql.input_file_name(), table.column(column))
    found = table.collect(rows.limit(1))
    return f", such as {str(found[0][1])[:LONGEST]!a} in {found[0][0]}" if found else ""


def _bad_labels(table: Table, columns: Columns, label_reader: LabelReader, count: int) -> DataError:
    from pyspark.sql import functions as sql

    index = columns.label or 0
    value = _sides(table, columns, label_reader)[LABEL]
    is_bad = sql.isnan(value) | (sql.abs(value) == float("inf"))
    if not label_reader.is_regression:
        is_bad = is_bad | (value < 0)
    rows = table.frame.filter(is_bad).select(sql.input_file_name(), table.column(index)).limit(1)
    found = table.collect(rows)
    example = ""
    if found:
        cell = "a gap" if found[0][1] is None else repr(str(found[0][1])[:LONGEST])
        example = f", such as {cell} in {found[0][0]}"
    expected = "a number as the target of each row" if label_reader.is_regression else "a label in each row"
    if label_reader.values is not None:
        expected = label_reader.expected
    elif label_reader.classes is not None and not label_reader.is_regression:
        expected = f"a class number in 0..{label_reader.classes - 1}"
    return DataError(
        f"{table.argument}: {table.path}: column {table.name_of(index)!r}: expected {expected}, found {count:,} other "
        f"cells{example}"
    )


# ---- labels in a file of their own ----


def labels_apart(table: Table, label_reader: LabelReader) -> tuple[np.ndarray, ClassLabels]:
    """Return the labels of a file of labels in the order of its rows: class numbers int16, or targets float64."""
    if table.width != 1:
        raise DataError(
            f"{table.argument}: expected one column of labels, found {table.width} in {table.path}"
        )
    column, type_name, gaps = table.column(0), table.types[0], table.how.all_gaps
    if label_reader.is_regression:
        values = table_columns.number(column, type_name, gaps)
    else:
        values = table_columns.name(column, type_name, gaps)
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
            f"{table.argument}: {table.path}: expected a label, found a gap in row {ordered.index(None) + 1}"
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
        expected = label_reader.expected if label_reader.values else f"a class number in 0..{len(values) - 1}"
        raise DataError(
            f"{table.argument}: {table.path}: expected {expected}, found {ordered[unknown]!r} in row {unknown + 1}"
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
