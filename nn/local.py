"""Run the chain without Spark: a list of blocks with map, mapPartitions and an ordered reduce."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from nn import chain
from nn.model import Sequential
from nn.records import Block, Draw, Tally


class Held(NamedTuple):
    """A value under the name that Spark's Broadcast gives it."""

    value: Any


class Blocks:
    """Partitions of blocks in memory, with the few methods of an RDD that the chain calls.

    As in Spark nothing runs before `reduce` or `collect`, and then one block goes through all stages before the
    next begins: what is in memory at once is one block's caches.
    """

    def __init__(self, partitions: Iterable[Iterable], stages: tuple[Callable, ...] = ()):
        self.partitions = list(partitions)
        self.stages = stages

    def mapPartitions(self, function: Callable[[Iterator], Iterable]) -> Blocks:  # noqa: N802 (Spark's name)
        """Send each partition's iterator through a function."""
        return Blocks(self.partitions, (*self.stages, function))

    def map(self, function: Callable) -> Blocks:
        """Send each element through a function."""
        return self.mapPartitions(functools.partial(map, function))

    def collect(self) -> list:
        """All elements in order."""
        return list(itertools.chain.from_iterable(self._run(part) for part in self.partitions))

    def reduce(self, function: Callable) -> Any:
        """Reduce each partition, then the results, in order: the grouping of Spark's RDD.reduce."""
        filled = []
        for part in self.partitions:
            elements = list(itertools.islice(stream := self._run(part), 1))
            if elements:
                filled.append(functools.reduce(function, stream, elements[0]))
        return functools.reduce(function, filled)

    def _run(self, partition: Iterable) -> Iterator:
        stream = iter(partition)
        for stage in self.stages:
            stream = iter(stage(stream))
        return stream


def blocks_of(
    inputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None, block_rows: int = 1024
) -> Blocks:
    """Cut arrays in memory, inputs (n, ...) and labels (n,), into one partition of blocks."""
    if len(inputs) != len(labels):
        raise ValueError(f"expected as many labels as inputs, got {len(inputs)} inputs, {len(labels)} labels")
    rows = np.arange(len(inputs))
    whole = Block(rows, inputs, labels, weights)
    return Blocks([[whole.take(slice(at, at + block_rows)) for at in range(0, len(rows), block_rows)]])


def measure_on(blocks: Blocks, model: Sequential) -> Callable[[Any, Draw], Tally]:
    """A function (params, draw) -> Tally that runs the chain in this process."""

    def measure(params: Any, draw: Draw) -> Tally:
        run = chain.gradients if draw.fraction > 0 else chain.costs
        return run(blocks, model, Held(params), draw)

    return measure
