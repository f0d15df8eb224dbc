"""Read text files into an RDD of Blocks: parsed once, cached compactly, labels joined by row number without a shuffle.

1. One task parses each input split of the image text into Parsed elements, which stay cached in their place.
2. One job returns the SplitStats of each split: rows, lines, largest value, first error, and its partition.
3. The labels, which are small, come to the driver, are checked against the row counts and are broadcast. A block takes
   its slice of them whenever it is read.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import checks, dialect, label_skew
from nn.data.batches import buffered_rows
from nn.data.decoding import ClassLabels
from nn.data.labels import CLASSIFICATION, LabelReader, decoder_of
from nn.data.model_columns import have_names
from nn.spark.input import cache
from nn.spark.input.dataset import Dataset, fingerprint
from nn.spark.input.input_files import Files, Source, read_as_needed
from nn.spark.input.parsing import CachedRows, Parsed, parse_images, parse_labels, to_block, without_inputs
from nn.spark.input.reading_options import DEFAULTS, ReadingOptions
from nn.spark.input.scored_files import open_for
from nn.spark.input.split_off import split_off
from nn.spark.input.table_categories import refuse_unknown, with_categories
from nn.spark.input.table_labels import labels_of_table
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_reading import read_rows
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import SplitStats, TextFile
from nn.spark.runtime.broadcast import broadcast
from nn.spark.storage.filesystem import Storage

ZERO_IS_HEADER = (
    "there is one label more than images: the 0 in the first line is read as a header, as pandas writes it"
)


def read_both(
    context: Any,
    storage: Storage,
    train: Source,
    test: Source | None,
    partitions: int,
    options: ReadingOptions = DEFAULTS,
) -> tuple[Dataset, Dataset | None]:
    """Read, check and cache a training set and its test set; without one, a part of the training set where it is asked.

    Text of numbers has a fast reader. Where it meets a cell that it cannot read, reading starts again with Spark's
    reader of CSV. Raises DataError, with file and line, for the first error. A file that is missing or empty is
    reported before any file is read whole.
    """
    read_sets = partial(_read_both, context, storage, train, test, partitions, options)
    (train_set, test_set), notes = read_as_needed(train.format, read_sets, names_line=True)
    train_set = train_set._replace(notes=(*notes, *train_set.notes))
    if test is None and options.test_fraction:
        return split_off(train_set, options.test_fraction, options.seed)
    return train_set, test_set


def _read_both(
    context: Any,
    storage: Storage,
    train: Source,
    test: Source | None,
    partitions: int,
    options: ReadingOptions,
    as_csv: frozenset[str],
) -> tuple[Dataset, Dataset | None]:
    """Read both sets, text of `as_csv` with Spark's reader."""
    train_files, test_files = open_both(context, storage, train, test, partitions, options, as_csv)
    train_set = read(train_files, options)
    try:
        if options.task == CLASSIFICATION:
            labels = np.flatnonzero(train_set.class_rows)
            if len(labels) < 2:
                argument = train_files.labels_argument
                raise DataError(f"{argument}: expected at least 2 classes, found class {labels[0]} alone")
        if test_files is None:
            return train_set, None
        # Only now: a training row that is too short is reported with its line.
        test_files.refuse_other_width(train_files)
        test_files = test_files._replace(schema=train_set.columns)
        return train_set, read(test_files, options, train_set)
    except DataError:
        train_set.cached.unpersist()
        raise


def open_both(
    context: Any,
    storage: Storage,
    train: Source,
    test: Source | None,
    partitions: int,
    options: ReadingOptions,
    as_csv: frozenset[str],
) -> tuple[Files, Files | None]:
    """Open both sets: their columns are those of the training set, or those of the model that training starts from."""
    model = options.model
    if model is None:
        train_files = Files.open(context, storage, train, partitions, options, as_csv)
    else:
        train_files = open_for(model, context, storage, train, partitions, as_csv)
    if test is None:
        return train_files, None
    if model is None or not (have_names(model.encoder.names) and train_files.images.names):
        return train_files, Files.open_test(context, storage, test, partitions, train_files, as_csv)
    test = test._replace(weight_column=None, id_column=None, validation_column=None)
    return train_files, open_for(model, context, storage, test, partitions, as_csv)


class Labels(NamedTuple):
    """The labels of a set, on the driver."""

    values: np.ndarray  # (n,) class numbers int16, or targets float64
    decoder: ClassLabels
    # (k,) the labels of the classes where blocks hold labels, not class numbers.
    in_blocks: np.ndarray | None = None
    apart: bool = False  # whether blocks take their labels from `values`


