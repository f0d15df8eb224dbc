"""Text files -> RDD of Blocks: parsed once, cached compactly, labels matched by row number without moving an image.

1. Each piece of the image text is parsed by one task into Parsed elements, which stay cached where they are.
2. One job returns the SplitStats of each piece: rows, lines, largest value, first fault, and its partition.
   Whatever is wrong with the text travels as such a value: an exception on an executor prints a hundred lines before
   the driver can speak.
3. The labels, small, come to the driver, are held against the row counts and broadcast; a block takes its slice
   whenever it is read.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import checks, csv, dialect, label_skew
from nn.data.block import Block
from nn.data.columns import Columns
from nn.data.split import Split
from nn.spark.input import cache
from nn.spark.input.text_source import SplitStats, TextFile
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.workers import tune_worker
from nn.spark.storage.filesystem import Storage
from nn.training.replicas import buffered_rows

ZERO_IS_HEADER = (
    "there is one label more than images: the 0 in the first line is read as a header, as pandas writes it"
)


class Source(NamedTuple):
    """Where one set's images and labels are."""

    name: str  # TRAIN or TEST, as in the command line's arguments
    images: str
    labels: str | None  # None: in column `label_column` of the images
    label_column: int | None = None
    weight_column: int | None = None  # of the images, where rows have weights
    header: str = dialect.AUTO  # of layout.HEADERS
    skip_lines: int = 0  # before the header or the first row of each file

    @property
    def column_of_labels(self) -> int | None:
        """Where in the images the labels stand, if they do."""
        return self.label_column if self.labels is None else None


class Dataset(NamedTuple):
    """Rows on the cluster, and what was learned while reading them."""

    blocks: Any  # RDD of Block
    rows: int
    width: int
    largest: float  # largest absolute input value
    labels: np.ndarray  # (n,), on the driver
    class_rows: np.ndarray  # rows of each class, (k,)
    stretches: label_skew.ShuffleWindows  # the classes of the rows that a replica shuffles together
    weighted: bool  # whether rows have weights of their own
    notes: tuple[str, ...]  # what the user should know, a line each
    cached: Any  # the persisted RDD below `blocks`
    # SHA-256 over labels and the checksums of the pieces: other values or other pieces give another
    fingerprint: str

    @property
    def classes(self) -> int:
        """Class numbers run from 0 to classes - 1."""
        return len(self.class_rows)

    @property
    def partitions(self) -> int:
        """How many tasks a pass over the rows takes."""
        return self.cached.getNumPartitions()


class Parsed(NamedTuple):
    """Consecutive rows of one piece of the image text."""

    piece: int
    start: int  # the first row's number within the piece
    inputs: np.ndarray  # (n, d) uint8 or float32
    labels: np.ndarray | None  # (n,) where they stood in the same lines
    weights: np.ndarray | None  # (n,) likewise


def read_both(
    context, storage: Storage, train: Source, test: Source, partitions: int
) -> tuple[Dataset, Dataset]:
    """Read, check and cache a training set and its test set.

    Raises DataError, with file and line, for the first thing that is wrong; a file that is missing or empty is told
    before any is read whole.
    """
    train_files = Files.open(context, storage, train, partitions)
    test_files = Files.open_test(context, storage, test, partitions, train_files)
    test_files.images.notes += _other_names(train_files.images, test_files.images)
    train_set = read(train_files)
    labels = np.flatnonzero(train_set.class_rows)
    if len(labels) < 2:
        raise DataError(
            f"{train_files.labels_argument}: expected at least 2 classes, found class {labels[0]} alone"
        )
    # Not before: a training row that is too short is told where it stands.
    test_files.refuse_other_width(train_files)
    return train_set, read(test_files, train_set.classes, train_set.class_rows)


