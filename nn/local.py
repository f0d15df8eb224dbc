"""Run the chain without Spark: a list of blocks with map, mapPartitions and an ordered reduce; fit arrays in memory."""

from __future__ import annotations

import collections
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from nn import chain
from nn.classifier import Classifier
from nn.model import Sequential
from nn.recipe import Recipe
from nn.records import Block, Draw, Epoch, Progress, Tally
from nn.training import early_stopping, kept, train


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

    def flatMap(self, function: Callable[[Any], Iterable]) -> Blocks:  # noqa: N802 (Spark's name)
        """Send each element through a function that gives several."""
        return self.mapPartitions(functools.partial(_flattened, function))

    def filter(self, function: Callable[[Any], bool]) -> Blocks:
        """Keep the elements that the function says yes to."""
        return self.mapPartitions(functools.partial(filter, function))

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


def measure_on(blocks: Blocks, model: Sequential, augmentation: tuple = ()) -> Callable[[Any, Draw], Tally]:
    """A function (params, draw) -> Tally that runs the chain in this process."""

    def measure(params: Any, draw: Draw) -> Tally:
        return chain.run(blocks, model, Held(params), draw, augmentation)

    return measure


class Fit(NamedTuple):
    """A trained network and how it was trained."""

    classifier: Classifier
    history: tuple[Epoch, ...]


def fit(
    inputs: np.ndarray,
    labels: np.ndarray,
    recipe: Recipe | None = None,
    weights: np.ndarray | None = None,
    **options: Any,
) -> Fit:
    """Train on arrays in memory, in this process, as the job trains on a cluster.

    inputs (n, ...) uint8 or float, labels (n,) class numbers from 0, weights (n,) or None. The recipe is one of
    `Recipe.read("recipes/mlp.json")`, or its options are said here: fit(images, labels, optimizer="adam", epochs=5).
    Raises ValueError for what does not fit together, Diverged where training leaves the finite numbers.
    """
    if recipe is not None and options:
        raise ValueError("expected a recipe or options, found both")
    recipe = recipe or Recipe.of(**options)
    inputs, labels = np.asarray(inputs), np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels) or labels.min() < 0:
        raise ValueError(f"expected labels (n,) of class numbers from 0, got {labels.dtype} {labels.shape}")
    class_rows = np.bincount(labels, minlength=2)
    scale = float(np.abs(inputs).max()) or 1.0
    model = recipe.model(math.prod(inputs.shape[1:]), len(class_rows), scale)
    split = recipe.split(class_rows)
    plan = recipe.plan(split.train_rows)
    optimizer = recipe.optimizer_for(plan)
    blocks = split.applied_to(blocks_of(inputs, labels, weights))
    measure = recipe.penalty().added_to(measure_on(blocks, model, recipe.augment))
    start = Progress(optimizer.init(model.init(recipe.seed)))
    epochs = early_stopping(train(measure, optimizer, plan, start), recipe.patience)
    progress = collections.deque(epochs, maxlen=1).pop()
    return Fit(Classifier(model, kept(optimizer, progress)), progress.history)


def _flattened(function: Callable[[Any], Iterable], elements: Iterable) -> Iterator:
    for element in elements:
        yield from function(element)
