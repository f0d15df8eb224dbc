"""Read what training or predicting depends on from files on this machine, without Spark: for --dry-run.

Of numeric text, that is the width of a row, in the first line of TRAIN_IMAGES, and the labels, which are read whole. A
table in CSV is read whole.
"""

from __future__ import annotations

import os
from typing import TextIO

import numpy as np

from nn.cli.local_paths import local_files
from nn.cli.options import PEEKED, Options
from nn.cli.predict_options import PredictOptions
from nn.core.errors import DataError
from nn.data import csv, dialect, first_lines, hold_out, quoted_rows, quoted_text
from nn.data.columns import Columns, matching
from nn.data.decoding import ClassLabels, sorted_labels
from nn.data.dialect import Dialect
from nn.data.first_lines import FirstLines
from nn.data.labels import LabelReader, decoder_of
from nn.data.model_columns import Offered
from nn.data.quoted_rows import Cells
from nn.data.quoted_text import QuotedText
from nn.data.schema import ColumnSchema
from nn.data.statistics import column_statistics
from nn.data.tables import pack, schema_of
from nn.spark.input import table_columns
from nn.spark.input.formats import AUTO, CSV, TEXT, format_of
from nn.spark.input.input_files import INPUT
from nn.spark.input.table_categories import decoder_of_names
from nn.spark.input.table_columns import NUMBER
from nn.spark.input.table_source import SAMPLE, TableFormat
from nn.training.backend import Facts

_BYTES = "latin-1"  # a character for each byte


class _CellError(DataError):
    """A cell of text is no number: a reader of quotes, names and missing values may read it."""

    brief = ""  # without what to do


def read_facts(options: Options, notes: list[str] | None = None) -> Facts | None:
    """Return the facts of the rows to learn from; None where only Spark reads them. Add to the notes for the user.

    Raises DataError for an empty file, a missing column, and a cell or a label that training would refuse.
    """
    images = local_files(options.train_images)
    labels = images if options.train_labels == "-" else local_files(options.train_labels)
    if not images or not labels:
        return None
    fault = None
    if options.format in (None, AUTO, TEXT):
        if not _is_text(images) or options.read_option or options.recipe.categorical:
            return None
        try:
            return _to_learn_from(_numeric_facts(options, images, labels), options)
        except _CellError as error:
            if options.format == TEXT:
                raise
            fault = error
    elif options.format != CSV or options.read_option:
        return None
    facts = _table_facts(options, images, labels, fault)
    if fault is not None and notes is not None and facts is not None:
        notes.append(f"{fault.brief}: read with the reader of CSV instead")
    return _to_learn_from(facts, options)


def _to_learn_from(facts: Facts | None, options: Options) -> Facts | None:
    """Leave out the rows that --test-fraction splits off. Raises DataError for rows of one class."""
    if facts is None:
        return None
    if not options.recipe.is_regression and len(found := np.unique(facts.labels)) == 1:
        raise DataError(
            f"{_labels_argument(options)}: expected at least 2 classes, found class {found[0]} alone"
        )
    if not options.test_fraction:
        return facts
    classes = np.zeros(len(facts.labels), np.int16) if options.recipe.is_regression else facts.labels
    is_test = hold_out.stratified(classes, options.test_fraction, options.recipe.seed)
    return facts._replace(labels=facts.labels[~is_test])


def _labels_argument(options: Options) -> str:
    return "TRAIN_IMAGES" if options.train_labels == "-" else "TRAIN_LABELS"


def _is_text(images: list[str]) -> bool:
    """Return whether files are text, as far as their first bytes say."""
    path = next((file for file in images if os.path.getsize(file)), images[0])
    with open(path, "rb") as file:
        return format_of(path, file.read(PEEKED)) == TEXT


def read_columns(options: PredictOptions, is_numeric: bool) -> Offered | None:
    """Return the columns of rows to predict; None where only Spark reads them.

    `is_numeric`: INPUT may be text of numbers. Raises DataError for an empty file, and for a first line that is no row.
    """
    files = local_files(options.input)
    format = options.format or AUTO
    if not files or format not in (AUTO, TEXT, CSV) or options.read_option or not _is_text(files):
        return None
    if format == TEXT or (format == AUTO and is_numeric):
        try:
            first = _first_lines(INPUT, files, options)
            if first is None:
                return None
            return Offered(INPUT, options.input, first.names, [1] * first.dialect.width)
        except _CellError:
            if format == TEXT:
                raise
    text = _quoted_text(options, INPUT, files)
    return Offered(INPUT, options.input, text.names, [1] * text.width)


