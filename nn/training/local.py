"""Train without Spark: a backend for rows in memory, and `fit`, which trains on arrays."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nn.data import csv
from nn.data.arrays import as_numbers, check_sizes, check_values
from nn.data.block import LARGEST_WEIGHT
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.data.split import Split
from nn.models.classifier import Classifier
from nn.training.adding import sum_in_order
from nn.training.backend import Facts, Job, partial_sums, penalized
from nn.training.recipe import Recipe
from nn.training.records import Epoch, Sums
from nn.training.run import TrainingRun


class LocalBackend:
    """Rows in memory, in this process. Each partition is a replica where parameters are averaged.

    The rows of a replica lie in memory, so all of them are shuffled together.
    """

    def __init__(self, blocks: LocalRDD):
        self.blocks = blocks

    def split(self, split: Split) -> None:
        """Hold out validation rows, and weight the others. Raises ValueError where either have no weight together."""
        self.blocks = split.apply(self.blocks).persist()
        split.check(self.blocks)

    def run(self, jobs: list[Job]) -> list[Sums]:
        """Run jobs one after the other."""
        return [self._run(job) for job in jobs]

    def _run(self, job: Job) -> Sums:
        sums = partial_sums(self.blocks, job, LocalBroadcast(job.payload), math.inf)
        return penalized(job, sum_in_order(sums))


class Fit(NamedTuple):
    """A trained network and how it was trained."""

    classifier: Classifier
    history: tuple[Epoch, ...]


def fit(
    inputs: Any,
    labels: Any,
    recipe: Recipe | str | os.PathLike | None = None,
    weights: Any = None,
    watch: Callable[[Epoch], Any] | None = None,
    **options: Any,
) -> Fit:
    """Train on arrays in memory, in this process, as the job trains on a cluster.

    inputs (n, ...) numbers: rows (n, d), or images (n, h, w) or (n, h, w, c); labels (n,) or (n, 1) class numbers from
    0, or one-hot rows (n, k); weights (n,) or None. The recipe is one, or the path of one, such as "recipes/mlp.json";
    or its options are given here: fit(images, labels, optimizer="adam", epochs=5). `watch`, such as print, is called
    with each epoch's line. Raises ValueError for what does not fit together, DivergenceError where the cost, a gradient
    or a weight is no longer a finite number.

    The parameters have the bits of the job's with `--partitions 1` where BLAS runs one thread here too: set
    OPENBLAS_NUM_THREADS=1 (MKL_NUM_THREADS=1 for MKL) before Python starts. With more threads the last bits may differ.
    """
    if recipe is not None and options:
        raise ValueError("expected a recipe or options, found both")
    recipe = _recipe_of(recipe, options)
    inputs, labels, weights = _checked(inputs, labels, weights)
    if inputs.ndim > 2:
        shape = (*inputs.shape[1:], 1)[:3]  # grey images may leave their channel out
        if recipe.input_shape not in (None, shape):
            raise ValueError(f"expected images of the input shape {recipe.input_shape}, got {shape}")
        recipe = dataclasses.replace(recipe, input_shape=shape)
    classes = max(int(labels.max()) + 1, 2)
    scale = max(float(inputs.max()), -float(inputs.min())) or 1.0
    facts = Facts(math.prod(inputs.shape[1:]), labels, classes, scale)
    run = TrainingRun.of(recipe, facts)
    backend = LocalBackend(local_rdd(inputs, labels, weights))
    backend.split(run.split)
    progress = run.start()
    for progress in run.epochs(backend):
        if watch is not None:
            watch(progress.history[-1])
    return Fit(run.predictor(progress), progress.history)


def _recipe_of(recipe: Recipe | str | os.PathLike | None, options: dict[str, Any]) -> Recipe:
    """Return the given recipe, the one in a file, or one made of options."""
    if recipe is None:
        return Recipe.of(**options)
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, (str, os.PathLike)):
        raise ValueError(f"expected a recipe or the path of one, got {type(recipe).__name__}")
    return Recipe.read(os.fspath(recipe))


def _checked(inputs: Any, labels: Any, weights: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Check inputs, labels and weights as the job checks text. Raises ValueError."""
    inputs = as_numbers(inputs)
    if not 2 <= inputs.ndim <= 4 or not inputs.size:
        raise ValueError(f"expected inputs (n, ...) of numbers, got {inputs.dtype} {inputs.shape}")
    check_values(inputs)
    check_sizes(inputs)
    labels = _class_numbers(labels, len(inputs))
    if weights is not None:
        weights = _row_weights(weights, len(inputs))
    return csv.compact(inputs), labels, weights


def _class_numbers(labels: Any, rows: int) -> np.ndarray:
    """Convert labels (n,), (n, 1) or one-hot (n, k) to class numbers (n,)."""
    values = np.asarray(labels)
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"expected labels of class numbers from 0, got {values.dtype} {values.shape}; "
            "np.unique(labels, return_inverse=True)[1] makes such numbers of names"
        )
    if values.ndim not in (1, 2) or len(values) != rows or not values.size:
        raise ValueError(
            f"expected {rows} labels, class numbers (n,) or one-hot rows (n, k), got an array of shape {values.shape}"
        )
    columns = values.reshape(rows, -1)
    numbers = csv.to_labels(columns.astype(np.uint8) if values.dtype.kind == "b" else columns, first_line=0)
    if isinstance(numbers, csv.LineError):
        raise ValueError(f"labels, row {numbers.line}: {numbers}")
    if numbers.min() == numbers.max():
        raise ValueError(f"labels: expected at least 2 classes, found class {numbers[0]} alone")
    return numbers


def _row_weights(weights: Any, rows: int) -> np.ndarray:
    weights = np.asarray(weights, np.float64)
    if weights.shape != (rows,):
        raise ValueError(f"expected {rows} weights (n,), got an array of shape {weights.shape}")
    if not ((weights >= 0) & (weights <= LARGEST_WEIGHT)).all():
        raise ValueError(
            f"expected weights from 0 to {LARGEST_WEIGHT:g}, got {weights.min():g} to {weights.max():g}"
        )
    return weights
