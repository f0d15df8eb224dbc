"""Split a test set off a training set: of each class the rows with the smallest hashes of (seed, TEST, row)."""

from __future__ import annotations

import hashlib

import numpy as np

from nn.core.errors import DataError
from nn.data import label_skew
from nn.data.block import Block
from nn.data.hold_out import HoldOut, stratified
from nn.spark.input.dataset import Dataset


def split_off(dataset: Dataset, fraction: float, seed: int) -> tuple[Dataset, Dataset]:
    """Return the rows to learn from and those of the test set, each numbered from 0 and cached in place of all rows.

    Raises DataError where the test set has no rows.
    """
    labels = np.zeros(dataset.rows, np.int16) if dataset.labels is None else dataset.labels
    mask = stratified(labels, fraction, seed)
    if not mask.any():
        raise DataError(f"--test-fraction: {fraction:g} takes none of the {dataset.rows:,} rows")
    hold_out = HoldOut.of_mask(mask)
    parts = dataset.blocks.flatMap(hold_out.split)
    train, test = (
        _part(dataset, parts, mask == is_test, is_test, f"{fraction!r} {seed} {is_test}")
        for is_test in (False, True)
    )
    dataset.cached.context.setJobDescription("splitting the test set off TRAIN_IMAGES")
    # Fills the cache.
    counts = [part.cached.mapPartitionsWithIndex(_rows_of).collect() for part in (train, test)]
    dataset.cached.unpersist()
    train, test = (
        part._replace(shuffle_windows=_windows(part, runs))
        for part, runs in zip((train, test), counts, strict=True)
    )
    return train, test._replace(notes=(), weighted=False, held_out=None)


def _part(dataset: Dataset, parts: object, mask: np.ndarray, is_test: bool, name: str) -> Dataset:
    def chosen(block: Block) -> list[Block]:
        if block.validation != is_test:
            return []
        return [block._replace(validation=False, weights=None if is_test else block.weights)]

    blocks = parts.flatMap(chosen).persist(dataset.cached.getStorageLevel())  # type: ignore[attr-defined]
    labels = None if dataset.labels is None else dataset.labels[mask]
    class_rows = np.array([mask.sum()]) if labels is None else np.bincount(labels, minlength=dataset.classes)
    return dataset._replace(
        blocks=blocks,
        cached=blocks,
        rows=int(mask.sum()),
        labels=labels,
        class_rows=class_rows,
        targets=None if dataset.targets is None else dataset.targets[mask],
        held_out=None if dataset.held_out is None else dataset.held_out[mask],
        fingerprint=hashlib.sha256(f"{dataset.fingerprint} {name}".encode()).hexdigest(),
    )


def _rows_of(partition: int, blocks: object) -> list[tuple[int, int, int]]:
    """Return (first row, partition, rows) of each block."""
    return [(int(block.rows[0]), partition, len(block.rows)) for block in blocks]  # type: ignore[attr-defined]


def _windows(part: Dataset, runs: list[tuple[int, int, int]]) -> label_skew.ShuffleWindows:
    labels = np.zeros(part.rows, np.int16) if part.labels is None else part.labels
    ordered = ((partition, rows) for _, partition, rows in sorted(runs))
    window_rows = part.shuffle_windows.window_rows
    return label_skew.count_classes(labels, ordered, part.partitions, len(part.class_rows), window_rows)
