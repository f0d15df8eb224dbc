"""LocalRDD: a list of blocks with the methods of an RDD that training uses, to run without Spark."""

from __future__ import annotations

import functools
import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from nn.data.block import Block


class LocalBroadcast(NamedTuple):
    """A value with the interface of Spark's Broadcast."""

    value: Any


class MapStages(ABC):
    """The methods of an RDD that map its elements, for a class with `mapPartitions`."""

    @abstractmethod
    def mapPartitions(self, function: Callable[[Iterator], Iterable]) -> Any:  # noqa: N802 (Spark's name)
        """Apply a function to the iterator of each partition."""

    def map(self, function: Callable) -> Any:
        """Apply a function to each element."""
        return self.mapPartitions(functools.partial(map, function))

    def flatMap(self, function: Callable[[Any], Iterable]) -> Any:  # noqa: N802 (Spark's name)
        """Apply a function that returns several elements to each element."""
        return self.mapPartitions(functools.partial(_flat_map, function))

    def filter(self, function: Callable[[Any], bool]) -> Any:
        """Keep the elements for which the function is true."""
        return self.mapPartitions(functools.partial(filter, function))


class LocalRDD(MapStages):
    """Partitions of blocks in memory, with the methods of an RDD that training uses.

    As in Spark, stages are lazy: each block goes through all stages before the next one, so that only one block's
    caches are in memory.
    """

    def __init__(self, partitions: Iterable[Iterable], stages: tuple[Callable, ...] = ()):
        self.partitions = list(partitions)
        self.stages = stages

    def mapPartitions(self, function: Callable[[Iterator], Iterable]) -> LocalRDD:  # noqa: N802 (Spark's name)
        """Apply a function to the iterator of each partition."""
        return LocalRDD(self.partitions, (*self.stages, function))

    def persist(self) -> LocalRDD:
        """Run all stages now and return an RDD of their results."""
        return LocalRDD([list(self._run(part)) for part in self.partitions])

    def __iter__(self) -> Iterator:
        """Yield all elements in order, computed one at a time."""
        return itertools.chain.from_iterable(map(self._run, self.partitions))

    def collect(self) -> list:
        """Return all elements in order."""
        return list(self)

    def reduce(self, function: Callable) -> Any:
        """Reduce each partition, then the results, in order, as Spark's RDD.reduce groups them."""
        results = []
        for part in self.partitions:
            elements = list(itertools.islice(stream := self._run(part), 1))
            if elements:
                results.append(functools.reduce(function, stream, elements[0]))
        return functools.reduce(function, results)

    def _run(self, partition: Iterable) -> Iterator:
        stream = iter(partition)
        for stage in self.stages:
            stream = iter(stage(stream))
        return stream


def local_rdd(
    inputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None, block_rows: int = 1024
) -> LocalRDD:
    """Divide arrays, inputs (n, ...) and labels (n,), into one partition of blocks.

    Raises ValueError if there are not as many labels as inputs.
    """
    if len(inputs) != len(labels):
        raise ValueError(f"expected as many labels as inputs, got {len(inputs)} inputs, {len(labels)} labels")
    rows = np.arange(len(inputs))
    all_rows = Block(rows, inputs, labels, weights)
    starts = range(0, len(rows), block_rows)
    return LocalRDD([[all_rows.take(slice(start, start + block_rows)) for start in starts]])


def _flat_map(function: Callable[[Any], Iterable], elements: Iterable) -> Iterator:
    for element in elements:
        yield from function(element)
