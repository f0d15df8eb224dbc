"""Train without Spark: a backend for rows in memory, and `fit`, which trains on arrays."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any, NamedTuple

from nn.data.csv import chunk_rows
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.data.split import Split
from nn.data.statistics import ColumnStatistics, partition_statistics
from nn.models.classifier import Predictor, content_of, load
from nn.models.model_file import SavedModel
from nn.training import diagnosis
from nn.training.adding import sum_in_order
from nn.training.backend import Job, partial_sums, penalized
from nn.training.evaluation import evaluate
from nn.training.local_rows import rows_of
from nn.training.recipe import Recipe
from nn.training.records import Epoch, Progress, Sums
from nn.training.run import TrainingRun


class LocalBackend:
    """Rows in memory, in this process. Each partition is a replica where parameters are averaged."""

    def __init__(self, blocks: LocalRDD):
        self.blocks = blocks

    def split(self, split: Split) -> None:
        """Hold out validation rows, and weight the others. Raises ValueError where either have no weight together."""
        self.blocks = split.apply(self.blocks).persist()
        split.check(self.blocks)

    def statistics(self) -> ColumnStatistics:
        """Return the statistics of the columns over the rows that are learned from."""
        return reduce(add, self.blocks.mapPartitions(partition_statistics).collect())

    def run(self, jobs: list[Job]) -> list[Sums]:
        """Run jobs one after the other."""
        return [self._run(job) for job in jobs]

    def _run(self, job: Job) -> Sums:
        sums = partial_sums(self.blocks, job, LocalBroadcast(job.payload))
        return penalized(job, sum_in_order(sums))


class Fit(NamedTuple):
    """A trained network and how it was trained.

    - classifier: a Classifier, or a Regressor
    - history: a record of each epoch
    """

    classifier: Any
    history: tuple[Epoch, ...]


def fit(
    inputs: Any,
    labels: Any,
    recipe: Recipe | str | os.PathLike | None = None,
    weights: Any = None,
    watch: Callable[[Epoch], Any] | None = None,
    start_from: Predictor | str | os.PathLike | None = None,
    **options: Any,
) -> Fit:
    """Train on arrays or a table in memory, in this process, as the job trains on a cluster.

    inputs: rows (n, d) or images (n, h, w) or (n, h, w, c) of numbers; or a table, which is a dict of columns, a NumPy
    structured array, a pandas or an Arrow table. labels: (n,) or (n, 1) of class numbers, other numbers, names or
    booleans, or one-hot rows (n, k); values (n,) with task="regression"; or the name of the table's column that has
    them. Given as an array they must not be a column of the table too, which would be an input. weights: (n,) or None.
    The recipe is one, its name, such as "mlp", or the path of one; options replace those of the recipe, or the
    defaults: fit(images, labels, optimizer="adam", epochs=5). `watch`, such as print, is called with each epoch's
    line. Warns where the network predicts no better than a constant.

    `start_from`, a classifier, a regressor or the path of a model file, gives the initial weights: the network, the
    columns and the classes must be its own, and inputs are encoded as it encodes them. With keep_layers=N only its
    first N layers are kept, and the classes, or the target, may be others. freeze=N leaves the weights of the first N
    layers as they are: fit(images, labels, layers="dense:64,relu", keep_layers=2, freeze=2, start_from=classifier).

    Returns Fit(classifier, history): a Classifier, or a Regressor, and a tuple with a record of each epoch, whose
    fields are the columns of history.csv: epoch, cost, accuracy, learning_rate, ..., val_cost, val_accuracy, ...

    Raises ValueError for what does not fit together, DivergenceError where the cost, a gradient or a weight is no
    longer a finite number.

    The parameters have the bits of the job's with `--partitions 1` where BLAS runs one thread here too: set
    OPENBLAS_NUM_THREADS=1 (MKL_NUM_THREADS=1 for MKL) before Python starts. With more threads the last bits may differ.
    """
    recipe = _recipe_of(recipe).replace(**options)
    trained = None if start_from is None else _saved(start_from)
    rows = rows_of(inputs, labels, weights, recipe, None if trained is None else trained.model)
    if rows.shape is not None:
        if recipe.input_shape not in (None, rows.shape):
            raise ValueError(f"expected images of the input shape {recipe.input_shape}, got {rows.shape}")
        recipe = dataclasses.replace(recipe, input_shape=rows.shape)
    blocks = local_rdd(rows.inputs, rows.facts.labels, rows.weights, chunk_rows(rows.facts.width))
    backend = LocalBackend(blocks)
    run = TrainingRun.on(recipe, rows.facts, backend, trained)
    progress = run.start()
    for following in run.epochs(backend):
        if watch is not None:
            for line in following.history[len(progress.history) :]:
                watch(line)
        progress = following
    _warn_of_constant(run, backend, progress, rows.weights is not None)
    return Fit(run.predictor(progress), progress.history)


def _saved(start_from: Predictor | str | os.PathLike) -> SavedModel:
    """Return the content of a model file, or that of a predictor."""
    if isinstance(start_from, (str, os.PathLike)):
        start_from = load(start_from)
    if not isinstance(start_from, Predictor):
        kind = type(start_from).__name__
        raise ValueError(f"start_from: expected a classifier, a regressor or the path of a model, got {kind}")
    return content_of(start_from)


def _warn_of_constant(run: TrainingRun, backend: LocalBackend, progress: Progress, has_weights: bool) -> None:
    """Warn where the network predicts the rows no better than a constant does."""
    params = LocalBroadcast(run.final_params(progress))
    score = evaluate(backend.blocks, run.model, params, run.plan.rows)
    weighted = run.recipe.class_weights is not None or has_weights
    note = diagnosis.no_better_than_constant(score, run.model, "rows", diagnosis.OF_PYTHON, weighted)
    if note is not None:
        warnings.warn(note, stacklevel=3)


def _recipe_of(recipe: Recipe | str | os.PathLike | None) -> Recipe:
    """Return the given recipe, or the one of a name or in a file; None: the defaults."""
    if recipe is None:
        return Recipe()
    return recipe if isinstance(recipe, Recipe) else Recipe.read(recipe)
