"""Label and weight columns in the file of inputs."""

from __future__ import annotations

from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import csv


class Columns(NamedTuple):
    """Column numbers from 0, or None: there is no such column."""

    label: int | None
    weight: int | None
    unread: int | None = None  # the weight column of a test set, which is not used

    @classmethod
    def of(cls, width: int, path: str, label: int | None, weight: int | None) -> Columns:
        """Resolve the column options for rows of `width` values: from 0, or from the end if negative.

        Raises DataError if a column does not exist, if both are the same, and if no inputs are left.
        """
        for option, column in (("--label-column", label), ("--weight-column", weight)):
            if column is not None and not (width > 1 and -width <= column < width):
                raise DataError(
                    f"{option}: expected a column in {-width}..{width - 1} and at least one more, "
                    f"found {column} with {width} values a row in {path}"
                )
        columns = cls(*(None if column is None else column % width for column in (label, weight)))
        if columns.label is not None and columns.label == columns.weight:
            raise DataError(f"--weight-column: expected another column than the label's, found {weight}")
        if len(columns.excluded) >= width:
            raise DataError(f"--weight-column: expected columns for inputs too, found {width} in {path}")
        return columns

    @classmethod
    def of_test(cls, width: int, path: str, label: int | None, weight: int | None, inputs: int) -> Columns:
        """Resolve them for a test set of `inputs` inputs per row: the weight column is not read and may be missing."""
        if weight is None or width != inputs + (label is not None):
            columns = cls.of(width, path, label, weight)
            return cls(columns.label, None, columns.weight)
        if label is None:
            return cls(None, None)
        # The options count columns as in the training set, which has one more: the weights.
        column = label % (width + 1)
        return cls(column - (column > weight % (width + 1)), None)

    @property
    def excluded(self) -> list[int]:
        """The columns that are not inputs."""
        return [column for column in self if column is not None]

    def labels_and_weights(self, chunk: csv.Chunk, classes: int) -> tuple[Any, Any]:
        """Return (labels, weights) of parsed rows: each an array (n,), None, or the LineError of the first bad one."""
        labels = weights = None
        if self.label is not None:
            labels = csv.to_labels(chunk.values[:, [self.label]], chunk.line, classes)
        if self.weight is not None:
            weights = csv.to_weights(chunk.values[:, self.weight], chunk.line)
        return labels, weights
