"""A list of blocks with map, filter, mapPartitions and an ordered reduce, so that the chain runs without Spark."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from nn.data.block import Block


class LocalBroadcast(NamedTuple):
    """A value under the name that Spark's Broadcast gives it."""

    value: Any


class LocalRDD:
    """Partitions of blocks in memory, with the few methods of an RDD that the chain calls.

    As in Spark nothing runs before the elements are asked for, and then one block goes through all stages before the
    next begins: what is in memory at once is one block's caches.
    """

    def __init__(self, partitions: Iterable[Iterable], stages: tuple[Callable, ...] = ()):
        self.partitions = list(partitions)
        self.stages = stages

    def mapPartitions(self, function: Callable[[Iterator], Iterable]) -> LocalRDD:  # noqa: N802 (Spark's name)
        """Send each partition's iterator through a function."""
        return LocalRDD(self.partitions, (*self.stages, function))

    def map(self, function: Callable) -> LocalRDD:
        """Send each element through a function."""
        return self.mapPartitions(functools.partial(map, function))

    def flatMap(self, function: Callable[[Any], Iterable]) -> LocalRDD:  # noqa: N802 (Spark's name)
        """Send each element through a function that gives several."""
        return self.mapPartitions(functools.partial(_flattened, function))

    def filter(self, function: Callable[[Any], bool]) -> LocalRDD:
        """Keep the elements that the function says yes to."""
        return self.mapPartitions(functools.partial(filter, function))

    def persist(self) -> LocalRDD:
        """The same with all stages run and their results held, as Spark's `persist` does."""
        return LocalRDD([list(self._run(part)) for part in self.partitions])

    def __iter__(self) -> Iterator:
        """All elements in order, each computed when it is asked for."""
        return itertools.chain.from_iterable(map(self._run, self.partitions))

    def collect(self) -> list:
        """All elements in order."""
        return list(self)

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


def local_rdd(
    inputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None, block_rows: int = 1024
) -> LocalRDD:
    """Cut arrays in memory, inputs (n, ...) and labels (n,), into one partition of blocks."""
    if len(inputs) != len(labels):
        raise ValueError(f"expected as many labels as inputs, got {len(inputs)} inputs, {len(labels)} labels")
    rows = np.arange(len(inputs))
    whole = Block(rows, inputs, labels, weights)
    return LocalRDD([[whole.take(slice(at, at + block_rows)) for at in range(0, len(rows), block_rows)]])


def _flattened(function: Callable[[Any], Iterable], elements: Iterable) -> Iterator:
    for element in elements:
        yield from function(element)
