"""A recipe applied to data: the one place where a run is assembled."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nn.core.errors import DivergenceError
from nn.data.batches import RowSelection
from nn.data.split import Split
from nn.models.classifier import Predictor, predictor
from nn.models.model_file import SavedModel
from nn.models.sequential import Params, Sequential
from nn.optim.optimizer import Optimizer
from nn.optim.regularization import Penalty
from nn.optim.weight_averages import Average
from nn.training import loop, pretrained
from nn.training.assembly import (
    for_replicas,
    needs_statistics,
    network_of,
    optimizer_of,
    plan_of,
    scale_of,
    split_of,
)
from nn.training.backend import Backend, Facts, Job, Objective, Rows
from nn.training.plan import Plan
from nn.training.recipe import Recipe
from nn.training.records import Progress, Sums

TIMED_JOBS = 16  # the first jobs of a JVM take twice as long as the sixteenth


@dataclass(frozen=True)
class TrainingRun:
    """A network, the rows that it learns from, and how it is trained."""

    objective: Objective
    split: Split
    plan: Plan
    optimizer: Optimizer
    recipe: Recipe
    start_from: SavedModel | None = None  # the trained model whose weights it starts from

    @classmethod
    def on(
        cls, recipe: Recipe, facts: Facts, rows: Rows, start_from: SavedModel | None = None
    ) -> TrainingRun:
        """Apply a recipe to rows: split them, take the statistics of those learned from, and assemble the run.

        `start_from`: a trained model, whose encoder and weights the run starts from. Raises ValueError where the
        recipe, the data and the model do not fit each other.
        """
        return cls.all_on([recipe], facts, rows, start_from)[0]

    @classmethod
    def all_on(
        cls, recipes: Sequence[Recipe], facts: Facts, rows: Rows, start_from: SavedModel | None = None
    ) -> list[TrainingRun]:
        """Apply recipes that split the rows alike (`same_split`) to the same rows, as `on` applies one.

        Raises ValueError where a recipe, the data and the model do not fit each other.
        """
        facts = pretrained.facts_for(recipes[0], facts, start_from)
        split = split_of(recipes[0], facts)
        rows.split(split)
        if any(needs_statistics(recipe, facts) for recipe in recipes):
            facts = facts._replace(statistics=rows.statistics())
        return [cls.of(recipe, facts, split, start_from) for recipe in recipes]

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        facts: Facts,
        split: Split | None = None,
        start_from: SavedModel | None = None,
    ) -> TrainingRun:
        """Assemble a run from the facts of its data. Raises ValueError where they do not fit the recipe or the model.

        `split` replaces the recipe's own split of the rows into training and validation rows. `start_from` is as in
        `on`.
        """
        facts = pretrained.facts_for(recipe, facts, start_from)
        split = split or split_of(recipe, facts)
        model = network_of(recipe, facts, split)
        if start_from is not None:
            pretrained.refuse_other_layers(recipe, model, start_from.model)
        frozen = pretrained.frozen_params(recipe, model, start_from)
        recipe = dataclasses.replace(recipe, scale=scale_of(recipe, facts))
        recipe = for_replicas(recipe, split.train_rows, facts.partitions)
        plan = plan_of(recipe, split.train_rows, split.hold_out is not None)
        objective = Objective(model, recipe.augment, Penalty(recipe.l1, recipe.l2), frozen)
        return cls(objective, split, plan, optimizer_of(recipe, plan), recipe, start_from)

    @property
    def model(self) -> Sequential:
        """Return the network."""
        return self.objective.model

    def initial_params(self) -> Params:
        """Return the initial weights of all layers: drawn by the seed, or those of the model to start from."""
        return pretrained.initial_params(self.recipe, self.model, self.start_from)

    def start(self, params: Params | None = None) -> Progress:
        """Return the progress before the first epoch, from these parameters of all layers or the initial weights.

        The optimizer knows nothing of frozen layers.
        """
        params = self.initial_params() if params is None else params
        average = None if self.plan.average is None else Average([])
        return Progress(self.optimizer.init(params[len(self.objective.frozen) :]), average=average)

    def epoch(self, progress: Progress) -> Generator[Job, Sums, Progress]:
        """Yield the jobs of the next epoch or round, take their sums, and return the progress after it."""
        return loop.epoch(self.objective, self.optimizer, self.plan, progress)

    def epochs(self, backend: Backend, progress: Progress | None = None) -> Iterator[Progress]:
        """Yield the progress after each epoch, to the last of the plan or until no step can lower the cost.

        Of a round of several epochs, the progress after its last one is yielded. With `patience` they end that many
        epochs after the best one. Raises DivergenceError after an epoch, also the last, in which the cost, a gradient
        or a weight is no longer a finite number.
        """
        progress = progress or self.start()
        while self.reason_to_end(progress) is None:
            progress = _run(self.epoch(progress), backend)
            yield progress
            error = self.divergence(progress)
            if error is not None:
                raise error

    def reason_to_end(self, progress: Progress) -> str | None:
        """Return why no epoch follows, "" after the last one of the plan; None: another one follows."""
        return loop.reason_to_end(progress, self.plan, self.recipe.patience)

    def final_params(self, progress: Progress) -> Params:
        """Return all parameters: those with the lowest validation cost where they are kept, else the last ones.

        The last ones are the average of the parameters where there is one, else the accepted parameters.
        """
        best = progress.best
        last = loop.averaged_params(self.plan, progress.average, progress.state)
        return self.objective.whole(last if best is None else best.params)

    def predictor(self, progress: Progress) -> Predictor:
        """Return the trained network."""
        return predictor(self.model, self.final_params(progress))

    def divergence(self, progress: Progress) -> DivergenceError | None:
        """Return the error for numbers that are not finite after an epoch, with what to try; None: all are finite."""
        fault = loop.divergence(progress, self.plan.epochs_per_round)
        if fault is None:
            return None
        place, options = self.optimizer.hint(progress.history[-1].learning_rate)
        return DivergenceError(fault + place, **options)

    def is_sound(self, progress: Progress) -> bool:
        """Return whether all numbers of the progress are finite."""
        return self.divergence(progress) is None

    def restore(self, stored: Progress) -> Progress:
        """Return the progress that a checkpoint stores. Raises ValueError unless the run can go on from it."""
        return loop.restore(
            self.optimizer, self.plan, stored, self.initial_params()[len(self.objective.frozen) :]
        )

    def jobs_per_epoch(self) -> int:
        """Return how many jobs an epoch takes where every step is accepted."""
        return self.plan.jobs_per_epoch(self.optimizer)

    def seconds_per_job(self, backend: Backend) -> float:
        """Measure the time of the job of a mini-batch: the shortest of a few."""
        first = RowSelection(self.plan.seed, 1, self.plan.sample, 0, self.plan.jobs, self.plan.rows)
        job, seconds = Job(self.objective, self.optimizer.ask(self.start().state), first), []
        for _ in range(TIMED_JOBS):
            began = time.perf_counter()
            backend.run([job])
            seconds.append(time.perf_counter() - began)
        return min(seconds)


def same_split(recipe: Recipe) -> tuple[Any, ...]:
    """Return what two recipes must have in common to split the same rows alike."""
    is_random = recipe.validation_fraction > 0
    return recipe.task, recipe.validation_fraction, recipe.class_weights, recipe.seed if is_random else None


def _run(epoch: Generator[Job, Sums, Progress], backend: Backend) -> Progress:
    """Run the jobs of an epoch one after the other."""
    job = next(epoch)
    while True:
        (sums,) = backend.run([job])
        try:
            job = epoch.send(sums)
        except StopIteration as end:
            return end.value
