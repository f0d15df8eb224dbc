"""The values that move between jobs and epochs: batches, sums, lines of the history, progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.random import Key
from nn.optim.weight_averages import Average


@dataclass(slots=True)
class Batch:
    """A block on its way through the network; each stage writes its result into it and passes it on.

    A batch belongs to one task and is never stored, so nothing else sees it change.
    """

    rows: np.ndarray  # (n,) int64
    labels: np.ndarray  # (n,) class numbers, or standardized targets (n, 1)
    weights: np.ndarray | None  # (n,) or None
    x: np.ndarray  # the output of the last layer, (n, ...)
    validation: bool = False
    sampled: np.ndarray | None = None  # (n,) bool: the rows that the gradients are of; None: all
    key: Key | None = None  # of the random numbers of layers; None: no layer is random
    caches: list = field(default_factory=list)  # one for each layer on the way forward
    dout: Any = None  # gradient with respect to the output of the next layer on the way back
    grads: list = field(default_factory=list)  # a dict for each layer on the way back, the last layer's first
    measures: Measures | None = None
    began: float = 0.0  # when work on the block began, on the clock of this process
    read: float = 0.0  # seconds until the block came


class Measures(NamedTuple):
    """Sums over rows."""

    rows: int = 0
    weight: float = 0.0  # of the rows together; their number where none has a weight
    loss: float = 0.0
    correct: int = 0  # rows that are predicted correctly, whatever their weight; 0 in a regression

    def __add__(self, other: Measures) -> Measures:  # type: ignore[override]
        rows, weight, loss, correct = other
        return Measures(self.rows + rows, self.weight + weight, self.loss + loss, self.correct + correct)

    @property
    def cost(self) -> float:
        """Return the weighted mean loss per row."""
        return self.loss / self.weight if self.weight else float("nan")

    @property
    def accuracy(self) -> float:
        """Return the share of rows that are predicted correctly."""
        return self.correct / self.rows if self.rows else float("nan")

    def with_penalty(self, penalty: float) -> Measures:
        """Return the measures with `penalty` added to the loss of each row."""
        return self._replace(loss=self.loss + penalty * self.weight)


def measures_of(loss: float, correct: int, batch: Batch) -> Measures:
    """Return the sums of a batch, given its summed loss and its correct predictions."""
    rows, weights = len(batch.labels), batch.weights
    weight = float(rows if weights is None else weights.sum(dtype=np.float64))
    return Measures(rows, weight, loss, correct)


class Times(NamedTuple):
    """Seconds that tasks spent, by phase. They are measured; no result depends on them."""

    read: float = 0.0  # waiting for blocks
    compute: float = 0.0  # packing mini-batches, in the layers, in the steps of replicas
    sum: float = 0.0  # adding sums

    def __add__(self, other: Times) -> Times:  # type: ignore[override]
        read, compute, summed = other
        return Times(self.read + read, self.compute + compute, self.sum + summed)

    def over(self, slots: int) -> Times:
        """Return the seconds on the clock where `slots` tasks run at once."""
        return Times(*(seconds / slots for seconds in self))


class Sums(NamedTuple):
    """The sums of one job. They add up in any grouping; the driver takes the mean once."""

    train: Measures = Measures()
    validation: Measures = Measures()
    sampled: int = 0  # rows that the gradients are of, or that replicas learned from
    weight: float = 0.0  # of these rows
    # Gradients summed over these rows, as a list of dicts of arrays, or the changes of replicas (replicas.py), each
    # times the weight of its rows; None: none were asked for.
    grads: Any = None
    times: Times = Times()
    earlier: tuple[Sums, ...] = ()  # of the epochs of a round before its last one, without grads
    unread: int = 0  # partitions whose rows were not there, so that these are not the sums of all

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        earlier = self.earlier or other.earlier
        if self.earlier and other.earlier:
            earlier = tuple(map(Sums.__add__, self.earlier, other.earlier))
        grads = self.grads if other.grads is None else other.grads
        if self.grads is not None and other.grads is not None:
            grads = tree.add(self.grads, other.grads)
        return Sums(
            self.train + other.train,
            self.validation + other.validation,
            self.sampled + other.sampled,
            self.weight + other.weight,
            grads,
            self.times + other.times,
            earlier,
            self.unread + other.unread,
        )

    @classmethod
    def of(cls, batch: Batch, times: Times) -> Sums:
        """Return the sums of a batch that has gone through all stages."""
        assert batch.measures is not None
        if batch.validation:
            return cls(validation=batch.measures, times=times)
        if not batch.grads:
            return cls(batch.measures, times=times)
        sampled, weights = batch.sampled, batch.weights
        count = len(batch.labels) if sampled is None else int(sampled.sum())
        if weights is None:
            weight = float(count)
        else:
            weight = float((weights if sampled is None else weights[sampled]).sum(dtype=np.float64))
        return cls(batch.measures, Measures(), count, weight, batch.grads[::-1], times)

    def without_grads(self) -> Sums:
        """Return the measures alone."""
        return self._replace(grads=None)

    def mean_grads_inplace(self) -> Any:
        """Return the weighted mean of the gradients: the gradient of the cost. The sums' own arrays are overwritten."""
        return tree.scale_inplace(self.grads, 1.0 / self.weight if self.weight else 0.0)


class Epoch(NamedTuple):
    """A record of one epoch: a line of the history, and of history.csv.

    - epoch: its number, from 1
    - cost: the mean loss of a row
    - accuracy: a fraction; None in a regression
    - learning_rate: of the step that led to the point that was measured
    - accepted: False where that step was rejected
    - rows: those that the gradients are of, or that replicas learned from
    - seconds: of the epoch
    - val_cost, val_accuracy: of the validation rows; None where there are none
    - schedule, read, compute, sum, update: the phases of the seconds: in jobs beside what follows, waiting for blocks,
      in the layers, adding, on the driver
    """

    epoch: int
    cost: float
    accuracy: float | None
    learning_rate: float
    accepted: bool
    rows: int
    seconds: float = 0.0
    val_cost: float | None = None
    val_accuracy: float | None = None
    schedule: float = 0.0
    read: float = 0.0
    compute: float = 0.0
    sum: float = 0.0
    update: float = 0.0


class Best(NamedTuple):
    """The parameters with the lowest validation cost so far."""

    epoch: int
    cost: float
    params: Any


class Progress(NamedTuple):
    """All that changes in training: the optimizer's state, the history, the best parameters and an average if kept."""

    state: Any  # a State; dicts as they were read from a file, until TrainingRun.restore
    history: tuple[Epoch, ...] = ()
    best: Best | None = None
    average: Average | None = None  # of the parameters; a dict as it was read from a file, likewise
