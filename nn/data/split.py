"""What becomes of the training rows before they are learned from: some are held out, and each gets its weight."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.data.block import Block
from nn.data.class_weights import weigh
from nn.data.hold_out import HoldOut


class Split(NamedTuple):
    """How `rows` training rows are parted and weighed; None where they are not."""

    rows: int
    hold_out: HoldOut | None = None
    class_weights: np.ndarray | None = None  # (k,)

    @property
    def train_rows(self) -> int:
        """How many rows are learned from."""
        return self.rows if self.hold_out is None else self.hold_out.train_rows

    @property
    def validation_rows(self) -> int:
        """How many rows are measured only."""
        return self.rows - self.train_rows

    @property
    def changes(self) -> bool:
        """Whether it does anything to the blocks."""
        return self.hold_out is not None or self.class_weights is not None

    def applied_to(self, blocks: Any) -> Any:
        """The blocks with this done to them, as map stages; `blocks` is as in nn.training.chain."""
        if self.class_weights is not None:
            blocks = blocks.map(partial(weigh, self.class_weights))
        return blocks if self.hold_out is None else blocks.flatMap(self.hold_out.divide)

    def check(self, blocks: Any) -> None:
        """Go through the divided blocks once; ValueError where those learned from, or those held out, weigh nothing."""
        train, held = blocks.map(_weight).reduce(_both)
        if not train > 0:
            raise ValueError("expected training rows that weigh more than 0 together, found a sum of 0")
        if self.hold_out is not None and not held > 0:
            raise ValueError("expected validation rows that weigh more than 0 together, found a sum of 0")


def _weight(block: Block) -> tuple[float, float]:
    """What a block's rows weigh together: (to learn from, held out)."""
    weight = float(len(block.rows) if block.weights is None else block.weights.sum())
    return (0.0, weight) if block.validation else (weight, 0.0)


def _both(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]
