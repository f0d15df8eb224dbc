"""Open the files of one set, images and labels, and check their first lines against each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from nn.core.errors import DataError
from nn.data import csv, dialect
from nn.data.columns import Columns, Reference, Roles, columns_of_test
from nn.data.schema import ColumnSchema, offset_of
from nn.spark.input import formats, table_kinds
from nn.spark.input.formats import AUTO, CSV, READ_AS_CSV, TEXT
from nn.spark.input.reading_options import DEFAULTS, ReadingOptions
from nn.spark.input.table_columns import Kind
from nn.spark.input.table_faults import BadCellsError
from nn.spark.input.table_source import Table, TableFormat
from nn.spark.input.text_source import BadLineError, TextFile
from nn.spark.storage.filesystem import Storage

FIRST_BYTES = 1 << 16  # of a file, which show its format
IMAGES, LABELS = "IMAGES", "LABELS"
INPUT = "INPUT"


def kind_of(argument: str) -> str:
    """Return whether an argument names IMAGES or LABELS."""
    return LABELS if argument.endswith(LABELS) else IMAGES


T = TypeVar("T")


def read_as_needed(
    format: str,
    read: Callable[[frozenset[str]], T],
    as_csv: frozenset[str] = frozenset(),
    names_line: bool = False,
) -> tuple[T, list[str]]:
    """Return what `read` returns, and a note for each argument that Spark's reader of CSV has to read.

    `read` gets the kinds of arguments to read so, from `as_csv` on: where the fast reader meets a cell that is no
    number, it is called again. `names_line`: where Spark's reader takes that cell for no number either, the error is
    that of the fast reader, which names the line.
    """
    faults: dict[str, BadLineError] = {}
    while True:
        try:
            return read(as_csv), [f"{fault.brief}: {READ_AS_CSV}" for fault in faults.values()]
        except BadLineError as fault:
            kind = kind_of(fault.argument)
            if not fault.in_cell or format != AUTO or kind in as_csv:
                raise
            faults[kind] = fault.with_traceback(None)  # it would hold all that was read
            as_csv |= {kind}
        except BadCellsError:
            if names_line and IMAGES in faults:
                raise faults[IMAGES] from None
            raise


class Source(NamedTuple):
    """The paths of one set's images and labels, and how to read them."""

    name: str  # TRAIN, TEST or INPUT, as in the command line's arguments
    images: str
    labels: str | None  # None: in column `label_column` of the images
    label_column: Reference | None = None
    weight_column: Reference | None = None  # of the images, where rows have weights
    header: str = dialect.AUTO  # one of dialect.HEADERS
    skip_lines: int = 0  # before the header or the first row of each file
    id_column: Reference | None = None
    validation_column: Reference | None = None
    features: tuple[Reference, ...] = ()
    drop_columns: tuple[Reference, ...] = ()
    format: str = AUTO  # one of formats.FORMATS
    read_options: tuple[str, ...] = ()  # key=value each, for Spark's reader
    missing_values: tuple[str, ...] = ()  # more words for missing values
    vector_width: int | None = None  # of the rows of LibSVM, where a model says it

    def argument(self, kind: str) -> str:
        """Return the command line's argument for IMAGES or LABELS: TRAIN_IMAGES, ..., INPUT or LABELS."""
        if self.name == INPUT:
            return INPUT if kind == IMAGES else LABELS
        return f"{self.name}_{kind}"

    @property
    def roles(self) -> Roles:
        """Return the references to columns of the images."""
        label = self.label_column if self.labels is None else None
        if label is None and self.labels is None and self.format == formats.LIBSVM:
            label = 0  # Spark's reader puts it first
        return Roles(
            label,
            self.weight_column,
            self.id_column,
            self.validation_column,
            self.features,
            self.drop_columns,
        )


