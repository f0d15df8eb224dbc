"""The epoch loop: ask for a trial's cost and gradients, tell the optimiser, write the epoch down.

One loop serves Spark, plain Python and the tests: `measure(params, draw) -> Tally` is all it knows of where
the rows are. It is a generator, so early stopping, checkpoints and progress bars are loops around it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nn import tree
from nn.errors import Diverged
from nn.optimizers import Descent, State
from nn.records import Draw, Epoch, Measures, Progress, Tally

Measure = Callable[[Any, Draw], Tally]


@dataclass(frozen=True)
class Plan:
    """How long to train and which rows each step sees.

    Without a batch size an epoch is one step on a fresh random `sample` of the `rows`; with one it is a step
    for each of its disjoint random mini-batches.
    """

    rows: int
    epochs: int
    sample: float = 1.0
    batch_size: int | None = None
    seed: int = 0

    def __post_init__(self):
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if not 0 < self.sample <= 1:
            raise ValueError(f"sample must be in (0, 1], got {self.sample}")
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"batch size must be at least 1, got {self.batch_size}")

    @property
    def batches(self) -> int:
        """Steps in an epoch."""
        return 1 if self.batch_size is None else math.ceil(self.rows / self.batch_size)


def train(measure: Measure, optimizer: Descent, plan: Plan, progress: Progress) -> Iterator[Progress]:
    """Yield the progress after each epoch, up to `plan.epochs` of them in all.

    Raises Diverged when the cost or a weight is no longer a finite number.
    """
    run_epoch = one_step if plan.batch_size is None else many_steps
    while len(progress.history) < plan.epochs:
        began = time.perf_counter()
        draw = Draw(plan.seed, len(progress.history) + 1, plan.sample)
        rate = progress.state["learning_rate"]
        state, accepted, seen, senders = run_epoch(measure, optimizer, plan, draw, progress.state)
        seconds = time.perf_counter() - began
        line = Epoch(draw.epoch, seen.cost, seen.accuracy, rate, accepted, senders, seconds)
        progress = Progress(state, (*progress.history, line))
        yield progress
        if not math.isfinite(line.cost) and accepted:
            raise Diverged(f"the cost is {line.cost} in epoch {line.epoch} at {_cure(rate)}")
        if not tree.all_finite(optimizer.result(state)):
            raise Diverged(f"the weights are no finite numbers after epoch {line.epoch} at {_cure(rate)}")


def _cure(rate: float) -> str:
    return f"learning rate {rate:g}; try --learning-rate {rate / 10:g} or --schedule bold-driver"


def one_step(
    measure: Measure, optimizer: Descent, plan: Plan, draw: Draw, state: State
) -> tuple[State, bool, Measures, int]:
    """An epoch of one job: it judges the last step and measures the gradients of the next."""
    tally = measure(state["trial"], draw)
    state, accepted = optimizer.tell(state, tally.train.cost, tally.mean_grads())
    return state, accepted, tally.train, tally.senders


def many_steps(
    measure: Measure, optimizer: Descent, plan: Plan, draw: Draw, state: State
) -> tuple[State, bool, Measures, int]:
    """An epoch of one job for each mini-batch; a judging schedule closes it with a pass over all rows.

    Without the closing pass the epoch's cost is the running mean: each batch is measured as it comes.
    """
    if optimizer.schedule.judges and state["standing"] is None:
        # The start values, measured, are what the first epoch is judged against.
        state, _ = optimizer.judge(state, measure(state["trial"], draw._replace(fraction=0.0)).train.cost)
    running, senders = Measures(0, 0.0, 0.0, 0.0), 0
    for batch in range(plan.batches):
        tally = measure(
            state["trial"],
            draw._replace(batch=batch, batch_size=plan.batch_size, total=plan.rows),
        )
        state = optimizer.step(state, tally.mean_grads())
        running, senders = running + tally.train, senders + tally.senders
    if optimizer.schedule.judges:
        running = measure(state["trial"], draw._replace(fraction=0.0)).train
    state, accepted = optimizer.judge(state, running.cost)
    return state, accepted, running, senders
