"""When training to a tolerance has converged, by the criteria of Spark's MultilayerPerceptronClassifier.

l-bfgs    largest of the last 20 costs - cost <= tolerance * first cost,  or  |g|_2 <= max(tolerance * cost, 1e-8)
gd        |w' - w|_2 < tolerance * max(|w'|_2, 1)

The first line is Breeze's FirstOrderMinimizer, over accepted steps alone, and needs 20 of them; the second is MLlib's
GradientDescent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from nn.core import tree
from nn.optim.optimizer import accepted_params
from nn.training.records import Epoch, Progress

WINDOW = 20  # accepted costs
SMALLEST_GRADIENT = 1e-8

Stop = Callable[[Progress, Progress], str]  # (before an epoch, after it) -> the reason to stop, "" to go on


def accepted_lines(progress: Progress) -> list[Epoch]:
    """Return the lines of the history whose step was accepted; that of the initial weights is the first."""
    return [line for line in progress.history if line.accepted]


@dataclass(frozen=True)
class StopLBFGS:
    """Stop L-BFGS after `max_steps` accepted steps, or where it has converged."""

    tolerance: float
    max_steps: int

    def __call__(self, before: Progress, after: Progress) -> str:
        """Return the reason to stop, or ""."""
        if not after.history[-1].accepted:
            return ""
        costs = [line.cost for line in accepted_lines(after)]
        if len(costs) > self.max_steps:
            return f"{self.max_steps} steps were taken"
        recent = costs[1:][-WINDOW:]
        if len(recent) == WINDOW and max(recent) - costs[-1] <= self.tolerance * abs(costs[0]):
            return f"{WINDOW} steps lowered the cost by no more than {self.tolerance:g} of the first cost"
        point = after.state.accepted
        if point is not None and point.grads is not None:
            size = math.sqrt(tree.dot(point.grads, point.grads))
            if size <= max(self.tolerance * costs[-1], SMALLEST_GRADIENT):
                return f"the gradient is {size:.3g}"
        return ""


@dataclass(frozen=True)
class StopDescent:
    """Stop gradient descent where a step moves the weights by no more than a tolerance."""

    tolerance: float

    def __call__(self, before: Progress, after: Progress) -> str:
        """Return the reason to stop, or ""."""
        old, new = accepted_params(before.state), accepted_params(after.state)
        step = tree.norm(tree.add(new, tree.scale(old, -1.0)))
        if step < self.tolerance * max(tree.norm(new), 1.0):
            return f"a step changed the weights by {step:.3g}"
        return ""


@dataclass(frozen=True)
class StopNever:
    """Go on to the last epoch. Unlike a function it has the same repr in every process, which checkpoints rely on."""

    def __call__(self, before: Progress, after: Progress) -> str:
        """Return ""."""
        return ""


never = StopNever()
