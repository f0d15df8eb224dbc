"""The labels of a set, on the driver: from a column of the images or from a file of their own, with their checks."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import dialect
from nn.data.decoding import ClassLabels
from nn.data.labels import LabelReader, decoder_of
from nn.spark.input import cache
from nn.spark.input.input_files import Files
from nn.spark.input.parsing import CachedRows, parse_labels
from nn.spark.input.table_labels import labels_of_table
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import SplitStats, TextFile

ZERO_IS_HEADER = (
    "there is one label more than images: the 0 in the first line is read as a header, as pandas writes it"
)


class Labels(NamedTuple):
    """The labels of a set, on the driver."""

    values: np.ndarray  # (n,) class numbers int16, or targets float64
    decoder: ClassLabels
    # (k,) the labels of the classes where blocks hold labels, not class numbers.
    in_blocks: np.ndarray | None = None
    apart: bool = False  # whether blocks take their labels from `values`


def read_labels(files: Files, rows: CachedRows, label_reader: LabelReader) -> Labels:
    """Return the labels of rows that were read. Raises DataError for those that are wrong, and frees the rows."""
    with cache.freed_on_error(rows.cached):
        if files.labels is None:
            return _labels_of_images(files.images, rows, label_reader)
        return labels_apart(files, rows.total, label_reader)


def _labels_of_images(images: TextFile | Table, rows: CachedRows, label_reader: LabelReader) -> Labels:
    """Return the labels that stand in a column of the images."""
    labels = np.concatenate([part.labels for part in rows.sides])
    if isinstance(images, Table):
        return Labels(labels, ClassLabels(label_reader.values))
    if label_reader.is_regression or label_reader.classes is not None:
        return Labels(labels, ClassLabels(label_reader.values))
    _refuse_class_numbers(images, labels, rows.all_stats)
    decoder, numbers = decoder_of(labels, images.argument)
    in_blocks = None if decoder.labels is None else np.array(decoder.labels)
    return Labels(numbers, decoder, in_blocks)


def labels_apart(files: Files, rows: int, label_reader: LabelReader) -> Labels:
    """Return the labels that stand in a file of their own."""
    file = files.labels
    assert file is not None
    if isinstance(file, Table):
        labels, decoder = labels_of_table(file, label_reader)
        _refuse_mismatch(files.images, rows, file, len(labels))
        return Labels(labels, decoder, apart=True)
    elements = file.collect(file.parsed(partial(parse_labels, file.dialect, label_reader)))
    all_stats = [element for element in elements if isinstance(element, SplitStats)]
    file.check(all_stats)
    labels = np.concatenate([element for element in elements if not isinstance(element, SplitStats)])
    if _starts_with_header(files, labels, rows):
        labels = labels[1:]
        file.notes.append(f"{file.argument}: {file.path}: {ZERO_IS_HEADER}")
    _refuse_mismatch(files.images, rows, file, len(labels))
    if label_reader.is_regression or label_reader.classes is not None:
        return Labels(labels, ClassLabels(label_reader.values), apart=True)
    _refuse_class_numbers(file, labels, all_stats)
    decoder, numbers = decoder_of(labels, file.argument)
    return Labels(numbers, decoder, apart=True)


def _refuse_class_numbers(file: TextFile, labels: np.ndarray, all_stats: list[SplitStats]) -> None:
    """Raise DataError, with its line, for a label that is too large where labels are class numbers from 0."""
    if labels.min() != 0:
        return
    for stats in all_stats:
        if stats.label_fault is not None:
            raise file.at(all_stats, stats.split, stats.label_fault)


def _starts_with_header(files: Files, labels: np.ndarray, rows: int) -> bool:
    """Return whether the first label is the header 0 that pandas writes above a column without a name.

    Only where the images have a header as well.
    """
    assert isinstance(files.labels, TextFile)
    if not isinstance(files.images, TextFile):
        return False
    is_open = files.labels.dialect.header == dialect.AUTO and not files.labels.has_header
    return (
        is_open
        and files.images.has_header
        and len(labels) == rows + 1
        and files.labels.first_row.strip() == "0"
    )


def _refuse_mismatch(images: TextFile | Table, rows: int, labels: TextFile | Table, count: int) -> None:
    if rows == count:
        return
    advice = ""
    longer = labels if count > rows else images
    if isinstance(longer, Table):
        advice = "; --header says whether the first line of each file is a header"
    elif abs(rows - count) == len(longer.files) > 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of each of the {len(longer.files):,} files of {longer.path} a header "
            "that was read as a row? Remove it, or, where all files have one, give --header yes"
        )
    elif abs(rows - count) == 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of {longer.path} a header that was read as a row? Remove it"
        )
        has_header = any(isinstance(file, Table) or file.has_header for file in (images, labels))
        if not has_header:
            advice += ", or, where both files have one, give --header yes"
    raise DataError(
        f"{labels.argument}: expected {rows:,} labels, one for each image in {images.path}, "
        f"found {count:,} in {labels.path}{advice}"
    )


def empty_classes(files: Files, class_rows: np.ndarray, train_class_rows: np.ndarray | None) -> list[str]:
    """Return a note where class numbers are left out, as when one label is mistyped or the column is the wrong one.

    Of a test set, only where the training set has rows of such a class.
    """
    empty = np.flatnonzero(class_rows == 0)
    if train_class_rows is not None:
        empty = empty[train_class_rows[empty] > 0]
    if not len(empty):
        return []
    largest = len(class_rows) - 1
    where = f"{files.labels_argument}: {(files.labels or files.images).path}"
    shown = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
    return [f"{where}: {len(empty)} of the classes 0..{largest} have no rows: {shown}"]