# ---- numeric text ----


def _numeric_facts(options: Options, images: list[str], files: list[str]) -> Facts | None:
    """Return the facts of text of numbers; None for a line of more than PEEKED bytes. Raises _CellError."""
    if (first := _first_lines("TRAIN_IMAGES", images, options)) is None:
        return None
    columns = Columns.of(options.sources()[0].roles, first.names, first.dialect.width, options.train_images)
    argument = _labels_argument(options)
    of_labels = first if options.train_labels == "-" else _first_lines(argument, files, options)
    if of_labels is None:
        return None
    width, partitions = len(columns.inputs), options.partitions or 1
    label_reader = LabelReader(options.recipe.task)
    labels = _read_labels(argument, files, of_labels.dialect, columns.label, label_reader)
    if options.recipe.is_regression:
        return Facts(width, labels, 1, partitions=partitions).unscaled()
    if labels.min() == 0 and labels.max() >= csv.MAX_CLASSES:
        # Read again for the line of the first label that is no class number.
        label_reader = label_reader._replace(classes=csv.MAX_CLASSES)
        _read_labels(argument, files, of_labels.dialect, columns.label, label_reader)
    labeled, numbers = decoder_of(labels, argument)
    return Facts(width, numbers, int(numbers.max()) + 1, 1.0, partitions, labeled=labeled).unscaled()


def _first_lines(argument: str, files: list[str], options: Options | PredictOptions) -> FirstLines | None:
    """Read the first lines of the first file that is not empty; return None if one is longer than PEEKED bytes.

    Raises DataError if there are none, or the first is neither a header nor a row.
    """
    path = next((file for file in files if os.path.getsize(file)), files[0])
    header, skip = options.first_line_rules
    with _open(path) as file:
        lines = [file.readline(PEEKED).encode(_BYTES) for _ in range(skip + dialect.LOOKED_AT)]
    if max(map(len, lines)) >= PEEKED:
        return None
    texts = [line.decode("utf-8", errors="replace").strip() for line in lines]
    if not any(texts[skip:]):
        raise DataError(f"{argument}: expected rows of numbers, found nothing in {path}")
    first = first_lines.inspect(texts, header, skip, argument.endswith("LABELS"), lambda: b"".join(lines))
    if first.fault is not None:
        raise _error(argument, first.fault, path, skip, len(files) > 1)
    return first


def _open(path: str) -> TextIO:
    """Open a file whose lines end as those of Hadoop: at a lone carriage return too, as bytes do not."""
    return open(path, encoding=_BYTES, newline="")


def _read_labels(
    argument: str, files: list[str], dialect: Dialect, column: int | None, label_reader: LabelReader
) -> np.ndarray:
    """Parse the label of every row, (n,), which is in a column of the images if `column` is not None.

    Raises DataError for a line that is no row, an invalid label, and files without rows.
    """
    parts: list[np.ndarray] = []
    kind = np.float64 if label_reader.is_regression else np.float32
    labels: np.ndarray | csv.LineError | None
    for path in files:
        with _open(path) as file:
            for part in csv.parse((line.rstrip("\r\n").encode(_BYTES) for line in file), dialect, kind=kind):
                if isinstance(part, csv.Chunk):
                    values = part.values if column is None else part.values[:, [column]]
                    labels = label_reader.read(values, part.line)
                else:
                    labels = part.fault
                if isinstance(labels, csv.LineError):
                    raise _error(argument, labels, path, dialect.skip, len(files) > 1)
                if labels is not None:
                    parts.append(labels)
    if not parts:
        raise DataError(f"{argument}: expected rows of numbers, found none in {files[0]}")
    return np.concatenate(parts)


def _error(argument: str, fault: csv.LineError, path: str, skip: int, of_many: bool) -> DataError:
    """Return the error for a line that is no row, or no label."""
    message = f"{argument}: {first_lines.error_message(fault, path, skip, of_many)}"
    if not fault.in_cell:
        return DataError(message)
    error = _CellError(message)
    error.brief = f"{argument}: {first_lines.error_message(fault._replace(hint=''), path, skip, False)}"
    return error


# ---- tables ----


