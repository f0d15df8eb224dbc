"""Hold rows out: row r if hash(seed, VALIDATION, r) < fraction, or those that a mask gives.

The random choice depends on the seed and the row number alone, so it is the same for every partitioning. Training rows
and rows held out are renumbered from 0 each: training rows are 0..train_rows - 1 without gaps, so that mini-batches are
as even as without validation. A test set is split off the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nn.core import random
from nn.data.block import Block

STRIDE = 1024  # rows between two of the running counts


def stratified(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return the mask (n,) of a test set: of each class the min(round(fraction n), n - 1) rows of smallest hash."""
    hashes = random.uniform(seed, random.TEST, 0, np.arange(len(labels)))
    order = np.lexsort((hashes, labels))
    counts = np.unique(labels, return_counts=True)[1]
    ranks = np.arange(len(labels)) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = ranks < np.repeat(np.minimum(np.round(fraction * counts), counts - 1), counts)
    mask = np.zeros(len(labels), bool)
    mask[order[chosen]] = True
    return mask


@dataclass(frozen=True)
class HoldOut:
    """Hold out a random fraction of `total` rows, or those of a mask. Raises ValueError if that is none or all."""

    seed: int
    fraction: float
    total: int
    bits: bytes | None = None  # the mask of the rows, as np.packbits gives it; None: at random

    @classmethod
    def of_mask(cls, mask: np.ndarray) -> HoldOut:
        """Hold out the rows of a mask (n,) bool."""
        return cls(0, 0.0, len(mask), np.packbits(mask).tobytes())

    def __post_init__(self) -> None:
        counts = [0]
        for start in range(0, self.total, STRIDE):
            rows = np.arange(start, min(start + STRIDE, self.total))
            counts.append(counts[-1] + int(self.mask(rows).sum()))
        # Validation rows before row 0, STRIDE, 2 STRIDE, ...: with these each block is renumbered by itself.
        object.__setattr__(self, "_counts", counts)
        if not 0 < self.rows < self.total:
            amount = "none" if self.rows == 0 else "all"
            if self.bits is not None:
                raise ValueError(
                    f"validation_column: it holds out {amount} of the {self.total:,} training rows"
                )
            raise ValueError(
                f"validation_fraction: {self.fraction:g} holds out {amount} of the {self.total:,} training rows"
            )

    @property
    def rows(self) -> int:
        """The number of validation rows."""
        return self._counts[-1]  # type: ignore[attr-defined]

    @property
    def train_rows(self) -> int:
        """The number of training rows."""
        return self.total - self.rows

    def mask(self, rows: np.ndarray) -> np.ndarray:
        """Return which of the rows (n,) are validation rows, (n,) bool."""
        if self.bits is not None:
            bits = np.frombuffer(self.bits, np.uint8)
            known = np.minimum(rows, self.total - 1)  # a stride may go beyond the last row
            return (bits[known >> 3] >> (7 - (known & 7)).astype(np.uint8)) & 1 == 1
        return random.uniform(self.seed, random.VALIDATION, 0, rows) < self.fraction

    def split(self, block: Block) -> list[Block]:
        """Split a block into training rows and validation rows, renumbered; an empty part is left out."""
        mask = self.mask(block.rows)
        before = self._count_before(block.rows)
        train = block.take(~mask)._replace(rows=(block.rows - before)[~mask])
        validation = block.take(mask)._replace(rows=before[mask], validation=True)
        return [part for part in (train, validation) if len(part.rows)]

    def _count_before(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of validation rows before each of the rows (n,), which need not be consecutive."""
        strides = rows // STRIDE
        before = np.empty(len(rows), np.int64)
        for stride in np.unique(strides):
            mask = self.mask(np.arange(stride * STRIDE, (stride + 1) * STRIDE))
            ranks = np.concatenate([[0], np.cumsum(mask)])
            inside = strides == stride
            count = self._counts[stride]  # type: ignore[attr-defined]
            before[inside] = count + ranks[rows[inside] - stride * STRIDE]
        return before
