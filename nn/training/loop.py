"""The epoch loop: the jobs of an epoch, its line of the history, early stopping, divergence.

An epoch is a generator of jobs that is sent their sums. So one loop serves Spark, plain Python and the tests, and the
epochs of several runs can go through the rows together. Where a round of replicas is several epochs, they are one
generator: what the replicas measured in each epoch is a line of the history.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import NamedTuple

from nn.core import tree
from nn.core.tree import Tree
from nn.data.batches import RowSelection
from nn.optim.first_order import DescentState, FirstOrder
from nn.optim.optimizer import OneStepOptimizer, Optimizer, S, State, StepwiseOptimizer, accepted_params
from nn.optim.requests import Gradients, LocalSteps
from nn.optim.weight_averages import Average
from nn.training.backend import Job, Objective
from nn.training.plan import Plan
from nn.training.records import Best, Epoch, Measures, Progress, Sums, Times

# `sums = yield job` hands a job to whoever runs the generator, and gets the sums of its rows back.
Steps = Generator[Job, Sums, "Outcome"]


class Outcome(NamedTuple):
    """The result of the jobs of an epoch."""

    state: State
    accepted: bool
    train: Measures
    validation: Measures
    sampled: int
    learning_rate: float  # of the step that is accepted or rejected, or of the last mini-batch
    measured: Tree  # the parameters that the validation rows were measured at
    average: Average | None = None  # of the parameters, after the steps of an epoch of several
    earlier: tuple[Epoch, ...] = ()  # the lines of the round's epochs before the last one


class Clock:
    """The seconds of the jobs of an epoch, and the phases of their tasks; of a round of several, those of the last."""

    def __init__(self) -> None:
        self.seconds, self.times = 0.0, Times()

    def timed(self, steps: Steps) -> Steps:
        """Pass the jobs of an epoch on, and count their time."""
        job = next(steps)
        while True:
            began = time.perf_counter()
            sums = yield job
            self.seconds += time.perf_counter() - began
            self.times += sums.times
            self.seconds -= sum(sum(epoch.times) for epoch in sums.earlier)
            try:
                job = steps.send(sums)
            except StopIteration as end:
                return end.value


def epoch(
    objective: Objective, optimizer: Optimizer, plan: Plan, progress: Progress
) -> Generator[Job, Sums, Progress]:
    """Yield the jobs of the next epoch, or round of several, take their sums, and return the progress after it."""
    began, clock = time.perf_counter(), Clock()
    selection = RowSelection(plan.seed, len(progress.history) + 1, plan.sample)
    steps: Callable[..., Steps] = one_step
    if plan.batch_size is not None:
        steps = many_steps
    elif plan.noisy and optimizer.can_reject:
        steps = noisy_step
    if plan.average is not None:
        steps = partial(averaged_steps, steps)
    outcome = yield from clock.timed(steps(objective, optimizer, plan, selection, progress))
    line = _line(selection.epoch + len(outcome.earlier), outcome, plan)
    state = optimizer.watch(outcome.state, line.cost if line.val_cost is None else line.val_cost)
    spent = sum(earlier.seconds for earlier in outcome.earlier)
    line = _timed(line, clock, time.perf_counter() - began - spent)
    lines = (*outcome.earlier, line)
    if objective.model.loss.is_regression:
        lines = tuple(line._replace(accuracy=None, val_accuracy=None) for line in lines)
    best = _better(progress.best, line, outcome, plan)
    return Progress(state, (*progress.history, *lines), best, outcome.average)


def averaged_steps(
    steps: Callable[..., Steps],
    objective: Objective,
    optimizer: Optimizer,
    plan: Plan,
    selection: RowSelection,
    progress: Progress,
) -> Steps:
    """Yield the jobs of an epoch, and one that measures the validation rows at the average of the parameters.

    An epoch that is rejected leaves the average as it is. So does the first one where its step is judged in the next
    epoch: what it accepts are the initial weights.
    """
    assert plan.average is not None and progress.average is not None
    only_steps = dataclasses.replace(plan, validates=False)
    outcome = yield from steps(objective, optimizer, only_steps, selection, progress)
    average, params = progress.average, accepted_params(outcome.state)
    is_initial = plan.batch_size is None and optimizer.can_reject and not progress.state.steps
    if outcome.accepted and not is_initial:
        average = outcome.average or plan.average.after_step(average, params)
        average = plan.average.after_epoch(average, params)
    outcome = outcome._replace(average=average)
    if not plan.validates:
        return outcome
    measured = averaged_params(plan, average, outcome.state)
    only = selection._replace(fraction=0.0, validation_only=True)
    sums = yield Job(objective, Gradients(measured), only)
    return outcome._replace(validation=sums.validation, measured=measured)


def averaged_params(plan: Plan, average: Average | None, state: State) -> Tree:
    """Return the average of the parameters; the accepted ones where there is none, or none yet."""
    mean = None if average is None or plan.average is None else plan.average.mean(average)
    return accepted_params(state) if mean is None else mean


def one_step(
    objective: Objective,
    optimizer: OneStepOptimizer[S],
    plan: Plan,
    selection: RowSelection,
    progress: Progress,
) -> Steps:
    """Yield the one job of an epoch: it decides on the last step, and measures the gradients for the next one."""
    state: S = progress.state
    trial, rate = state.trial, state.learning_rate
    sums = yield Job(objective, optimizer.ask(state), selection)
    state, accepted = optimizer.tell(state, sums.train.cost, sums.mean_grads_inplace())
    return Outcome(state, accepted, sums.train, sums.validation, sums.sampled, rate, trial)


def noisy_step(
    objective: Objective, optimizer: FirstOrder, plan: Plan, selection: RowSelection, progress: Progress
) -> Steps:
    """Yield the two jobs of an epoch: one without dropout and augmentation decides on the last step.

    The gradients for the next one are measured only where the last one is accepted.
    """
    state: DescentState = progress.state
    trial, rate = state.trial, state.learning_rate
    clean = yield Job(objective, Gradients(trial), selection._replace(fraction=0.0))
    state, accepted = optimizer.accept_or_reject(state, clean.train.cost)
    sums = (yield Job(objective, Gradients(trial), selection)) if accepted else Sums()
    state = optimizer.move(state, sums.mean_grads_inplace() if accepted else None)
    return Outcome(state, accepted, clean.train, clean.validation, sums.sampled, rate, trial)


def many_steps(
    objective: Objective,
    optimizer: StepwiseOptimizer,
    plan: Plan,
    selection: RowSelection,
    progress: Progress,
) -> Steps:
    """Yield a job for each mini-batch or round of an epoch. Where steps can be rejected, a job over all rows closes it.

    Without the closing job the cost of the epoch is the running mean: each mini-batch is measured before its step.
    Validation rows are measured in the closing job, or in a job of their own.
    """
    state: DescentState = progress.state
    closing, average = selection._replace(fraction=0.0), progress.average
    if optimizer.can_reject and state.accepted is None:
        # The first epoch is compared with the cost of the initial weights.
        first = yield Job(objective, Gradients(state.trial), closing)
        state, _ = optimizer.accept_or_reject(state, first.train.cost)
    train, sampled, state = Measures(), 0, state.copy_for_update()
    earlier: tuple[Epoch, ...] = ()
    for batch in range(plan.jobs):
        part = selection._replace(batch=batch, batches=plan.jobs, total=plan.rows)
        request = optimizer.ask(state)
        sums = yield Job(objective, request, part)
        if isinstance(request, LocalSteps):
            earlier = _earlier(selection.epoch, request, sums)
        if sums.weight:  # rows without weight have no gradient
            state = optimizer.step(state, sums.mean_grads_inplace())
            if plan.average is not None and average is not None:
                average = plan.average.after_step(average, state.trial)
        train, sampled = train + sums.train, sampled + sums.sampled
    trial, rate, validation = state.trial, state.learning_rate, Measures()
    if optimizer.can_reject:
        train, validation = (yield Job(objective, Gradients(trial), closing))[:2]
    elif plan.validates:
        only = closing._replace(validation_only=True)
        validation = (yield Job(objective, Gradients(trial), only)).validation
    state, accepted = optimizer.accept_or_reject(state, train.cost)
    return Outcome(state, accepted, train, validation, sampled, rate, trial, average, earlier)


def _earlier(first: int, request: LocalSteps, sums: Sums) -> tuple[Epoch, ...]:
    """Return the lines of a round's epochs before its last one, as the replicas measured them; `first` is its first.

    Their seconds are those in tasks. The time of the job beside the tasks is in the line of the last epoch.
    """
    return tuple(
        Epoch(
            epoch,
            *(part.train.cost, part.train.accuracy, rate, True, part.sampled),
            seconds=sum(part.times),
            **part.times._asdict(),
        )
        for epoch, (rate, part) in enumerate(zip(request.rates, sums.earlier, strict=False), first)
    )


def _line(epoch: int, outcome: Outcome, plan: Plan) -> Epoch:
    train, validation = outcome.train, outcome.validation
    scores = (train.cost, train.accuracy, outcome.learning_rate, outcome.accepted, outcome.sampled)
    if not plan.validates:
        return Epoch(epoch, *scores)
    return Epoch(epoch, *scores, val_cost=validation.cost, val_accuracy=validation.accuracy)


def _timed(line: Epoch, clock: Clock, seconds: float) -> Epoch:
    """Return the line with its seconds, and phases that add up to them."""
    schedule, update = max(clock.seconds - sum(clock.times), 0.0), seconds - clock.seconds
    return line._replace(seconds=seconds, schedule=schedule, update=update, **clock.times._asdict())


def _better(best: Best | None, line: Epoch, outcome: Outcome, plan: Plan) -> Best | None:
    if not plan.keeps_best or line.val_cost is None or not outcome.accepted:
        return best
    if not math.isfinite(line.val_cost) or (best is not None and line.val_cost >= best.cost):
        return best
    return Best(line.epoch, line.val_cost, outcome.measured)


def divergence(progress: Progress, epochs: int = 1) -> str | None:
    """Return which number is not finite after the last epochs; None: all are, training can go on."""
    for line in progress.history[-epochs:]:
        if not math.isfinite(line.cost) and line.accepted:
            return f"the cost is {line.cost} in epoch {line.epoch}"
    line, state = progress.history[-1], progress.state
    accepted = state.accepted
    if accepted is not None and accepted.grads is not None and not tree.all_finite(accepted.grads):
        return f"the gradients are not finite in epoch {line.epoch}"
    if not tree.all_finite(accepted_params(state)):
        return f"the weights are not finite after epoch {line.epoch}"
    return None


def restore(optimizer: Optimizer, plan: Plan, stored: Progress, params: Tree) -> Progress:
    """Return the progress that a checkpoint stores, with the optimizer's own state.

    Raises ValueError, with the path in the file, unless training of parameters like `params` can go on from it.
    """
    state = optimizer.restore(stored.state, params)
    if plan.batch_size is None and state.accepted is not None and state.accepted.grads is None:
        raise ValueError("state.standing.grads: expected the gradients for a rejected step, found nothing")
    if stored.best is not None:
        tree.read_like(stored.best.params, params, "best")
    if plan.average is None:
        return stored._replace(state=state, average=None)
    return stored._replace(state=state, average=plan.average.restore(stored.average, params))


def reason_to_end(progress: Progress, plan: Plan, patience: int | None) -> str | None:
    """Return why no epoch follows, "" after the last one of the plan; None: another one follows.

    With `patience` training ends so many epochs after the best one (Prechelt, 1998).
    """
    if len(progress.history) >= plan.epochs:
        return ""
    if progress.state.stop_reason:
        return progress.state.stop_reason
    if patience is None or progress.best is None:
        return None
    if len(progress.history) - progress.best.epoch < patience:
        return None
    return f"{patience} epochs did not lower the validation cost"