def _table_facts(
    options: Options, images: list[str], files: list[str], fault: _CellError | None
) -> Facts | None:
    """Return the facts of a table in CSV; None where only Spark reads it. Raises `fault` for cells that are wrong."""
    text, cells = _columns(options, "TRAIN_IMAGES", images)
    if cells is None:
        return None
    path, source = options.train_images, options.sources()[0]
    columns = Columns.of(source.roles, text.names, text.width, path)
    of_labels = cells[columns.label] if columns.label is not None else _only(options, files)
    schema = _schema(options, text, columns, cells, fault)
    labels = None if of_labels is None else _labels(options, of_labels, fault)
    if schema is None or labels is None or len(labels[0]) != len(cells[0]):
        return None
    packed, (values, labeled) = schema[1], labels
    if options.recipe.missing == "drop":
        kept = ~np.isnan(packed).any(axis=1)
        packed, values = packed[kept], values[kept]
    classes = 1 if options.recipe.is_regression else max(2, int(values.max(initial=0)) + 1)
    return Facts(
        packed.shape[1],
        values,
        classes,
        1.0,
        options.partitions or 1,
        schema[0],
        labeled,
        statistics=column_statistics(packed),
    )


def _columns(options: Options, argument: str, files: list[str]) -> tuple[QuotedText, list[Cells] | None]:
    """Return the format of a table in CSV, and its cells by column; None where a row has another width."""
    text = _quoted_text(options, argument, files)
    how = TableFormat(CSV, *options.first_line_rules, missing_values=options.missing_values)
    return text, quoted_rows.read_columns(files, text, how.skip_lines, how.all_missing_values)


def _quoted_text(options: Options | PredictOptions, argument: str, files: list[str]) -> QuotedText:
    """Return the format of a table in CSV, by the first lines of the first file that is not empty."""
    how = TableFormat(CSV, *options.first_line_rules, missing_values=options.missing_values)
    path = next((file for file in files if os.path.getsize(file)), files[0])
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        lines = [file.readline(PEEKED) for _ in range(how.skip_lines + quoted_text.LOOKED_AT)]
    lines = [line.rstrip("\r\n") for line in lines[how.skip_lines :] if line.strip()]
    if not lines:
        raise DataError(f"{argument}: expected rows, found nothing in {path}")
    text = quoted_text.inspect(
        lines, how.header, argument.endswith("LABELS"), missing_values=how.all_missing_values
    )
    if text.fault:
        raise DataError(f"{argument}: {path}: {text.fault}")
    return text


def _only(options: Options, files: list[str]) -> Cells | None:
    """Return the cells of a file of labels; None unless it has one column."""
    _, columns = _columns(options, "TRAIN_LABELS", files)
    return columns[0] if columns is not None and len(columns) == 1 else None


def _schema(
    options: Options, text: QuotedText, columns: Columns, cells: list[Cells], fault: _CellError | None
) -> tuple[tuple[ColumnSchema, ...], np.ndarray] | None:
    """Return the columns of inputs and their rows (n, c) as in blocks; None for cells that are no numbers."""
    recipe, path = options.recipe, options.train_images
    categorical = matching(recipe.categorical, text.names, text.width, path, "--categorical")
    names = text.names or tuple(map(str, range(text.width)))
    table: dict[str, np.ndarray] = {}
    for index in columns.inputs:
        sample, is_categorical = cells[index][:SAMPLE], index in categorical
        try:
            kind = table_columns.kind_of(names[index], table_columns.TEXT, sample, is_categorical, ())
        except DataError as error:
            place = f"TRAIN_IMAGES: {path}"
            raise DataError(f"{place}: {error}") from None
        values = quoted_rows.numbers(cells[index]) if kind.kind == NUMBER else np.array(cells[index], object)
        if values is None:
            if fault is not None:
                raise fault
            return None
        table[str(index)] = values
    schema = schema_of(table, (), recipe.max_categories, recipe.centers_columns)
    named = (column._replace(name=names[int(column.name)]) for column in schema)
    return tuple(named), pack(schema, table)


def _labels(
    options: Options, cells: Cells, fault: _CellError | None
) -> tuple[np.ndarray, ClassLabels] | None:
    """Return the targets or the class numbers (n,), and the labels of the classes; None for missing values."""
    if None in cells:
        return None
    if options.recipe.is_regression:
        values = quoted_rows.numbers(cells)
        if values is None and fault is not None:
            raise fault
        return None if values is None else (values, ClassLabels())
    distinct = sorted({cell for cell in cells if cell is not None})
    labeled = decoder_of_names(distinct, len(distinct), _labels_argument(options))
    if labeled.labels is None:
        return np.array([int(float(cell or 0)) for cell in cells], np.int16), labeled
    are_texts = any(isinstance(label, str) for label in labeled.labels)
    codes = {label: code for code, label in enumerate(labeled.labels)}
    known = {name: codes[name if are_texts else sorted_labels([name])[0]] for name in distinct}
    return np.array([known[cell or ""] for cell in cells], np.int16), labeled