class Files(NamedTuple):
    """One set's files, opened: listed, cut into input splits, their first lines read."""

    images: TextFile | Table
    labels: TextFile | Table | None
    columns: Columns
    schema: tuple[ColumnSchema, ...]  # of the inputs
    kinds: tuple[Kind, ...] = ()  # of the columns of a table

    @classmethod
    def open(
        cls,
        context: Any,
        storage: Storage,
        source: Source,
        partitions: int,
        options: ReadingOptions = DEFAULTS,
        as_csv: frozenset[str] = frozenset(),
    ) -> Files:
        """Open images and labels. Raises DataError where a file is missing or empty, or the two are swapped.

        Text of `as_csv`, IMAGES or LABELS, is read with Spark's reader.
        """
        as_csv = as_csv | {IMAGES} if options.categorical else as_csv
        images = _open(context, storage, source, IMAGES, source.images, partitions, as_csv)
        columns = Columns.of(source.roles, images.names, images.width, images.path)
        if isinstance(images, Table):
            images.notes += _labels_of_folders(images, source.roles, columns)
            images.notes += positions_in_json(images, source.roles)
            kinds, schema = table_kinds.decide(images, columns, options)
        else:
            kinds, schema = (), _schema(images, columns, options.offsets)
        labels = open_labels(context, storage, source, partitions, images, as_csv)
        return cls(images, labels, columns, schema, kinds)

    @classmethod
    def open_test(
        cls,
        context: Any,
        storage: Storage,
        source: Source,
        partitions: int,
        train: Files,
        as_csv: frozenset[str] = frozenset(),
    ) -> Files:
        """Open the test set that belongs to a training set, whose kinds of columns it takes over."""
        if isinstance(train.images, Table):
            as_csv = as_csv | {IMAGES}
        images = _open(context, storage, source, IMAGES, source.images, partitions, as_csv, train.images)
        if isinstance(train.images, TextFile) and isinstance(images, Table):
            # Columns of tables are told by their names and types: both sets are read as tables.
            brief = f"{train.images.path} is text of numbers, {images.path} is {images.how.format}"
            argument = train.images.argument
            raise BadLineError(argument, brief, in_cell=True, brief=brief)
        columns = columns_of_test(
            source.roles, train.columns, train.images.names, images.names, images.width, images.path
        )
        images.notes += other_names(train, images, columns)
        labels = open_labels(context, storage, source, partitions, images, as_csv)
        return cls(images, labels, columns, train.schema, train.kinds)

    @property
    def width(self) -> int:
        """Return the number of input values per row."""
        return sum(kind.width for kind in self.kinds) if self.kinds else len(self.columns.inputs)

    @property
    def offsets(self) -> list[float]:
        """Return what is taken off each column of inputs; an empty list where nothing is."""
        offsets = [column.offset for column in self.schema]
        return offsets if any(offsets) else []

    @property
    def labels_argument(self) -> str:
        """Return the command line's argument for the file that holds the labels."""
        return self.images.argument if self.labels is None else self.labels.argument

    def refuse_other_width(self, train: Files) -> None:
        """Raise DataError where the rows of a test set are not as wide as those of its training set."""
        expected, found = len(train.columns.inputs), len(self.columns.inputs)
        if found != expected:
            lacks_labels = self.columns.label is not None and self.columns.width == expected
            advice = self._without_folders(train) or (
                "; does this file have no labels?" if lacks_labels else ""
            )
            raise DataError(
                f"TEST_IMAGES: expected {expected} input columns as in TRAIN_IMAGES, found {found} in "
                f"{self.images.path}{self._taken_columns()}{advice}"
            )

    def _without_folders(self, train: Files) -> str:
        """Return which column of the training set's folders a test set lacks, for a message; empty where it has all."""
        if not isinstance(train.images, Table):
            return ""
        names = [train.images.name_of(column) for column in sorted(train.images.folder_columns)]
        lacking = [name for name in names if name not in self.images.names]
        if not lacking:
            return ""
        return (
            f"; it lacks the column {lacking[0]!r}, which TRAIN_IMAGES takes from its folders {lacking[0]}=...: "
            f"--read-option basePath={train.images.path} adds it, {train.images.path}/* reads TRAIN_IMAGES without it"
        )

    def _taken_columns(self) -> str:
        """Return that a column holds the labels, for a message; empty where none does."""
        if self.columns.label is None:
            return ""
        return f": it has {self.columns.width} columns, of which column {self.columns.label} was taken for the labels"


def _labels_of_folders(table: Table, roles: Roles, columns: Columns) -> list[str]:
    """Return a note where the number of the label's column is that of a column that only folders have."""
    if columns.label not in table.folder_columns or isinstance(roles.label, str):
        return []
    name = table.name_of(columns.label)
    return [
        f"{table.argument}: column {roles.label} is {name!r}, the names of the folders {name}=..., which come after "
        f"the columns of the files: they are the labels; if another column is meant, give its name or its number from 0"
    ]


