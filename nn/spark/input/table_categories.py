"""Count the categories and the labels of a training set, in one job of Spark SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nn.core.errors import DataError
from nn.data import csv, quoted_text
from nn.data.columns import matching
from nn.data.decoding import ClassLabels, are_class_numbers, sorted_labels
from nn.data.labels import refuse_many, shown
from nn.data.schema import ColumnSchema, categories_of
from nn.data.tables import name_of
from nn.spark.input import table_columns
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.input.table_columns import CATEGORY, REAL_TYPES, STRING
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_source import Table

DISTINCT = (
    0.9  # distinct values per row, from which a column of strings tells rows apart and not kinds of rows
)
FEWEST = 20  # rows, from which that is told


class Counts(NamedTuple):
    """The values of one column, without missing values."""

    rows: dict[str, int]  # rows of each of the most frequent values
    distinct: int = 0  # number of different values
    total: int = 0  # rows with a value


def with_categories(layout: Layout, options: ReadingOptions) -> Layout:
    """Return the layout of a training set with the values of its categories and the labels of its classes.

    A model that training starts from has both already, or the categories alone.
    """
    indices = [
        index
        for index, kind in zip(layout.columns.inputs, layout.kinds, strict=True)
        if kind.kind == CATEGORY and options.model is None
    ]
    has_classes = layout.label_reader.is_regression or layout.label_reader.classes is not None
    label = None if has_classes else layout.columns.label
    if label is not None:
        indices.append(label)
    if not indices:
        return layout
    cap = options.max_categories if label is None else max(options.max_categories, csv.MAX_CLASSES)
    counted = count_values(layout.table, indices, cap)
    if options.model is None:
        layout = layout._replace(schema=_schema(layout, counted, options))
    if label is None:
        return layout
    counts = counted.get(label, Counts({}))
    decoder = decoder_of_names(list(counts.rows), counts.distinct, layout.table.argument)
    return layout._replace(label_reader=layout.label_reader._replace(values=decoder.labels))


def refuse_unknown(layout: Layout, advice: str) -> None:
    """Raise DataError for categories that the training rows have not (--unknown error); `advice`: what to do."""
    from pyspark.sql import functions as sql

    table, asked, first = layout.table, [], 0
    for index, kind in zip(layout.columns.inputs, layout.kinds, strict=True):
        column, first = layout.schema[first], first + kind.width
        if column.values is not None and not column.rare:
            cells, type_name, missing_values = table.cell(index)
            is_unknown = table_columns.category(cells, type_name, column.values, missing_values) < 0
            asked.append(
                (column.name, sql.when(is_unknown, table_columns.name(cells, type_name, missing_values)))
            )
    if not asked:
        return
    (row,) = table.collect(
        table.frame.select(*(each(other) for _, other in asked for each in (sql.count, sql.min)))
    )
    for (name, _), count, example in zip(asked, row[::2], row[1::2], strict=True):
        if count:
            raise DataError(
                f"{layout.place}: column {name!r}: expected the categories of the training rows, found others in "
                f"{count:,} {'row' if count == 1 else 'rows'}, such as {example!r}; {advice}"
            )


def _schema(layout: Layout, counted: dict[int, Counts], options: ReadingOptions) -> tuple[ColumnSchema, ...]:
    """Return the columns of inputs with the values of the categories."""
    table, cap = layout.table, options.max_categories
    asked = matching(options.categorical, table.names, table.width, table.path, "--categorical")
    schema, first = list(layout.schema), 0
    for index, kind in zip(layout.columns.inputs, layout.kinds, strict=True):
        if kind.kind == CATEGORY:
            counts = counted.get(index, Counts({}))
            _refuse_names_of_rows(table, index, counts)
            values, _ = categories_of(counts.rows, cap)
            if note := _odd_texts(table, index, values, index in asked):
                table.notes.append(f"{table.argument}: column {table.name_of(index)!r} has {note}")
            rare = counts.distinct > cap
            if rare:
                table.notes.append(
                    f"{table.argument}: column {table.name_of(index)!r} has {counts.distinct:,} categories: the "
                    f"{cap:,} most frequent are kept, the others are one (--max-categories)"
                )
            schema[first] = schema[first]._replace(values=values, rare=rare)
        first += kind.width
    return tuple(schema)


def count_values(table: Table, indices: Sequence[int], cap: int) -> dict[int, Counts]:
    """Count the values of columns, of each the `cap` most frequent ones."""
    from pyspark.sql import Window
    from pyspark.sql import functions as sql

    names = ((index, table_columns.name(*table.cell(index))) for index in indices)
    pairs = sql.array(*(sql.struct(sql.lit(i).alias("column"), name.alias("value")) for i, name in names))
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
    found: dict[int, Counts] = {}
    for row in table.collect(ranked):
        counts = found.setdefault(row["column"], Counts({}, row["distinct"], row["total"]))
        value = row["value"]
        if table.types[row["column"]] in REAL_TYPES:
            value = name_of(float(value))  # as Python writes it
        counts.rows[value] = row["count"]
    return found


def are_names_of_rows(counts: Counts) -> bool:
    """Return whether nearly every row has a text of its own."""
    return counts.total >= FEWEST and counts.distinct >= DISTINCT * counts.total


def _refuse_names_of_rows(table: Table, index: int, counts: Counts) -> None:
    if are_names_of_rows(counts):
        name = table.name_of(index)
        if quoted_text.are_numbers(counts.rows):
            example = next(iter(counts.rows))
            found = f"strings of numbers, such as {example!r}: write it as a column of numbers, or leave"
        else:
            found = "it names the rows, or holds dates or free text, and cannot be learned from; leave"
        raise DataError(
            f"{table.argument}: column {name!r} of {table.path} has {counts.distinct:,} different strings in "
            f"{counts.total:,} rows: {found} it out with --drop-columns {name}"
        )


def _odd_texts(table: Table, index: int, values: Sequence[str], is_asked: bool) -> str | None:
    """Return a note on categories with bytes that are not UTF-8, or that are numbers in a format with types."""
    damaged = next((value for value in values if "\ufffd" in value), None)
    if damaged is not None and not table.how.has_types:
        return (
            f"bytes that are not UTF-8, as in {damaged!a}; --read-option encoding=ISO-8859-1, or another, names the "
            "encoding"
        )
    if table.types[index] == STRING and not is_asked and quoted_text.are_numbers(values):
        return (
            f"strings of numbers, such as {values[0]!r}, which become categories: write it as a column of numbers, or "
            "name it in --categorical"
        )
    return None


def decoder_of_names(names: Sequence[str], distinct: int, argument: str) -> ClassLabels:
    """Return the labels of the classes, given their names. Raises DataError where they are none."""
    if not names:
        raise DataError(f"{argument}: expected labels, found missing values alone")
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
