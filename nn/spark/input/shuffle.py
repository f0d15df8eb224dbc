"""Move every row once to a random place, for rows sorted by class: the one time that images travel.

row r  ->  place permutation(seed, SHUFFLE, r) in 0..n-1  ->  partition ⌊place p / n⌋ of p

What comes to lie where is a function of the rows, the seed and the number of partitions, never of the order in which
Spark delivers: a task that runs twice gives the same blocks.
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
from nn.spark.input.reader import Dataset

STRIDE = 1 << 20  # labels moved at a time on the driver


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """The training rows in a random order, numbered by their new places, in as many partitions as before.

    Partitions differ by a row at most. Labels and weights go with their rows. The new blocks are cached in the place of
    the old ones, which are let go when the new ones are there: until then the cluster holds both, and what travels lies
    compressed on its disks as well. A task that sends rows streams them, some megabytes for each receiver in hand; one
    that receives holds its own rows once, and cannot do with less: its first block is not known before its last row
    has come.
    """
    rows, partitions, context = dataset.rows, dataset.partitions, dataset.cached.context
    sent = dataset.blocks.flatMap(partial(scatter, seed, rows, partitions))
    # Key and partition are one: Python's hash of whole numbers would do the same, but need not for ever.
    arrived = sent.partitionBy(partitions, _itself)
    block_rows = csv.chunk_rows(dataset.width)
    blocks = arrived.mapPartitionsWithIndex(partial(gather, rows, partitions, block_rows))
    blocks = blocks.persist(dataset.cached.getStorageLevel())
    context.setJobDescription("shuffling TRAIN_IMAGES")
    blocks.map(_rows_of).reduce(add)  # fills the cache
    dataset.cached.unpersist()
    labels = moved(dataset.labels, seed)
    return dataset._replace(
        blocks=blocks,
        cached=blocks,
        labels=labels,
        stretches=label_skew.count_classes(
            labels, _runs(rows, partitions), partitions, dataset.classes, dataset.stretches.window_rows
        ),
    )


def moved(labels: np.ndarray, seed: int) -> np.ndarray:
    """The labels (n,) in the order of their rows' new places."""
    there = np.empty_like(labels)
    for start in range(0, len(labels), STRIDE):
        own = labels[start : start + STRIDE]
        there[_places(seed, np.arange(start, start + len(own)), len(labels))] = own
    return there


def first_place(rows: int, partitions: int, partition: int) -> int:
    """The first place of a partition, where place i lies in partition ⌊i partitions / rows⌋."""
    return -(-rows * partition // partitions)


def _runs(rows: int, partitions: int) -> Iterator[tuple[int, int]]:
    """(partition, how many rows it holds), one after the other."""
    firsts = [first_place(rows, partitions, partition) for partition in range(partitions + 1)]
    return ((partition, end - first) for partition, (first, end) in enumerate(pairwise(firsts)))


# ---- on the executors ----


def scatter(seed: int, rows: int, partitions: int, block: Block) -> Iterator[tuple[int, Block]]:
    """A block's rows packed by the partition they go to, one (partition, Block) each, numbered by their places."""
    places = _places(seed, block.rows, rows)
    order = np.argsort(places)
    packed = block.take(order)._replace(rows=places[order])
    targets = packed.rows * partitions // rows
    starts = np.flatnonzero(np.diff(targets, prepend=-1))
    for start, end in pairwise([*starts, len(targets)]):
        yield int(targets[start]), packed.take(slice(start, end))


def gather(
    rows: int, partitions: int, block_rows: int, partition: int, arriving: Iterable[tuple[int, Block]]
) -> Iterator[Block]:
    """The blocks of one partition, of `block_rows` rows each but for the last, whatever order its rows arrive in.

    Raises ValueError where they are not as many as the partition has places.
    """
    first, end = (first_place(rows, partitions, number) for number in (partition, partition + 1))
    whole, found = None, 0
    for _, part in arriving:
        whole = _with_room(whole, part, np.arange(first, end))
        at = part.rows - first
        whole.inputs[at], whole.labels[at] = part.inputs, part.labels
        if whole.weights is not None:
            whole.weights[at] = part.weights
        found += len(at)
    if found != end - first:
        raise ValueError(f"partition {partition}: expected {end - first} shuffled rows, found {found}")
    if whole is not None:
        for start in range(0, found, block_rows):
            block = whole.take(slice(start, start + block_rows))
            # Compact as reading them in this order would have made them.
            yield block._replace(inputs=csv.compact(block.inputs))


def _with_room(whole: Block | None, part: Block, places: np.ndarray) -> Block:
    """Where the rows of the places (n,) are laid; its inputs turn float32 with the first part whose inputs are."""
    if whole is None:
        inputs = np.empty((len(places), *part.inputs.shape[1:]), part.inputs.dtype)
        labels = np.empty(len(places), part.labels.dtype)
        weights = None if part.weights is None else np.empty(len(places), part.weights.dtype)
        return Block(places, inputs, labels, weights)
    kind = np.promote_types(whole.inputs.dtype, part.inputs.dtype)
    return whole if kind == whole.inputs.dtype else whole._replace(inputs=whole.inputs.astype(kind))


def _places(seed: int, rows: np.ndarray, total: int) -> np.ndarray:
    return random.permutation(seed, random.SHUFFLE, 0, rows, total)


def _itself(partition: int) -> int:
    return partition


def _rows_of(block: Block) -> int:
    return len(block.rows)
