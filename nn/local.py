"""Run the chain without Spark: a list of blocks with map, mapPartitions and an ordered reduce; fit arrays in memory."""

from __future__ import annotations

import dataclasses
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
from nn.records import LARGEST_WEIGHT, Block, Draw, Epoch, Progress, Tally
from nn.text import MAX_CLASSES
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

    def kept(self) -> Blocks:
        """The same with all stages run and their results held, as Spark's `persist` does."""
        return Blocks([list(self._run(part)) for part in self.partitions])

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
    inputs: Any,
    labels: Any,
    recipe: Recipe | str | None = None,
    weights: Any = None,
    watch: Callable[[Epoch], Any] | None = None,
    **options: Any,
) -> Fit:
    """Train on arrays in memory, in this process, as the job trains on a cluster.

    inputs (n, ...) numbers: rows (n, d), or images (n, h, w) or (n, h, w, c); labels (n,) class numbers from 0; weights
    (n,) or None. The recipe is one, or the path of one, such as "recipes/mlp.json"; or its options are said here:
    fit(images, labels, optimizer="adam", epochs=5). `watch`, such as print, is called with each epoch's line.
    Raises ValueError for what does not fit together, Diverged where training leaves the finite numbers.
    """
    if recipe is not None and options:
        raise ValueError("expected a recipe or options, found both")
    recipe = Recipe.read(recipe) if isinstance(recipe, str) else recipe or Recipe.of(**options)
    inputs, labels, weights = _checked(inputs, labels, weights)
    if inputs.ndim > 2:
        shape = (*inputs.shape[1:], 1)[:3]  # grey images may leave their channel out
        if recipe.input_shape not in (None, shape):
            raise ValueError(f"expected images of the input shape {recipe.input_shape}, got {shape}")
        recipe = dataclasses.replace(recipe, input_shape=shape)
    classes = max(int(labels.max()) + 1, 2)
    scale = max(float(inputs.max()), -float(inputs.min())) or 1.0
    model = recipe.model(math.prod(inputs.shape[1:]), classes, scale)
    split = recipe.split(labels, classes)
    plan = recipe.plan(split.train_rows)
    optimizer = recipe.optimizer_for(plan)
    blocks = split.applied_to(blocks_of(inputs, labels, weights)).kept()
    split.check(blocks)
    measure = recipe.penalty().added_to(measure_on(blocks, model, recipe.augment))
    start = Progress(optimizer.init(model.init(recipe.seed)))
    progress = start
    for progress in early_stopping(train(measure, optimizer, plan, start), recipe.patience):
        if watch is not None:
            watch(progress.history[-1])
    return Fit(Classifier(model, kept(optimizer, progress)), progress.history)


def _checked(inputs: Any, labels: Any, weights: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """The three as arrays that fit each other; ValueError says what does not."""
    inputs, labels = np.asarray(inputs), np.asarray(labels)
    if inputs.dtype.kind not in "biuf" or not 2 <= inputs.ndim <= 4 or not inputs.size:
        raise ValueError(f"expected inputs (n, ...) of numbers, got {inputs.dtype} {inputs.shape}")
    if labels.shape != inputs.shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"expected {len(inputs)} labels (n,) of class numbers, got {labels.dtype} {labels.shape}"
        )
    if labels.min() < 0 or labels.max() >= MAX_CLASSES:
        raise ValueError(f"expected labels in 0..{MAX_CLASSES - 1}, got {labels.min()} to {labels.max()}")
    if inputs.dtype.kind == "f" and not np.isfinite(inputs).all():
        raise ValueError("expected inputs of finite numbers, got a nan or an infinity")
    if weights is None:
        return inputs, labels, None
    weights = np.asarray(weights, np.float64)
    if weights.shape != labels.shape:
        raise ValueError(f"expected {len(labels)} weights (n,), got an array of shape {weights.shape}")
    if not ((weights >= 0) & (weights <= LARGEST_WEIGHT)).all():
        raise ValueError(
            f"expected weights from 0 to {LARGEST_WEIGHT:g}, got {weights.min():g} to {weights.max():g}"
        )
    return inputs, labels, weights


def _flattened(function: Callable[[Any], Iterable], elements: Iterable) -> Iterator:
    for element in elements:
        yield from function(element)
