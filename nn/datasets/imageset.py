"""An image set is two splits, train and test, each a stream of blocks that need not fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BLOCK_ROWS = 1_000


class Block(NamedTuple):
    """Some rows of a split, in order."""

    images: np.ndarray  # (n, h, w) uint8
    labels: np.ndarray  # (n,) uint8, a number in the order of ImageSet.classes


@dataclass(frozen=True)
class Split:
    """One part of an image set: how many rows it has, and how to go through them from the first."""

    rows: int
    blocks: Callable[[], Iterator[Block]]


@dataclass(frozen=True)
class ImageSet:
    """Images with their labels, and where they came from."""

    name: str
    classes: tuple[str, ...]  # their names, in label order
    height: int
    width: int
    source: str
    train: Split
    test: Split
    seed: int | None = None  # of a set that was drawn


def split_of(images: np.ndarray, labels: np.ndarray) -> Split:
    """Give arrays that are in memory, (n, h, w) and (n,), as a split."""

    def blocks() -> Iterator[Block]:
        for start in range(0, len(images), BLOCK_ROWS):
            yield Block(images[start : start + BLOCK_ROWS], labels[start : start + BLOCK_ROWS])

    return Split(len(images), blocks)
