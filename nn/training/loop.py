"""The epoch loop: ask for a trial's cost and gradients, tell the optimiser, write the epoch down.

One loop serves Spark, plain Python and the tests: `measure(params, selection) -> Sums` is all it knows of where
the rows are, and `descend(round, selection) -> Sums` where parameters are averaged. It is a generator, so early
stopping, checkpoints and progress bars are loops around it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from nn.core import random, tree
from nn.core.errors import DivergenceError
from nn.optim.first_order import FirstOrder, State
from nn.optim.lbfgs import LBFGS
from nn.optim.parameter_averaging import ParameterAveraging, Round
from nn.training.records import Best, Epoch, Measures, Progress, RowSelection, Sums, Times

Measure = Callable[[Any, RowSelection], Sums]
Descend = Callable[[Round, RowSelection], Sums]
Optimizer = FirstOrder | LBFGS


@dataclass(frozen=True)
class Plan:
    """How long to train and which rows each step sees.

    Without a batch size an epoch is one step on a fresh random `sample` of the `rows`; with one it is a step
    for each of its disjoint random mini-batches. With `rounds` an epoch is so many rounds of replicas, each on its own
    disjoint random part of the rows, in mini-batches of that size.
    """

    rows: int  # that are learned from
    epochs: int
    sample: float = 1.0
    batch_size: int | None = None
    seed: int = 0
    validates: bool = False  # whether there are validation rows
    keeps_best: bool = False  # whether the point with the lowest validation cost is kept
    noisy: bool = False  # whether dropout or augmentation blur the cost of a gradient job
    rounds: int | None = None  # None: gradients are averaged, not parameters

    def __post_init__(self):
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if not 0 < self.sample <= 1:
            raise ValueError(f"sample must be in (0, 1], got {self.sample}")
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"batch size must be at least 1, got {self.batch_size}")
        if self.rounds is not None and not 1 <= self.rounds <= max(self.rows, 1):
            raise ValueError(f"rounds must be 1 to {self.rows}, as there are rows, got {self.rounds}")

    @property
    def jobs(self) -> int:
        """Steps of the driver in an epoch, a job each."""
        return self.rounds or random.batch_count(self.rows, self.batch_size)


class Outcome(NamedTuple):
    """What an epoch came to."""

    state: State
    accepted: bool
    train: Measures
    validation: Measures
    senders: int
    learning_rate: float  # of the step that is judged, or the last one of a row of mini-batches
    measured: Any  # the parameters that the validation rows were measured at


class Jobs:
    """Runs the jobs of one epoch and keeps account of their time."""

    def __init__(self, measure: Measure, descend: Descend | None):
        self._measure, self._descend = measure, descend
        self.seconds, self.times = 0.0, Times()

    def measure(self, params: Any, selection: RowSelection) -> Sums:
        """What the drawn rows cost at the parameters, and their gradients where the draw asks for them."""
        return self._run(self._measure, params, selection)

    def descend(self, told: Round, selection: RowSelection) -> Sums:
        """What replicas came to that learned from the drawn rows."""
        assert self._descend is not None
        return self._run(self._descend, told, selection)

    def _run(self, job: Callable[[Any, RowSelection], Sums], point: Any, selection: RowSelection) -> Sums:
        began = time.perf_counter()
        sums = job(point, selection)
        self.seconds += time.perf_counter() - began
        self.times += sums.times
        return sums


def train(
    measure: Measure,
    optimizer: Optimizer,
    plan: Plan,
    progress: Progress,
    descend: Descend | None = None,
    patience: int | None = None,
) -> Iterator[Progress]:
    """Yield the progress after each epoch, up to `plan.epochs` of them in all, or until no step can better the cost.

    With `patience` they end that many epochs after the best one. Raises DivergenceError after an epoch, also the last,
    in which the cost, a gradient or a weight is no longer a finite number.
    """
    epochs = _epochs(measure, optimizer, plan, progress, descend)
    for following in early_stopping(epochs, patience, progress):
        yield following
        fault = divergence(optimizer, following)
        if fault:
            place, options = optimizer.cure(following.history[-1].learning_rate)
            raise DivergenceError(fault + place, **options)


def _epochs(
    measure: Measure, optimizer: Optimizer, plan: Plan, progress: Progress, descend: Descend | None
) -> Iterator[Progress]:
    run_epoch = one_step if plan.batch_size is None else many_steps
    while len(progress.history) < plan.epochs and not optimizer.finished(progress.state):
        began, jobs = time.perf_counter(), Jobs(measure, descend)
        selection = RowSelection(plan.seed, len(progress.history) + 1, plan.sample)
        outcome = run_epoch(jobs, optimizer, plan, selection, progress.state)
        line = _line(selection.epoch, outcome, plan)
        state = optimizer.watch(outcome.state, line.cost if line.val_cost is None else line.val_cost)
        line = _timed(line, jobs, time.perf_counter() - began)
        progress = Progress(state, (*progress.history, line), _better(progress.best, line, outcome, plan))
        yield progress


def _line(epoch: int, outcome: Outcome, plan: Plan) -> Epoch:
    return Epoch(
        epoch,
        outcome.train.cost,
        outcome.train.accuracy,
        outcome.learning_rate,
        outcome.accepted,
        outcome.senders,
        val_cost=outcome.validation.cost if plan.validates else None,
        val_accuracy=outcome.validation.accuracy if plan.validates else None,
    )


def _timed(line: Epoch, jobs: Jobs, seconds: float) -> Epoch:
    """The line with its seconds, parted into phases that add up to them."""
    read, compute, summed = jobs.times
    schedule = max(jobs.seconds - read - compute - summed, 0.0)
    return line._replace(
        seconds=seconds,
        schedule=schedule,
        read=read,
        compute=compute,
        sum=summed,
        update=seconds - jobs.seconds,
    )


def _better(best: Best | None, line: Epoch, outcome: Outcome, plan: Plan) -> Best | None:
    if not plan.keeps_best or line.val_cost is None or not outcome.accepted:
        return best
    if not math.isfinite(line.val_cost) or (best is not None and line.val_cost >= best.cost):
        return best
    return Best(line.epoch, line.val_cost, outcome.measured)


def divergence(optimizer: Optimizer, progress: Progress) -> str | None:
    """What is no finite number after an epoch, or None: nothing of it, training can go on."""
    line, state = progress.history[-1], progress.state
    if not math.isfinite(line.cost) and line.accepted:
        return f"the cost is {line.cost} in epoch {line.epoch}"
    standing = state["standing"]
    if standing is not None and standing["grads"] is not None and not tree.all_finite(standing["grads"]):
        return f"the gradients are no finite numbers in epoch {line.epoch}"
    if not tree.all_finite(optimizer.result(state)):
        return f"the weights are no finite numbers after epoch {line.epoch}"
    return None


def check(optimizer: Optimizer, plan: Plan, progress: Progress, params: Any) -> None:
    """Raise ValueError, naming the place, unless training from parameters like these can go on from the progress."""
    optimizer.check(progress.state, params)
    standing = progress.state["standing"]
    if plan.batch_size is None and standing is not None and standing["grads"] is None:
        raise ValueError("state.standing.grads: expected the gradients for an undone step, found nothing")
    if progress.best is not None:
        tree.check_like(progress.best.params, params, "best")


def one_step(jobs: Jobs, optimizer: Optimizer, plan: Plan, selection: RowSelection, state: State) -> Outcome:
    """An epoch of one job: it judges the last step and measures the gradients of the next.

    Where noise would blur the verdict, a clean pass decides, and gradients are asked for only where it let the trial
    stand.
    """
    trial, rate = state["trial"], state["learning_rate"]
    if plan.noisy and optimizer.can_reject:
        assert isinstance(optimizer, FirstOrder)
        clean = jobs.measure(trial, selection._replace(fraction=0.0))
        state, accepted = optimizer.judge(state, clean.train.cost)
        sums = jobs.measure(trial, selection) if accepted else Sums()
        state = optimizer.move(state, sums.mean_grads() if accepted else None)
        return Outcome(state, accepted, clean.train, clean.validation, sums.senders, rate, trial)
    sums = jobs.measure(trial, selection)
    state, accepted = optimizer.tell(state, sums.train.cost, sums.mean_grads())
    return Outcome(state, accepted, sums.train, sums.validation, sums.senders, rate, trial)


def many_steps(
    jobs: Jobs, optimizer: Optimizer, plan: Plan, selection: RowSelection, state: State
) -> Outcome:
    """An epoch of a job for each mini-batch or round; a judging schedule closes it with a clean pass over all rows.

    Without the closing pass the epoch's cost is the running mean: each batch is measured as it comes. Validation rows
    are measured in the closing pass, or in a job of their own.
    """
    assert isinstance(optimizer, FirstOrder)
    closing = selection._replace(fraction=0.0)
    if optimizer.can_reject and state["standing"] is None:
        # The start values, measured, are what the first epoch is judged against.
        state, _ = optimizer.judge(state, jobs.measure(state["trial"], closing).train.cost)
    seen, senders, state = Measures(), 0, optimizer.copy_for_update(state)
    for batch in range(plan.jobs):
        part = selection._replace(batch=batch, batches=plan.jobs, total=plan.rows)
        if isinstance(optimizer, ParameterAveraging):
            sums = jobs.descend(optimizer.round(state), part)
        else:
            sums = jobs.measure(state["trial"], part)
        if sums.weight:  # rows that weigh nothing say nothing of where to go
            state = optimizer.step(state, sums.mean_grads())
        seen, senders = seen + sums.train, senders + sums.senders
    trial, rate, validation = state["trial"], state["learning_rate"], Measures()
    if optimizer.can_reject:
        seen, validation = jobs.measure(trial, closing)[:2]
    elif plan.validates:
        validation = jobs.measure(trial, closing._replace(validation_only=True)).validation
    state, accepted = optimizer.judge(state, seen.cost)
    return Outcome(state, accepted, seen, validation, senders, rate, trial)


def jobs_an_epoch(plan: Plan, optimizer: Optimizer) -> int:
    """How many jobs an epoch takes where every step stands; the first may take one more."""
    if plan.batch_size is None:
        return 2 if plan.noisy and optimizer.can_reject else 1
    return plan.jobs + (optimizer.can_reject or plan.validates)


def early_stopping(
    epochs: Iterator[Progress], patience: int | None, progress: Progress
) -> Iterator[Progress]:
    """Pass epochs after `progress` on until the best one lies `patience` back (Prechelt, 1998); None: all of them."""
    while not is_out_of_patience(progress, patience):
        following = next(epochs, None)
        if following is None:
            return
        progress = following
        yield progress


def is_out_of_patience(progress: Progress, patience: int | None) -> bool:
    """Whether the best epoch lies `patience` epochs back."""
    if patience is None or progress.best is None:
        return False
    return len(progress.history) - progress.best.epoch >= patience


def kept(optimizer: Optimizer, progress: Progress) -> tree.Tree:
    """The parameters that a run ends with: the best ones where they were kept, else the last that stood."""
    return optimizer.result(progress.state) if progress.best is None else progress.best.params