class Files(NamedTuple):
    """One set's text files, opened: listed, cut into pieces, their first lines looked at."""

    images: TextFile
    labels: TextFile | None
    columns: Columns

    @classmethod
    def open(cls, context, storage: Storage, source: Source, partitions: int) -> Files:
        """Open images and labels; DataError where a file is missing, empty, or plainly the other's."""
        images = _opened(context, storage, source, "IMAGES", source.images, partitions)
        columns = Columns.of(images.dialect.width, images.path, source.column_of_labels, source.weight_column)
        return cls._with_labels(context, storage, source, partitions, images, columns)

    @classmethod
    def open_test(cls, context, storage: Storage, source: Source, partitions: int, train: Files) -> Files:
        """Open the test set that belongs to a training set, whose weights it may leave out."""
        images = _opened(context, storage, source, "IMAGES", source.images, partitions)
        width, path = images.dialect.width, images.path
        columns = Columns.of_test(width, path, source.column_of_labels, source.weight_column, train.width)
        return cls._with_labels(context, storage, source, partitions, images, columns)

    @classmethod
    def _with_labels(
        cls, context, storage: Storage, source: Source, partitions: int, images: TextFile, columns: Columns
    ) -> Files:
        if source.labels is None:
            return cls(images, None, columns)
        labels = _opened(context, storage, source, "LABELS", source.labels, partitions)
        _refuse_swapped(images, labels)
        return cls(images, labels, columns)

    @property
    def width(self) -> int:
        """Input values a row."""
        return self.images.dialect.width - len(self.columns.excluded)

    @property
    def labels_argument(self) -> str:
        """Return the argument that says where the labels are."""
        return self.images.argument if self.labels is None else self.labels.argument

    def refuse_other_width(self, train: Files) -> None:
        """Raise DataError where the rows of a test set are not as wide as those of its training set."""
        if self.width != train.width:
            lacks_labels = self.columns.excluded and self.images.dialect.width == train.width
            raise DataError(
                f"TEST_IMAGES: expected {train.width} input values a row as in TRAIN_IMAGES, found {self.width} in "
                f"{self.images.path}{self._of_columns()}{'; does this file have no labels?' if lacks_labels else ''}"
            )

    def _of_columns(self) -> str:
        """Return how many columns the rows have, where some of them are no inputs."""
        label, *others = self.columns
        if not self.columns.excluded:
            return ""
        count = f": it has {self.images.dialect.width} columns"
        parts = [f"column {label} was taken for the labels"] if label is not None else []
        parts += [f"column {other} for the weights" for other in others if other is not None]
        return f"{count}, of which {' and '.join(parts)}"


def _opened(context, storage: Storage, source: Source, kind: str, path: str, partitions: int) -> TextFile:
    """Return the text of a source's images or labels."""
    argument = f"{source.name}_{kind}"
    return TextFile(context, storage, path, argument, partitions, source.header, source.skip_lines)


def read(files: Files, classes: int = csv.MAX_CLASSES, train_class_rows: np.ndarray | None = None) -> Dataset:
    """Parse every line of one set, whose labels are below `classes`, and cache its rows.

    `train_class_rows` (k,) are those of the training set where this is its test set. Raises DataError for the first
    line that is wrong.
    """
    cached, placed = _read_images(files.images, files.columns, classes)
    censuses = [census for _, census in placed]
    rows = sum(census.rows for census in censuses)
    if files.labels is None:
        labels, handle = _labels_beside(cached), None
    else:
        labels = _read_labels(files.labels, classes)
        if _starts_with_header(files, labels, rows):
            labels = labels[1:]
            files.labels.notes.append(f"{files.labels.argument}: {files.labels.path}: {ZERO_IS_HEADER}")
        _refuse_mismatch(files.images, rows, files.labels, len(labels))
        handle = broadcast(cached.context, labels)
    class_rows = np.bincount(labels)
    offsets = np.cumsum([0, *(census.rows for census in censuses)])
    notes = [*files.images.notes, *(files.labels.notes if files.labels else ())]
    notes += _empty_classes(files, class_rows, train_class_rows)
    notes += cache.note(files.images, cached.getStorageLevel())
    if train_class_rows is None:
        notes += checks.notes(
            [census.columns for census in censuses],
            offsets.tolist(),
            np.delete(np.arange(files.images.dialect.width), files.columns.excluded),
            cached.getNumPartitions(),
            files.images.argument,
        )
    runs = ((partition, census.rows) for partition, census in placed)
    return Dataset(
        blocks=cached.flatMap(partial(to_block, offsets, handle)),
        rows=rows,
        width=files.width,
        largest=max(census.largest for census in censuses),
        labels=labels,
        class_rows=class_rows,
        stretches=label_skew.count_classes(
            labels,
            runs,
            cached.getNumPartitions(),
            len(class_rows),
            buffered_rows(cache.row_bytes(files.images)),
        ),
        weighted=files.columns.weight is not None,
        notes=tuple(notes),
        cached=cached,
        fingerprint=fingerprint(labels, censuses),
    )