def read(files: Files, options: ReadingOptions = DEFAULTS, train: Dataset | None = None) -> Dataset:
    """Parse every row of one set and cache them.

    `train` is the training set where this is its test set. Raises DataError for the first line that is wrong.
    """
    label_reader = options.labels or LabelReader(options.task)
    if train is not None:
        label_reader = LabelReader(options.task, train.classes, train.decoder.labels)
    images = files.images
    if isinstance(images, Table):
        layout = _layout(images, files, label_reader, options, train is not None)
        rows, label_reader, files = (
            read_rows(layout),
            layout.label_reader,
            files._replace(schema=layout.schema),
        )
    else:
        rows = read_images(images, files, label_reader)
    if files.labels is None:
        labels = labels_of_images(images, rows, label_reader)
    else:
        labels = labels_apart(files, rows.total, label_reader)
    handle = broadcast(rows.cached.context, labels.values) if labels.apart else None
    is_classification = options.task == CLASSIFICATION
    classes = labels.values if is_classification else np.zeros(rows.total, np.int16)
    # A model to start from may have classes without rows.
    class_rows = np.bincount(classes, minlength=(options.labels and options.labels.classes) or 0)
    flags = [part.held_out for part in rows.sides if part.held_out is not None]
    return Dataset(
        blocks=rows.cached.flatMap(partial(to_block, rows.firsts, handle, labels.in_blocks)),
        rows=rows.total,
        width=files.width,
        largest=max(stats.largest for stats in rows.all_stats),
        labels=labels.values if is_classification else None,
        class_rows=class_rows,
        shuffle_windows=_shuffle_windows(rows, classes, len(class_rows)),
        weighted=files.columns.weight is not None,
        notes=tuple(_notes(files, rows, class_rows, options, train)),
        cached=rows.cached,
        fingerprint=fingerprint(labels.values, rows.all_stats),
        columns=files.schema,
        are_pixels=all(stats.columns is None or stats.columns.low is None for stats in rows.all_stats),
        has_names=isinstance(images, Table) or bool(images.names),
        decoder=labels.decoder,
        targets=None if is_classification else labels.values,
        held_out=np.concatenate(flags) if flags else None,
    )


def _layout(
    table: Table, files: Files, label_reader: LabelReader, options: ReadingOptions, is_test: bool
) -> Layout:
    """Return what the columns of a table stand for. A training set decides on its categories and classes."""
    if files.labels is not None and options.missing == "drop":
        raise DataError(
            "--missing drop: expected the labels in a column of the rows, found a file of labels; --missing mean, zero "
            "or indicator fills the gaps"
        )
    layout = Layout(table, files.columns, files.kinds, files.schema, label_reader, options.missing)
    if options.model is not None:
        refuse_unknown(layout, "the model that training starts from has no input for them")
    if not is_test:
        return with_categories(layout, options)
    if options.unknown == "error":
        refuse_unknown(layout, "--unknown other accepts them")
    return layout


def _shuffle_windows(rows: CachedRows, classes: np.ndarray, count: int) -> label_skew.ShuffleWindows:
    """Return the classes of the rows that a replica shuffles together."""
    partitions = ((partition, stats.rows) for partition, stats in rows.placed)
    return label_skew.count_classes(
        classes, partitions, rows.cached.getNumPartitions(), count, buffered_rows(rows.row_bytes)
    )


def _notes(
    files: Files, rows: CachedRows, class_rows: np.ndarray, options: ReadingOptions, train: Dataset | None
) -> list[str]:
    """Return the notes on the rows of a set, which were read."""
    images = files.images
    notes = [*images.notes, *(files.labels.notes if files.labels else ())]
    if options.task == CLASSIFICATION:
        notes += _empty_classes(files, class_rows, None if train is None else train.class_rows)
    notes += cache.note(images.argument, rows.bytes, rows.cached.getStorageLevel())
    if train is None:
        notes += checks.notes(
            [stats.columns for stats in rows.all_stats],
            [int(rows.firsts[stats.split]) for stats in rows.all_stats],
            _shown_names(files),
            rows.cached.getNumPartitions(),
            images.argument,
            not options.offsets,
        )
    return notes


def _shown_names(files: Files) -> list[str]:
    """Return the name of each column of inputs in quotes, or its number in the file where it has none."""
    names = files.images.names
    widths = [kind.width for kind in files.kinds] or 1
    return [repr(names[index]) if names else str(index) for index in np.repeat(files.columns.inputs, widths)]


def read_images(images: TextFile, files: Files, label_reader: LabelReader) -> CachedRows:
    """Parse all rows of numeric text and cache them. Raises DataError for the first line that is wrong."""
    parse = partial(parse_images, images.dialect, files.columns, label_reader, files.offsets)
    cached = images.parsed(parse).persist(cache.level_for(images))
    found = images.collect(cached.mapPartitionsWithIndex(partial(without_inputs, files.columns.has_sides)))
    placed = [pair for pair in found if isinstance(pair[1], SplitStats)]
    try:
        images.check([stats for _, stats in placed])
    except DataError:
        cached.unpersist()
        raise
    firsts = np.cumsum([0, *(stats.rows for _, stats in placed)])[:-1]
    sides = [part for _, part in found if isinstance(part, Parsed)]
    return CachedRows(cached, placed, firsts, cache.row_bytes(images), cache.estimated_bytes(images), sides)


def labels_of_images(images: TextFile | Table, rows: CachedRows, label_reader: LabelReader) -> Labels:
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
    shown = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
    return [f"{where}: {len(empty)} of the classes 0..{largest} have no rows: {shown}"]


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