def positions_in_json(table: Table, roles: Roles) -> list[str]:
    """Return a note where columns of JSON, which Spark sorts by their names, are given by their numbers."""
    if table.how.format != formats.JSON:
        return []
    given = (roles.label, roles.weight, roles.id, roles.validation, *roles.features, *roles.drop)
    taken = [f"column {one} is {table.name_of(one)!r}" for one in given if isinstance(one, int)]
    if not taken:
        return []
    return [
        f"{table.argument}: Spark sorts the columns of JSON by name: {', '.join(taken)}; names say which is meant"
    ]


def _schema(images: TextFile, columns: Columns, offsets: bool) -> tuple[ColumnSchema, ...]:
    """Return the columns of inputs of numeric text: named by the header, or by their positions."""
    names = images.names or [str(column) for column in range(columns.width)]
    first = csv.to_array([images.first_row.encode()], images.dialect, kind=np.float64)
    values = first[0].tolist() if offsets and isinstance(first, np.ndarray) else [0.0] * columns.width
    return tuple(ColumnSchema(names[column], offset=offset_of(values[column])) for column in columns.inputs)


def other_names(train: Files, test: TextFile | Table, columns: Columns) -> list[str]:
    """Return a note where a test set's columns are taken by position, and one is named otherwise than in TRAIN."""
    if len(columns.inputs) == len(train.columns.inputs) and train.images.names and test.names:
        names = [train.images.names[column] for column in train.columns.inputs]
        if names == [test.names[column] for column in columns.inputs]:
            return []
    if isinstance(test, TextFile) and isinstance(train.images, TextFile):
        difference = dialect.first_difference(train.images.dialect.names, test.dialect.names)
    else:
        difference = dialect.first_difference(tuple(train.images.names), tuple(test.names))
    if difference is None:
        return []
    column, train_name, test_name = difference
    return [
        f"{test.argument}: column {column} is named {csv.quoted(test_name)}, that of {train.images.argument} "
        f"{csv.quoted(train_name)}: columns are taken in their order, not by their names"
    ]


def _open(
    context: Any,
    storage: Storage,
    source: Source,
    kind: str,
    path: str,
    partitions: int,
    as_csv: frozenset[str],
    train: TextFile | Table | None = None,
) -> TextFile | Table:
    """Open a source's images or labels, as text of numbers or as a table."""
    argument = source.argument(kind)
    format = source.format if source.format != AUTO else _format_of(storage, path, argument)
    if format == TEXT and source.format == AUTO and (kind in as_csv or source.read_options):
        format = CSV
    if format == TEXT:
        return TextFile(context, storage, path, argument, partitions, source.header, source.skip_lines)
    options = source.read_options
    if format == formats.LIBSVM and source.vector_width is not None:
        options = (f"numFeatures={source.vector_width}", *options)
    how = TableFormat(format, source.header, source.skip_lines, options, source.missing_values)
    like = train if isinstance(train, Table) else None
    return Table(context, storage, path, argument, partitions, how, like)


def open_images(
    context: Any, storage: Storage, source: Source, partitions: int, as_csv: frozenset[str]
) -> TextFile | Table:
    """Open the images of a set alone, whatever its columns are."""
    return _open(context, storage, source, IMAGES, source.images, partitions, as_csv)


def _format_of(storage: Storage, path: str, argument: str) -> str:
    """Return the format of the first file of a path; text in folders named key=value is CSV."""
    files, base = storage.list_tree(path, argument)
    first = next((file for file in files if file.size), files[0])
    try:
        with storage.open(first.path) as read:
            start = read(FIRST_BYTES)
    except Exception:  # executors may be able to read the file
        start = b""
    format = formats.format_of(first.path, start)
    return CSV if base and format == TEXT else format


def open_labels(
    context: Any,
    storage: Storage,
    source: Source,
    partitions: int,
    images: TextFile | Table,
    as_csv: frozenset[str],
) -> TextFile | Table | None:
    """Open the file of the labels, if they have one."""
    if source.labels is None:
        return None
    labels = _open(context, storage, source, LABELS, source.labels, partitions, as_csv)
    if isinstance(images, TextFile) and isinstance(labels, TextFile):
        _refuse_swapped(images, labels)
    return labels


def _refuse_swapped(images: TextFile, labels: TextFile) -> None:
    if _starts_with_label(images) and not _starts_with_label(labels):
        raise DataError(
            f"{images.argument} and {labels.argument} look swapped: the rows of {images.path} read as labels, "
            f"those of {labels.path} do not"
        )


def _starts_with_label(file: TextFile) -> bool:
    row = csv.to_array([file.first_row.encode()], file.dialect)
    return isinstance(row, np.ndarray) and isinstance(csv.to_labels(row), np.ndarray)
