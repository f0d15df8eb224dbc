"""Read text files into an RDD of Blocks: parsed once, cached compactly, labels joined by row number without a shuffle.

1. One task parses each input split of the image text into Parsed elements, which stay cached in their place.
2. One job returns the SplitStats of each split: rows, lines, largest value, first error, and its partition.
3. The labels, which are small, come to the driver, are checked against the row counts and are broadcast. A block takes
   its slice of them whenever it is read.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import checks, csv, dialect, label_skew
from nn.data.batches import buffered_rows
from nn.data.columns import Columns
from nn.spark.input import cache
from nn.spark.input.input_files import Files, Source, other_names
from nn.spark.input.parsing import labels_of, parse_images, parse_labels, stats_of, to_block
from nn.spark.input.text_source import SplitStats, TextFile
from nn.spark.runtime.broadcast import broadcast
from nn.spark.storage.filesystem import Storage
from nn.training.backend import Facts

ZERO_IS_HEADER = (
    "there is one label more than images: the 0 in the first line is read as a header, as pandas writes it"
)


class Dataset(NamedTuple):
    """Rows on the cluster, and their statistics from reading them."""

    blocks: Any  # RDD of Block
    rows: int
    width: int
    largest: float  # largest absolute input value
    labels: np.ndarray  # (n,), on the driver
    class_rows: np.ndarray  # rows of each class, (k,)
    shuffle_windows: label_skew.ShuffleWindows  # the classes of the rows that a replica shuffles together
    weighted: bool  # whether rows have weights of their own
    notes: tuple[str, ...]  # for the user, a line each
    cached: Any  # the persisted RDD from which `blocks` is mapped
    # SHA-256 of the labels and the checksums of the splits: it changes with the values and with the splits.
    fingerprint: str

    @property
    def classes(self) -> int:
        """Return k: class numbers run from 0 to k - 1."""
        return len(self.class_rows)

    @property
    def facts(self) -> Facts:
        """Return what a run depends on in these rows."""
        return Facts(self.width, self.labels, self.classes, self.largest or 1.0, self.partitions)

    @property
    def partitions(self) -> int:
        """Return the number of tasks in a pass over the rows."""
        return self.cached.getNumPartitions()


def read_both(
    context: Any, storage: Storage, train: Source, test: Source, partitions: int
) -> tuple[Dataset, Dataset]:
    """Read, check and cache a training set and its test set.

    Raises DataError, with file and line, for the first error. A file that is missing or empty is reported before any
    file is read whole.
    """
    train_files = Files.open(context, storage, train, partitions)
    test_files = Files.open_test(context, storage, test, partitions, train_files)
    test_files.images.notes += other_names(train_files.images, test_files.images)
    train_set = read(train_files)
    labels = np.flatnonzero(train_set.class_rows)
    if len(labels) < 2:
        raise DataError(
            f"{train_files.labels_argument}: expected at least 2 classes, found class {labels[0]} alone"
        )
    # Only now: a training row that is too short is reported with its line.
    test_files.refuse_other_width(train_files)
    return train_set, read(test_files, train_set.classes, train_set.class_rows)


def read(files: Files, classes: int = csv.MAX_CLASSES, train_class_rows: np.ndarray | None = None) -> Dataset:
    """Parse every line of one set, whose labels are below `classes`, and cache its rows.

    `train_class_rows` (k,) are those of the training set where this is its test set. Raises DataError for the first
    line that is wrong.
    """
    cached, split_stats = _read_images(files.images, files.columns, classes)
    all_stats = [stats for _, stats in split_stats]
    rows = sum(stats.rows for stats in all_stats)
    if files.labels is None:
        labels, handle = np.concatenate(cached.flatMap(labels_of).collect()), None
    else:
        labels = _read_labels(files.labels, classes)
        if _starts_with_header(files, labels, rows):
            labels = labels[1:]
            files.labels.notes.append(f"{files.labels.argument}: {files.labels.path}: {ZERO_IS_HEADER}")
        _refuse_mismatch(files.images, rows, files.labels, len(labels))
        handle = broadcast(cached.context, labels)
    class_rows = np.bincount(labels)
    offsets = np.cumsum([0, *(stats.rows for stats in all_stats)])
    notes = [*files.images.notes, *(files.labels.notes if files.labels else ())]
    notes += _empty_classes(files, class_rows, train_class_rows)
    notes += cache.note(files.images, cached.getStorageLevel())
    if train_class_rows is None:
        notes += checks.notes(
            [stats.columns for stats in all_stats],
            offsets.tolist(),
            np.delete(np.arange(files.images.dialect.width), files.columns.excluded),
            cached.getNumPartitions(),
            files.images.argument,
        )
    runs = ((partition, stats.rows) for partition, stats in split_stats)
    return Dataset(
        blocks=cached.flatMap(partial(to_block, offsets, handle)),
        rows=rows,
        width=files.width,
        largest=max(stats.largest for stats in all_stats),
        labels=labels,
        class_rows=class_rows,
        shuffle_windows=label_skew.count_classes(
            labels,
            runs,
            cached.getNumPartitions(),
            len(class_rows),
            buffered_rows(cache.row_bytes(files.images)),
        ),
        weighted=files.columns.weight is not None,
        notes=tuple(notes),
        cached=cached,
        fingerprint=fingerprint(labels, all_stats),
    )


def _read_images(
    images: TextFile, columns: Columns, classes: int
) -> tuple[Any, list[tuple[int, SplitStats]]]:
    """Return the cached RDD of Parsed and SplitStats, and of each split its partition and its statistics."""
    parse = partial(parse_images, images.dialect, columns, classes)
    cached = images.parsed(parse).persist(cache.level_for(images))
    split_stats = images.collect(cached.mapPartitionsWithIndex(stats_of))
    images.check([stats for _, stats in split_stats])
    return cached, split_stats


def _read_labels(file: TextFile, classes: int) -> np.ndarray:
    """Return the class number of each row, (n,) int16."""
    elements = file.collect(file.parsed(partial(parse_labels, file.dialect, classes)))
    file.check([element for element in elements if isinstance(element, SplitStats)])
    return np.concatenate([element for element in elements if not isinstance(element, SplitStats)])


def fingerprint(labels: np.ndarray, all_stats: list[SplitStats]) -> str:
    """Return a hash of the rows and of how they are cut into splits. It finds mistakes, not manipulation."""
    digest = hashlib.sha256(np.ascontiguousarray(labels, "<i2").tobytes())
    for stats in all_stats:
        digest.update(np.array([stats.rows, stats.checksum], "<i8").tobytes())
    return digest.hexdigest()


# ---- checks of the labels ----


def _empty_classes(files: Files, class_rows: np.ndarray, train_class_rows: np.ndarray | None) -> list[str]:
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
    if empty.tolist() == [0] and train_class_rows is None:
        return [
            f"{where}: labels count from 1 to {largest}: no row is of class 0, whose output stays unused; "
            "subtract 1 from each label"
        ]
    shown = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
    return [f"{where}: {len(empty)} of the classes 0..{largest} have no rows: {shown}"]


def _starts_with_header(files: Files, labels: np.ndarray, rows: int) -> bool:
    """Return whether the first label is the header 0 that pandas writes above a column without a name.

    Only where the images have a header as well.
    """
    assert files.labels is not None
    is_open = files.labels.dialect.header == dialect.AUTO and not files.labels.has_header
    return (
        is_open
        and files.images.has_header
        and len(labels) == rows + 1
        and files.labels.first_row.strip() == "0"
    )


def _refuse_mismatch(images: TextFile, rows: int, labels: TextFile, count: int) -> None:
    if rows == count:
        return
    advice = ""
    longer = labels if count > rows else images
    if abs(rows - count) == len(longer.files) > 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of each of the {len(longer.files):,} files of {longer.path} a header "
            "that was read as a row? Remove it, or, where all files have one, give --header yes"
        )
    elif abs(rows - count) == 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of {longer.path} a header that was read as a row? Remove it"
        )
        if not images.has_header and not labels.has_header:
            advice += ", or, where both files have one, give --header yes"
    raise DataError(
        f"{labels.argument}: expected {rows:,} labels, one for each image in {images.path}, "
        f"found {count:,} in {labels.path}{advice}"
    )