def fingerprint(labels: np.ndarray, censuses: list[SplitStats]) -> str:
    """What tells these rows, and how they are cut into pieces, from others; no secret, and no guard against malice."""
    digest = hashlib.sha256(np.ascontiguousarray(labels, "<i2").tobytes())
    for census in censuses:
        digest.update(np.array([census.rows, census.checksum], "<i8").tobytes())
    return digest.hexdigest()


def learned_from(dataset: Dataset, split: Split) -> Any:
    """The blocks of a training set after the split, cached in the place of those before it.

    Raises DataError where the rows learned from, or those held out, weigh nothing together.
    """
    blocks = split.apply(dataset.blocks)
    if split.changes:
        blocks = blocks.persist(dataset.cached.getStorageLevel())
    dataset.cached.context.setJobDescription("dividing TRAIN_IMAGES")
    try:
        if split.changes or dataset.weighted:
            split.check(blocks)
    except ValueError as error:
        raise DataError(f"TRAIN_IMAGES: {error}") from None
    if split.changes:
        dataset.cached.unpersist()
    return blocks


# ---- images ----


def _read_images(
    images: TextFile, columns: Columns, classes: int
) -> tuple[Any, list[tuple[int, SplitStats]]]:
    """The cached RDD of Parsed and SplitStats, and of each piece its partition and its census."""
    parse = partial(parse_images, images.dialect, columns, classes)
    cached = images.parsed(parse).persist(cache.level_for(images))
    placed = images.collect(cached.mapPartitionsWithIndex(_censuses))
    images.check([census for _, census in placed])
    return cached, placed


def parse_images(
    dialect: csv.Dialect,
    columns: Columns,
    classes: int,
    piece: int,
    starts_file: bool,
    lines: Iterator[bytes],
) -> Iterator[Parsed | SplitStats]:
    """The rows of one piece, then its census. Runs on an executor."""
    tune_worker()
    checksum, fault, seen = 0, None, None
    for part in csv.parse(lines, dialect, starts_file):
        if isinstance(part, csv.PieceEnd):
            yield SplitStats(
                piece,
                part.rows,
                part.lines,
                part.bytes,
                part.blank,
                fault or part.fault,
                0.0 if seen is None else seen.largest,
                checksum,
                seen,
            )
        elif fault is None:
            labels, weights = columns.labels_and_weights(part, classes)
            faults = [each for each in (labels, weights) if isinstance(each, csv.LineError)]
            if faults:
                fault = min(faults, key=lambda each: each.line)
                continue
            values = np.delete(part.values, columns.excluded, axis=1) if columns.excluded else part.values
            inputs = csv.compact(values)
            found = checks.summarize(inputs, part.start)
            seen = found if seen is None else seen + found
            for values in (inputs, weights):
                if values is not None:
                    checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
            yield Parsed(piece, part.start, inputs, labels, weights)


