"""Hold rows out for validation: row r is held out where hash(seed, VALIDATION, r) < fraction.

Which rows these are depends on nothing but the seed and the row's number, so every partitioning holds out the same. The
rows that are left, and those held out, are numbered anew from 0 each: to all that follows, the training rows are rows
0..train_rows - 1 with no gaps, and mini-batches are as even as they would be without any held out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nn.core import random
from nn.data.block import Block

STRIDE = 1024  # rows between two marks


@dataclass(frozen=True)
class HoldOut:
    """Which of `total` rows are held out; ValueError where it would be none or all of them."""

    seed: int
    fraction: float
    total: int

    def __post_init__(self) -> None:
        marks = [0]
        for start in range(0, self.total, STRIDE):
            rows = np.arange(start, min(start + STRIDE, self.total))
            marks.append(marks[-1] + int(self.chosen(rows).sum()))
        # How many rows are held out before row 0, STRIDE, 2 STRIDE, ...: with these a block numbers its rows by itself.
        object.__setattr__(self, "_marks", marks)
        if not 0 < self.rows < self.total:
            held = "none" if self.rows == 0 else "all"
            raise ValueError(
                f"validation_fraction: {self.fraction:g} holds out {held} of the {self.total:,} training rows"
            )

    @property
    def rows(self) -> int:
        """How many rows are held out."""
        return self._marks[-1]  # type: ignore[attr-defined]

    @property
    def train_rows(self) -> int:
        """How many rows are left to learn from."""
        return self.total - self.rows

    def chosen(self, rows: np.ndarray) -> np.ndarray:
        """Whether each of the rows (n,) is held out, (n,) bool."""
        return random.uniform(self.seed, random.VALIDATION, 0, rows) < self.fraction

    def divide(self, block: Block) -> list[Block]:
        """The block's training rows and its validation rows, each numbered anew; an empty part is left out."""
        chosen = self.chosen(block.rows)
        before = self._held_before(block.rows)
        train = block.take(~chosen)._replace(rows=(block.rows - before)[~chosen])
        held = block.take(chosen)._replace(rows=before[chosen], validation=True)
        return [part for part in (train, held) if len(part.rows)]

    def _held_before(self, rows: np.ndarray) -> np.ndarray:
        """How many rows are held out before each of the rows (n,), which need not be consecutive."""
        marks = rows // STRIDE
        before = np.empty(len(rows), np.int64)
        for mark in np.unique(marks):
            held = self.chosen(np.arange(mark * STRIDE, (mark + 1) * STRIDE))
            ranks = np.concatenate([[0], np.cumsum(held)])
            here = marks == mark
            before[here] = self._marks[mark] + ranks[rows[here] - mark * STRIDE]  # type: ignore[attr-defined]
        return before
