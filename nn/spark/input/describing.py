"""Describe a training set in one pass over its rows, whatever its columns are: also columns that training refuses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from functools import partial
from operator import add
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.columns import Columns
from nn.data.decoding import ClassLabels
from nn.data.description import Limits, Summary, row_hashes
from nn.data.labels import REGRESSION, LabelReader
from nn.data.schema import LARGE, ColumnSchema
from nn.spark.input import formats, table_columns
from nn.spark.input.described_columns import INPUT, LABEL, VALIDATION, WIDE_TYPES, FileColumn, file_columns
from nn.spark.input.described_rows import Layout, of_lines, of_rows
from nn.spark.input.input_files import IMAGES, Files, Source, open_images, open_labels, read_as_needed
from nn.spark.input.labels import labels_apart
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, VECTOR
from nn.spark.input.table_source import RECORD, Table
from nn.spark.input.text_source import SplitStats, TextFile
from nn.spark.storage.filesystem import Storage

FEW_COLUMNS = 64  # of numeric text: so many are read with all their digits


class Labels(NamedTuple):
    """The labels of a file of their own."""

    argument: str
    values: np.ndarray  # (n,) class numbers, or targets
    decoder: ClassLabels
    groups: np.ndarray  # (k,) uint64: the sum of the hashes of the rows of each class, sorted


class Description(NamedTuple):
    """What one pass over a training set found."""

    argument: str
    path: str
    format: str
    columns: tuple[FileColumn, ...]
    summary: Summary
    labels: Labels | None  # None: they are a column, or there are none
    notes: tuple[str, ...]  # for the user, a line each
    partitions: int
    has_names: bool

    @property
    def label(self) -> FileColumn | None:
        """Return the column of the labels."""
        return next((column for column in self.columns if column.role == LABEL), None)

    @property
    def inputs(self) -> list[FileColumn]:
        """Return the columns of inputs that training does not refuse."""
        return [column for column in self.columns if column.role == INPUT and not column.refused]


def describe(
    context: Any, storage: Storage, source: Source, partitions: int, options: ReadingOptions
) -> Description:
    """Read a training set once and describe it. Raises DataError for lines that are no rows."""

    def opened(as_csv: frozenset[str]) -> Description:
        images = open_images(context, storage, source, partitions, as_csv)
        columns = Columns.of(source.roles, images.names, images.width, images.path)
        labels = open_labels(context, storage, source, partitions, images, as_csv)
        return describe_files(images, labels, columns, options)

    found, notes = read_as_needed(source.format, opened, as_csv_by(options))
    return found._replace(notes=(*notes, *found.notes))


def as_csv_by(options: ReadingOptions) -> frozenset[str]:
    """Return the kinds of arguments that the fast reader does not read in any case."""
    return frozenset({IMAGES} if options.categorical else ())


def describe_files(
    images: TextFile | Table, labels: TextFile | Table | None, resolved: Columns, options: ReadingOptions
) -> Description:
    """Read a training set that is open. Raises DataError, or BadLineError, for lines that are no rows."""
    columns = file_columns(images, resolved, options)
    layout = _layout(columns, len(images.splits))
    parts = _of_text(images, layout) if isinstance(images, TextFile) else _of_table(images, layout, columns)
    if not parts:
        raise DataError(f"{images.argument}: expected rows, found none in {images.path}")
    summary = functools.reduce(add, (summary for _, summary in parts))
    apart = None
    if labels is not None:
        apart = _labels_apart(Files(images, labels, resolved, ()), parts, summary.rows, options)
    return Description(
        images.argument,
        images.path,
        formats.TEXT if isinstance(images, TextFile) else images.how.format,
        columns,
        summary,
        apart,
        (*images.notes, *(labels.notes if labels else ())),
        min(len(images.splits), images.partitions),
        isinstance(images, Table) or bool(images.names),
    )


def schemas(description: Description, offsets: bool, categories: int) -> tuple[ColumnSchema, ...]:
    """Return the columns of the inputs as training would see them; categories have numbers as names.

    `offsets`: whether columns of large numbers are kept less their first value. `categories`: the most of a column.
    """
    summary, found = description.summary, []
    for column in description.inputs:
        if column.kind.kind == CATEGORY:
            count = summary.distinct[column.first].number
            names = tuple(map(str, range(min(count, categories))))
            found.append(ColumnSchema(column.name, names, count > categories))
            continue
        for name, index in zip(column.names, column.numbers, strict=True):
            first = float(summary.firsts[index])
            has_offset = offsets and abs(first) >= LARGE and column.kind.kind != BYTES
            found.append(ColumnSchema(name, offset=first if has_offset else 0.0))
    return tuple(found)


def _layout(columns: Sequence[FileColumn], splits: int) -> Layout:
    """Return the layout for the columns of a file."""
    width = columns[-1].first + columns[-1].kind.width
    wide = [column for column in columns if column.is_wide]
    scalars = [column.first for column in columns if column.kind.kind == NUMBER]
    texts = [column.first for column in columns if not column.is_wide and column.kind.kind != NUMBER]
    return Layout(
        width,
        tuple(scalars),
        tuple((column.first, column.kind.width, column.kind.kind == BYTES) for column in wide),
        tuple(texts),
        tuple(number for column in columns if column.role == INPUT for number in column.numbers),
        next((column.first for column in columns if column.role == LABEL), None),
        Limits.of(width, splits),
    )


# ---- numeric text ----


def _of_text(images: TextFile, layout: Layout) -> list[tuple[int, Summary]]:
    """Return the summary of each split of numeric text, in order. Raises BadLineError for the first bad line."""
    first = csv.to_array([images.first_row.encode()], images.dialect, kind=np.float64)
    is_large = isinstance(first, np.ndarray) and (np.abs(first) >= LARGE).any()
    kind = np.float64 if is_large or images.width <= FEW_COLUMNS else np.float32
    elements = images.collect(images.parsed(partial(of_lines, images.dialect, layout, kind)))
    images.check([element for element in elements if isinstance(element, SplitStats)])
    return [element for element in elements if not isinstance(element, SplitStats)]


# ---- tables ----


def _of_table(table: Table, layout: Layout, columns: Sequence[FileColumn]) -> list[tuple[int, Summary]]:
    """Return the summary of each split of a table, in order."""
    with table.readable():
        rows = _frame(table, columns).rdd
    parts = dict(table.collect(rows.mapPartitionsWithIndex(partial(of_rows, layout, table.has_record))))
    return [(split, parts[split]) for split in table.order if split in parts]


def _frame(table: Table, columns: Sequence[FileColumn]) -> Any:
    """Return the frame of one array of all scalars, the arrays and vectors, one of all strings, and the records."""
    from pyspark.sql import functions as sql

    missing_values = table.how.all_missing_values
    scalars, pieces, texts = [], [], []
    for index, column in enumerate(columns):
        cells, type_name, kind = table.column(index), table.types[index], column.kind
        if column.role == VALIDATION:
            scalars.append(table_columns.flag(cells, type_name, missing_values))
        elif kind.kind == NUMBER:
            scalars.append(table_columns.number(cells, type_name, missing_values))
        elif kind.kind == BYTES:
            pieces.append(sql.when(sql.length(cells) == kind.width, cells))
        elif kind.kind in (ARRAY, VECTOR):
            pieces.append(table_columns.numbers(cells, kind, [0.0] * kind.width))
        elif kind.kind == CATEGORY:
            texts.append(table_columns.name(cells, type_name, missing_values).cast("string"))
        else:
            is_wide = type_name in WIDE_TYPES  # and has no values
            texts.append(sql.lit(None).cast("string") if is_wide else cells.cast("string"))
    records = [sql.col(RECORD).isNotNull()] if table.has_record else []
    arrays = [
        sql.array(*scalars) if scalars else sql.lit(None),
        *pieces,
        sql.array(*texts) if texts else sql.lit(None),
    ]
    named = [column.alias(f"p{number}") for number, column in enumerate((*arrays, *records))]
    return table.frame.select(*named)


# ---- labels in a file of their own ----


def _labels_apart(
    files: Files, parts: Sequence[tuple[int, Summary]], rows: int, options: ReadingOptions
) -> Labels:
    """Read the labels; group the hashes of the rows by class, as the summaries group them by value."""
    assert files.labels is not None
    labels = labels_apart(files, rows, LabelReader(options.task))
    sums = np.zeros(0, np.uint64)
    if options.task != REGRESSION:
        hashed = np.concatenate([row_hashes(split, 0, summary.rows) for split, summary in parts])
        groups, codes = np.unique(labels.values, return_inverse=True)
        sums = np.zeros(len(groups), np.uint64)
        np.add.at(sums, codes.reshape(-1), hashed)
    return Labels(files.labels.argument, labels.values, labels.decoder, np.sort(sums))