def to_block(offsets: np.ndarray, labels: Any, element: Parsed | SplitStats) -> list[Block]:
    """A block with global row numbers and its slice of the labels; nothing for a census."""
    if isinstance(element, SplitStats):
        return []
    first = int(offsets[element.piece]) + element.start
    end = first + len(element.inputs)
    own: Any = labels.value[first:end] if labels is not None else element.labels
    return [Block(np.arange(first, end), element.inputs, own, element.weights)]


def _censuses(partition: int, elements: Iterator[Parsed | SplitStats]) -> Iterator[tuple[int, SplitStats]]:
    return ((partition, element) for element in elements if isinstance(element, SplitStats))


# ---- labels ----


def _labels_beside(cached: Any) -> np.ndarray:
    """The labels that were read with the images, in row order, (n,)."""
    return np.concatenate(cached.flatMap(lambda e: [e.labels] if isinstance(e, Parsed) else []).collect())


def _read_labels(file: TextFile, classes: int) -> np.ndarray:
    """The class number of each row, (n,) int16."""
    elements = file.collect(file.parsed(partial(parse_labels, file.dialect, classes)))
    file.check([element for element in elements if isinstance(element, SplitStats)])
    return np.concatenate([element for element in elements if not isinstance(element, SplitStats)])


def parse_labels(
    dialect: csv.Dialect, classes: int, piece: int, starts_file: bool, lines: Iterator[bytes]
) -> Iterator[np.ndarray | SplitStats]:
    """The class numbers of one piece, then its census. Runs on an executor."""
    tune_worker()
    fault = None
    for part in csv.parse(lines, dialect, starts_file):
        if isinstance(part, csv.PieceEnd):
            yield SplitStats(piece, part.rows, part.lines, part.bytes, part.blank, fault or part.fault)
        elif fault is None:
            labels = csv.to_labels(part.values, part.line, classes)
            if isinstance(labels, csv.LineError):
                fault = labels
            else:
                yield labels


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

    It does so beside images that have a header too.
    """
    assert files.labels is not None
    is_open = files.labels.dialect.header == dialect.AUTO and not files.labels.has_header
    return (
        is_open
        and files.images.has_header
        and len(labels) == rows + 1
        and files.labels.first_row.strip() == "0"
    )


def _refuse_mismatch(images: TextFile, rows: int, labels: TextFile, found: int) -> None:
    if rows == found:
        return
    advice = ""
    longer = labels if found > rows else images
    if abs(rows - found) == len(longer.files) > 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of each of the {len(longer.files):,} files of {longer.path} a header "
            "that was read as a row? Remove it, or, where all files have one, give --header yes"
        )
    elif abs(rows - found) == 1:
        advice = (
            f"; is line {longer.dialect.skip + 1} of {longer.path} a header that was read as a row? Remove it"
        )
        if not images.has_header and not labels.has_header:
            advice += ", or, where both files have one, give --header yes"
    raise DataError(
        f"{labels.argument}: expected {rows:,} labels, one for each image in {images.path}, "
        f"found {found:,} in {labels.path}{advice}"
    )


def _other_names(train: TextFile, test: TextFile) -> list[str]:
    """Return a note where a test set's header names a column otherwise than the training set's."""
    differing = dialect.first_difference(train.dialect.names, test.dialect.names)
    if differing is None:
        return []
    number, name, other = differing
    return [
        f"{test.argument}: column {number} is named {csv.quoted(other)}, that of {train.argument} "
        f"{csv.quoted(name)}: columns are taken in their order, not by their names"
    ]


def _refuse_swapped(images: TextFile, labels: TextFile) -> None:
    if _starts_with_label(images) and not _starts_with_label(labels):
        raise DataError(
            f"{images.argument} and {labels.argument} look swapped: the rows of {images.path} read as labels, "
            f"those of {labels.path} do not"
        )


def _starts_with_label(file: TextFile) -> bool:
    row = csv.to_array([file.first_row.encode()], file.dialect)
    return isinstance(row, np.ndarray) and isinstance(csv.to_labels(row), np.ndarray)
