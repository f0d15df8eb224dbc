"""Prepare the training rows: hold out validation rows and apply class weights."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.data.block import Block
from nn.data.class_weights import weigh
from nn.data.hold_out import HoldOut


class Split(NamedTuple):
    """Validation split and class weights for `rows` rows; None: without."""

    rows: int
    hold_out: HoldOut | None = None
    class_weights: np.ndarray | None = None  # (k,)

    @property
    def train_rows(self) -> int:
        """The number of rows to learn from."""
        return self.rows if self.hold_out is None else self.hold_out.train_rows

    @property
    def validation_rows(self) -> int:
        """The number of rows to measure only."""
        return self.rows - self.train_rows

    @property
    def changes(self) -> bool:
        """Whether `apply` changes the blocks."""
        return self.hold_out is not None or self.class_weights is not None

    def apply(self, blocks: Any) -> Any:
        """Apply both to blocks (an RDD or a LocalRDD) as map stages."""
        if self.class_weights is not None:
            blocks = blocks.map(partial(weigh, self.class_weights))
        return blocks if self.hold_out is None else blocks.flatMap(self.hold_out.split)

    def check(self, blocks: Any) -> None:
        """Sum the weights of the split blocks. Raises ValueError if training or validation rows have a total of 0."""
        train, validation = blocks.map(_weight).reduce(_add)
        if not train > 0:
            raise ValueError("expected training rows with a total weight above 0, found 0")
        if self.hold_out is not None and not validation > 0:
            raise ValueError("expected validation rows with a total weight above 0, found 0")


def _weight(block: Block) -> tuple[float, float]:
    """Return the total weight of a block: (training, validation)."""
    weight = float(len(block.rows) if block.weights is None else block.weights.sum())
    return (0.0, weight) if block.validation else (weight, 0.0)


def _add(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]
