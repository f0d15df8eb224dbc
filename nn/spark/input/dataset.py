"""A set of rows that was read: its blocks on the cluster, and on the driver all that is small."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from nn.data import label_skew
from nn.data.decoding import ClassLabels
from nn.data.schema import ColumnSchema
from nn.spark.input.text_source import SplitStats
from nn.training.backend import Facts


class Dataset(NamedTuple):
    """Rows on the cluster, and their statistics from reading them."""

    blocks: Any  # RDD of Block
    rows: int
    width: int  # columns of inputs
    largest: float  # largest absolute input value
    labels: np.ndarray | None  # (n,) class numbers, on the driver; None for a regression
    class_rows: np.ndarray  # rows of each class, (k,)
    shuffle_windows: label_skew.ShuffleWindows  # the classes of the rows that a replica shuffles together
    weighted: bool  # whether rows have weights of their own
    notes: tuple[str, ...]  # for the user, a line each
    cached: Any  # the persisted RDD from which `blocks` is mapped
    # SHA-256 of the labels and the checksums of the splits: it changes with the values and with the splits.
    fingerprint: str
    columns: tuple[ColumnSchema, ...]  # of inputs, as the training set decides
    are_pixels: bool = False  # whether all inputs are whole numbers in 0..255
    has_names: bool = False  # whether columns have names, from a header or a table
    decoder: ClassLabels = ClassLabels()  # the labels of the classes
    targets: np.ndarray | None = None  # (n,) float64, on the driver, for a regression
    held_out: np.ndarray | None = None  # (n,) bool: the validation rows, where a column says which

    @property
    def classes(self) -> int:
        """Return k: class numbers run from 0 to k - 1."""
        return len(self.class_rows)

    @property
    def facts(self) -> Facts:
        """Return what a run depends on in these rows."""
        labels, classes = (self.targets, 1) if self.labels is None else (self.labels, self.classes)
        assert labels is not None
        return Facts(
            self.width,
            labels,
            classes,
            self.largest or 1.0,
            self.partitions,
            self.columns,
            self.decoder,
            self.are_pixels,
            self.has_names,
            self.held_out,
            fingerprint=self.fingerprint,
        )

    @property
    def partitions(self) -> int:
        """Return the number of tasks in a pass over the rows."""
        return self.cached.getNumPartitions()


def fingerprint(labels: np.ndarray, all_stats: list[SplitStats]) -> str:
    """Return a hash of the rows and of how they are cut into splits. It finds mistakes, not manipulation."""
    kind = "<f8" if labels.dtype.kind == "f" else "<i2"
    digest = hashlib.sha256(np.ascontiguousarray(labels, kind).tobytes())
    for stats in all_stats:
        digest.update(np.array([stats.rows, stats.checksum], "<i8").tobytes())
    return digest.hexdigest()
