"""Which columns of the image text are no inputs: labels and row weights may stand beside the pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import csv


class Columns(NamedTuple):
    """Column numbers from 0; None: there is no such column."""

    label: int | None
    weight: int | None
    unread: int | None = None  # the weights' column in a test set, whose rows are not weighed

    @classmethod
    def of(cls, width: int, path: str, label: int | None, weight: int | None) -> Columns:
        """The columns that the options name in rows of so many values, counted from 0, or from the end if negative.

        Raises DataError for a column that is not there, for one said twice, and where no inputs are left.
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
        if len(columns.taken) >= width:
            raise DataError(f"--weight-column: expected columns for inputs too, found {width} in {path}")
        return columns

    @classmethod
    def of_test(cls, width: int, path: str, label: int | None, weight: int | None, inputs: int) -> Columns:
        """The same in a test set whose rows should have `inputs` inputs: weights are not read, and may be left out."""
        if weight is None or width != inputs + (label is not None):
            columns = cls.of(width, path, label, weight)
            return cls(columns.label, None, columns.weight)
        if label is None:
            return cls(None, None)
        # The options count columns as in the training set, which has the weights' one more.
        place = label % (width + 1)
        return cls(place - (place > weight % (width + 1)), None)

    @property
    def taken(self) -> list[int]:
        """The columns that are left out of the inputs."""
        return [column for column in self if column is not None]

    def beside(self, part: csv.Chunk, classes: int) -> tuple[Any, Any]:
        """(labels, weights) of parsed rows: arrays (n,), None, or the Fault of the first bad one."""
        labels = weights = None
        if self.label is not None:
            labels = csv.to_labels(part.values[:, [self.label]], part.line, classes)
        if self.weight is not None:
            weights = csv.to_weights(part.values[:, self.weight], part.line)
        return labels, weights
