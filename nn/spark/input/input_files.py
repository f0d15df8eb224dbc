"""Open the text files of one set, images and labels, and check their first lines against each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import csv, dialect
from nn.data.columns import Columns
from nn.spark.input.text_source import TextFile
from nn.spark.storage.filesystem import Storage


class Source(NamedTuple):
    """The paths of one set's images and labels, and how to read them."""

    name: str  # TRAIN or TEST, as in the command line's arguments
    images: str
    labels: str | None  # None: in column `label_column` of the images
    label_column: int | None = None
    weight_column: int | None = None  # of the images, where rows have weights
    header: str = dialect.AUTO  # one of dialect.HEADERS
    skip_lines: int = 0  # before the header or the first row of each file

    @property
    def column_of_labels(self) -> int | None:
        """Return the column of the images that holds the labels, if one does."""
        return self.label_column if self.labels is None else None


class Files(NamedTuple):
    """One set's text files, opened: listed, cut into input splits, their first lines read."""

    images: TextFile
    labels: TextFile | None
    columns: Columns

    @classmethod
    def open(cls, context: Any, storage: Storage, source: Source, partitions: int) -> Files:
        """Open images and labels. Raises DataError where a file is missing or empty, or the two are swapped."""
        images = _open(context, storage, source, "IMAGES", source.images, partitions)
        columns = Columns.of(images.dialect.width, images.path, source.column_of_labels, source.weight_column)
        return cls._with_labels(context, storage, source, partitions, images, columns)

    @classmethod
    def open_test(
        cls, context: Any, storage: Storage, source: Source, partitions: int, train: Files
    ) -> Files:
        """Open the test set that belongs to a training set, whose weight column it may lack."""
        images = _open(context, storage, source, "IMAGES", source.images, partitions)
        width, path = images.dialect.width, images.path
        columns = Columns.of_test(width, path, source.column_of_labels, source.weight_column, train.width)
        return cls._with_labels(context, storage, source, partitions, images, columns)

    @classmethod
    def _with_labels(
        cls,
        context: Any,
        storage: Storage,
        source: Source,
        partitions: int,
        images: TextFile,
        columns: Columns,
    ) -> Files:
        if source.labels is None:
            return cls(images, None, columns)
        labels = _open(context, storage, source, "LABELS", source.labels, partitions)
        _refuse_swapped(images, labels)
        return cls(images, labels, columns)

    @property
    def width(self) -> int:
        """Return the number of input values per row."""
        return self.images.dialect.width - len(self.columns.excluded)

    @property
    def labels_argument(self) -> str:
        """Return the command line's argument for the file that holds the labels."""
        return self.images.argument if self.labels is None else self.labels.argument

    def refuse_other_width(self, train: Files) -> None:
        """Raise DataError where the rows of a test set are not as wide as those of its training set."""
        if self.width != train.width:
            lacks_labels = self.columns.excluded and self.images.dialect.width == train.width
            raise DataError(
                f"TEST_IMAGES: expected {train.width} input values a row as in TRAIN_IMAGES, found {self.width} in "
                f"{self.images.path}{self._taken_columns()}{'; does this file have no labels?' if lacks_labels else ''}"
            )

    def _taken_columns(self) -> str:
        """Return which columns hold labels and weights, for a message; empty where none do."""
        label, *others = self.columns
        if not self.columns.excluded:
            return ""
        count = f": it has {self.images.dialect.width} columns"
        parts = [f"column {label} was taken for the labels"] if label is not None else []
        parts += [f"column {other} for the weights" for other in others if other is not None]
        return f"{count}, of which {' and '.join(parts)}"


def other_names(train: TextFile, test: TextFile) -> list[str]:
    """Return a note where a test set's header names a column otherwise than the training set's."""
    difference = dialect.first_difference(train.dialect.names, test.dialect.names)
    if difference is None:
        return []
    column, train_name, test_name = difference
    return [
        f"{test.argument}: column {column} is named {csv.quoted(test_name)}, that of {train.argument} "
        f"{csv.quoted(train_name)}: columns are taken in their order, not by their names"
    ]


def _open(context: Any, storage: Storage, source: Source, kind: str, path: str, partitions: int) -> TextFile:
    """Open the text of a source's images or labels."""
    argument = f"{source.name}_{kind}"
    return TextFile(context, storage, path, argument, partitions, source.header, source.skip_lines)


def _refuse_swapped(images: TextFile, labels: TextFile) -> None:
    if _starts_with_label(images) and not _starts_with_label(labels):
        raise DataError(
            f"{images.argument} and {labels.argument} look swapped: the rows of {images.path} read as labels, "
            f"those of {labels.path} do not"
        )


def _starts_with_label(file: TextFile) -> bool:
    row = csv.to_array([file.first_row.encode()], file.dialect)
    return isinstance(row, np.ndarray) and isinstance(csv.to_labels(row), np.ndarray)
