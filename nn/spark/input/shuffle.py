"""Shuffle all rows once, for rows sorted by class: the only time that images are sent between executors.

row r  ->  position permutation(seed, SHUFFLE, r) in 0..n-1  ->  partition ⌊position p / n⌋ of p

The result is a function of the rows, the seed and the number of partitions, and not of the order in which Spark
delivers rows: a task that runs twice gives the same blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from operator import add

import numpy as np

from nn.core import random
from nn.data import csv, label_skew
from nn.data.block import Block
from nn.spark.input.dataset import Dataset

STRIDE = 1 << 20  # labels that the driver moves at once


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """Return the training rows in a random order, numbered by their new positions, in as many partitions as before.

    The sizes of partitions differ by one row at most. Labels and weights move with their rows. The new blocks are
    cached in place of the old ones, which are removed afterwards: until then the cluster holds both, and the rows that
    are sent are on its disks as well, compressed. A task that sends rows streams them, with some megabytes in memory
    per receiver. A task that receives holds all rows of its partition once: its first block is not complete before its
    last row has arrived.
    """
    rows, partitions, context = dataset.rows, dataset.partitions, dataset.cached.context
    sent = dataset.blocks.flatMap(partial(scatter, seed, rows, partitions))
    # The key is the partition. Python's hash of an integer is the integer, but that is not promised.
    received = sent.partitionBy(partitions, _identity)
    block_rows = csv.chunk_rows(dataset.width)
    blocks = received.mapPartitionsWithIndex(partial(gather, rows, partitions, block_rows))
    blocks = blocks.persist(dataset.cached.getStorageLevel())
    context.setJobDescription("shuffling TRAIN_IMAGES")
    blocks.map(_rows_of).reduce(add)  # fills the cache
    dataset.cached.unpersist()
    columns = {name: getattr(dataset, name) for name in ("labels", "targets", "held_out")}
    columns = {name: None if values is None else moved(values, seed) for name, values in columns.items()}
    classes = np.zeros(rows, np.int16) if columns["labels"] is None else columns["labels"]
    return dataset._replace(
        blocks=blocks,
        cached=blocks,
        **columns,
        shuffle_windows=label_skew.count_classes(
            classes, _runs(rows, partitions), partitions, dataset.classes, dataset.shuffle_windows.window_rows
        ),
    )


def moved(column: np.ndarray, seed: int) -> np.ndarray:
    """Return a column (n,) on the driver, such as the labels, in the order of its rows' new positions."""
    result = np.empty_like(column)
    for start in range(0, len(column), STRIDE):
        part = column[start : start + STRIDE]
        result[_positions(seed, np.arange(start, start + len(part)), len(column))] = part
    return result


def first_position(rows: int, partitions: int, partition: int) -> int:
    """Return the first position of a partition, where position i is in partition ⌊i partitions / rows⌋."""
    return -(-rows * partition // partitions)


def _runs(rows: int, partitions: int) -> Iterator[tuple[int, int]]:
    """Yield (partition, its number of rows) in order."""
    firsts = [first_position(rows, partitions, partition) for partition in range(partitions + 1)]
    return ((partition, end - first) for partition, (first, end) in enumerate(pairwise(firsts)))


# ---- on the executors ----


def scatter(seed: int, rows: int, partitions: int, block: Block) -> Iterator[tuple[int, Block]]:
    """Yield (partition, Block of the rows that go there), the rows numbered by their new positions."""
    positions = _positions(seed, block.rows, rows)
    order = np.argsort(positions)
    sorted_block = block.take(order)._replace(rows=positions[order])
    targets = sorted_block.rows * partitions // rows
    starts = np.flatnonzero(np.diff(targets, prepend=-1))
    for start, end in pairwise([*starts, len(targets)]):
        yield int(targets[start]), sorted_block.take(slice(start, end))


def gather(
    rows: int, partitions: int, block_rows: int, partition: int, received: Iterable[tuple[int, Block]]
) -> Iterator[Block]:
    """Yield the blocks of one partition, of `block_rows` rows each but for the last, in the order of the positions.

    Raises ValueError where the rows are not as many as the partition's positions.
    """
    first, end = (first_position(rows, partitions, number) for number in (partition, partition + 1))
    whole, count = None, 0
    for _, part in received:
        whole = _allocated(whole, part, np.arange(first, end))
        index = part.rows - first
        whole.inputs[index], whole.labels[index] = part.inputs, part.labels
        if whole.weights is not None:
            whole.weights[index] = part.weights
        count += len(index)
    if count != end - first:
        raise ValueError(f"partition {partition}: expected {end - first} shuffled rows, found {count}")
    if whole is not None:
        for start in range(0, count, block_rows):
            block = whole.take(slice(start, start + block_rows))
            # The dtype that reading the rows in this order would have given.
            yield block._replace(inputs=csv.compact(block.inputs))


def _allocated(whole: Block | None, part: Block, positions: np.ndarray) -> Block:
    """Return a block for the rows of all positions (n,), of float32 from the first part on whose inputs are float32."""
    if whole is None:
        inputs = np.empty((len(positions), *part.inputs.shape[1:]), part.inputs.dtype)
        labels = np.empty(len(positions), part.labels.dtype)
        weights = None if part.weights is None else np.empty(len(positions), part.weights.dtype)
        return Block(positions, inputs, labels, weights)
    dtype = np.promote_types(whole.inputs.dtype, part.inputs.dtype)
    return whole if dtype == whole.inputs.dtype else whole._replace(inputs=whole.inputs.astype(dtype))


def _positions(seed: int, rows: np.ndarray, total: int) -> np.ndarray:
    return random.permutation(seed, random.SHUFFLE, 0, rows, total)


def _identity(partition: int) -> int:
    return partition


def _rows_of(block: Block) -> int:
    return len(block.rows)
