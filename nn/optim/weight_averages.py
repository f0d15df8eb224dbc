"""Averages of the parameters along a run. Training goes on from the parameters themselves; the model is their average.

ema:d     mean <- mean + (1 - d) / (1 - d^t) (W - mean) after step t: the weights of the steps sum to 1
last:N    the mean of W at the ends of the last N epochs, or of all of them while there are fewer; of the last N rounds
          where replicas go through several epochs per round (--epochs-per-round)

The parameters of the last steps scatter around a minimum, and their mean lies nearer to it (Polyak and Juditsky, 1992;
for networks Izmailov et al., 2018). A step that is rejected, and the initial weights, have no part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.constraints import ABOVE_0_BELOW_1, AT_LEAST_ONE, check_fields
from nn.core.tree import Tree, list_of, stored_as


@stored_as("points", "added")
class Average(NamedTuple):
    """The state of an average."""

    points: list[Tree]  # ema: the mean, none before the first step; last: those of each epoch, oldest first
    added: int = 0  # steps, or epochs


@dataclass(frozen=True)
class WeightAverage:
    """Base class: the parameters of steps and epochs have no part. Averages override one of both."""

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def most_points(self) -> int:
        """Return how many points the state has at most."""
        return 1

    def after_step(self, average: Average, params: Tree) -> Average:
        """Return the average with the parameters after a step, or a round of replicas. No array is overwritten."""
        return average

    def after_epoch(self, average: Average, params: Tree) -> Average:
        """Return the average with the parameters after an epoch. Their arrays are kept."""
        return average

    def mean(self, average: Average) -> Tree | None:
        """Return the mean of the parameters; None before the first."""
        return average.points[0] if average.points else None

    def restore(self, stored: Any, params: Tree) -> Average:
        """Return the average that a checkpoint stores. Raises ValueError unless it fits these parameters."""
        average: Average = tree.read_like(stored, Average(list_of(params, self.most_points)), "average")
        expected, found = min(average.added, self.most_points), len(average.points)
        if found != expected:
            raise ValueError(f"average.points: expected {expected} of {average.added}, found {found}")
        return average


@dataclass(frozen=True)
class ExponentialAverage(WeightAverage):
    """The mean over all steps; the weight of a step falls by the factor `decay` at each later one.

    Dividing by 1 - decay^t, as Adam does, makes the weights sum to 1 from the first step on (Kingma and Ba, 2015).
    """

    name: ClassVar[str] = "ema"
    positional: ClassVar[tuple[str, ...]] = ("decay",)
    decay: Annotated[float, ABOVE_0_BELOW_1]

    def after_step(self, average: Average, params: Tree) -> Average:
        """Return the average with the parameters after a step; the first is the mean itself."""
        added = average.added + 1
        if not average.points:
            return Average([tree.copy(params)], added)
        share = (1 - self.decay) / (1 - self.decay**added)
        return Average([tree.map_arrays(partial(_toward, share), average.points[0], params)], added)


@dataclass(frozen=True)
class LastEpochs(WeightAverage):
    """The mean of the parameters at the ends of the last `epochs` epochs."""

    name: ClassVar[str] = "last"
    positional: ClassVar[tuple[str, ...]] = ("epochs",)
    epochs: Annotated[int, AT_LEAST_ONE]

    @property
    def most_points(self) -> int:
        """Return the number of epochs: the parameters of each are kept."""
        return self.epochs

    def after_epoch(self, average: Average, params: Tree) -> Average:
        """Return the last epochs with this one."""
        return Average([*average.points, params][-self.epochs :], average.added + 1)

    def mean(self, average: Average) -> Tree | None:
        """Return the mean, added from the oldest epoch to the last; None before the first."""
        return tree.map_arrays(_mean, *average.points) if average.points else None


WEIGHT_AVERAGES: dict[str, type[WeightAverage]] = {
    average.name: average for average in (ExponentialAverage, LastEpochs)
}


@np.errstate(over="ignore", invalid="ignore")  # the cost of a step that leads too far is for the loop to tell
def _toward(share: float, mean: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return mean + share (new - mean)."""
    step = np.subtract(new, mean)
    step *= mean.dtype.type(share)
    step += mean
    return step


@np.errstate(over="ignore", invalid="ignore")
def _mean(first: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """Return the mean of arrays, added in their order."""
    total = first.copy()
    for array in others:
        total += array
    total *= first.dtype.type(1 / (1 + len(others)))
    return total
