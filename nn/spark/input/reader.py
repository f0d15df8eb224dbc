"""Read a training set and its test set into cached RDDs of Blocks: parsed once, labels joined without a shuffle.

1. One task parses each input split of text, or packs each partition of a table, into Parsed elements, which stay cached
   in their place (text_reading.py, table_reading.py).
2. One job returns the SplitStats of each split: rows, lines, largest value, first error, and its partition.
3. The labels, which are small, come to the driver and are checked. Those of a file of their own are checked against the
   row counts and are broadcast; a block takes its slice of them whenever it is read (labels.py).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data import checks, label_skew
from nn.data.batches import buffered_rows
from nn.data.labels import CLASSIFICATION, LabelReader
from nn.data.model_columns import have_names
from nn.spark.input import cache
from nn.spark.input.dataset import Dataset, fingerprint
from nn.spark.input.input_files import Files, Source, read_as_needed
from nn.spark.input.labels import empty_classes, read_labels
from nn.spark.input.parsing import CachedRows, to_block
from nn.spark.input.reading_options import DEFAULTS, ReadingOptions
from nn.spark.input.scored_files import open_for
from nn.spark.input.split_off import split_off
from nn.spark.input.table_categories import refuse_unknown, with_categories
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_reading import read_rows
from nn.spark.input.table_source import Table
from nn.spark.input.text_reading import read_images
from nn.spark.runtime.broadcast import broadcast
from nn.spark.storage.filesystem import Storage


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
    with cache.freed_on_error(train_set.cached):
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
    labels = read_labels(files, rows, label_reader)
    handle = broadcast(rows.cached.context, labels.values) if labels.apart else None
    is_classification = options.task == CLASSIFICATION
    classes = labels.values if is_classification else np.zeros(rows.total, np.int16)
    # Classes may have no rows: those of a model to start from, and those whose rows --missing drop leaves out.
    least = len(labels.decoder.labels or ()) or (options.labels and options.labels.classes) or 0
    class_rows = np.bincount(classes, minlength=least)
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
            "or indicator fills the missing values"
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
        notes += empty_classes(files, class_rows, None if train is None else train.class_rows)
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
