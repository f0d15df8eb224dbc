"""Select the rows of a job and pack them into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from nn.core import random
from nn.data.block import Block

# Rows at which a packed block is passed on, so that a huge mini-batch stays bounded in memory.
FULL_BLOCK = 1024
BUFFER = 32 << 20  # bytes of inputs that are shuffled together, so that the memory of a replica stays bounded


class RowSelection(NamedTuple):
    """Select the rows of one job, and which of them the gradients are of.

    With `batch` set, select mini-batch number `batch` of `batches` alone. The mini-batches of an epoch partition a
    random permutation of the `total` training rows. With `validation_only`, select the validation rows alone.
    """

    seed: int = 0
    epoch: int = 0
    # Of the training rows, drawn at random, that the gradients are of; 0: measure the cost alone.
    fraction: float = 1.0
    batch: int | None = None
    batches: int = 1
    total: int = 0
    validation_only: bool = False


def select_blocks(selection: RowSelection, blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks that hold the selected rows; the rows of one mini-batch are packed together."""
    if selection.validation_only:
        return (block for block in blocks if block.validation)
    return iter(blocks) if selection.batch is None else training_blocks(selection, blocks)


def training_blocks(selection: RowSelection, blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield the blocks of a partition without its validation rows; of one mini-batch among several, its rows packed."""
    training = (block for block in blocks if not block.validation)
    return pack_batch(selection, training) if selection.batches > 1 else training


def pack_batch(selection: RowSelection, blocks: Iterable[Block]) -> Iterator[Block]:
    """Pack the rows of a mini-batch, which all blocks of a partition hold some of, into blocks of FULL_BLOCK rows."""
    assert selection.batch is not None
    seed, epoch, total = selection.seed, selection.epoch, selection.total
    wanted = random.batch_rows(seed, epoch, selection.batch, total, selection.batches)
    packed: list[Block] = []
    for block in blocks:
        packed.append(block.take(_places(block.rows, wanted)))
        if sum(len(part.rows) for part in packed) >= FULL_BLOCK:
            yield join(packed)
            packed = []
    if packed:
        yield join(packed)


def _places(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the places in `rows` (n,) of those that are wanted (m,); both are ascending."""
    if not len(rows):
        return np.empty(0, np.intp)
    wanted = wanted[slice(*np.searchsorted(wanted, (rows[0], rows[-1] + 1)))]
    places = np.searchsorted(rows, wanted)
    return places[rows[places] == wanted]


def join(blocks: list[Block]) -> Block:
    """Concatenate blocks of one partition."""
    if len(blocks) == 1:
        return blocks[0]
    weights = None if blocks[0].weights is None else np.concatenate([b.weights for b in blocks])
    rows, inputs, labels = (np.concatenate(parts) for parts in zip(*(b[:3] for b in blocks), strict=True))
    return Block(rows, inputs, labels, weights)


def kept(blocks: Iterable[Block], buffer: float = BUFFER) -> list[Block]:
    """Return the blocks of a partition that `mini_batches` goes through several times.

    They are one block where all fit into the buffer, so that they are joined once.
    """
    blocks = [block for block in blocks if len(block.rows)]
    fits = sum(block.inputs.nbytes for block in blocks) < buffer
    return [join(blocks)] if blocks and fits else blocks


def buffered_rows(row_bytes: int) -> int:
    """Return how many rows of `row_bytes` bytes are shuffled together."""
    return max(1, BUFFER // row_bytes)


def mini_batches(
    blocks: Iterable[Block], size: int, selection: RowSelection, buffer: float = BUFFER
) -> Iterator[Block]:
    """Yield shuffled mini-batches of at most `size` rows, in an order that differs in each epoch.

    Rows are shuffled within a buffer of `buffer` bytes of inputs. When the buffer is full, all whole mini-batches but
    the last are yielded; the remainder is carried over, so that no mini-batch is much smaller than the others.
    """
    waiting: list[Block] = []
    rows, filling, first = 0, 0, 0
    for block in blocks:
        if not len(block.rows):
            continue
        if not waiting and not filling:
            first = int(block.rows[0])
        waiting.append(block)
        rows += len(block.rows)
        if rows >= 2 * size and rows * block.inputs[0].nbytes >= buffer:
            whole, order = _shuffled(waiting, selection, first, filling)
            cut = (rows // size - 1) * size
            for start in range(0, cut, size):
                yield whole.take(order[start : start + size])
            waiting, rows, filling = [whole.take(order[cut:])], rows - cut, filling + 1
    if rows:
        whole, order = _shuffled(waiting, selection, first, filling)
        count = random.batch_count(rows, size)
        for number in range(count):
            yield whole.take(order[rows * number // count : rows * (number + 1) // count])


def _shuffled(
    blocks: list[Block], selection: RowSelection, first: int, filling: int
) -> tuple[Block, np.ndarray]:
    """Join the blocks of a buffer, and permute its rows by (seed, epoch, first row of the partition, filling)."""
    whole = join(blocks)
    key = random.Key((random.REPLICAS, selection.seed, selection.epoch, first, filling))
    return whole, key.generator().permutation(len(whole.rows))
