"""What becomes of the training rows before they are learned from: some are held out, and each gets its weight."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn.validation import HoldOut
from nn.weighting import weigh


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

    def applied_to(self, blocks: Any) -> Any:
        """The blocks with this done to them, as map stages; `blocks` is as in nn.chain."""
        if self.class_weights is not None:
            blocks = blocks.map(partial(weigh, self.class_weights))
        return blocks if self.hold_out is None else blocks.flatMap(self.hold_out.divide)
