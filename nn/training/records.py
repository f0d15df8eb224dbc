"""What moves, named: blocks of rows, passes through the layers, tallies on the way back, epochs in the history."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.random import Key


@dataclass(slots=True)
class Batch:
    """A block on its way through the network: each stage writes into it what it found, and hands it on.

    A pass belongs to the one task that began it and is never stored, so nothing else can see it change.
    """

    rows: np.ndarray  # (n,) int64
    labels: np.ndarray  # (n,)
    weights: np.ndarray | None  # (n,) or None
    x: np.ndarray  # what the last layer gave, (n, ...)
    validation: bool = False
    senders: np.ndarray | None = None  # (n,) bool: which rows send gradients; None: all
    key: Key | None = None  # what random layers draw from; None: they draw nothing
    caches: list = field(default_factory=list)  # one a layer passed
    # d loss / d x on the way back; None before the loss, after the first layer, in validation
    dout: Any = None
    # One dict a layer passed on the way back, the last layer's first.
    grads: list = field(default_factory=list)
    measures: Measures | None = None
    began: float = 0.0  # when work on the block began, on this process's clock
    read: float = 0.0  # seconds that were waited for it


class Measures(NamedTuple):
    """Sums over rows that were measured."""

    rows: int = 0
    weight: float = 0.0  # what the rows weigh, rows where none has a weight
    loss: float = 0.0
    correct: int = 0  # rows predicted rightly, whatever they weigh

    def __add__(self, other):
        rows, weight, loss, correct = other
        return Measures(self.rows + rows, self.weight + weight, self.loss + loss, self.correct + correct)

    @property
    def cost(self) -> float:
        """Mean loss a row, weighted."""
        return self.loss / self.weight if self.weight else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of the rows predicted rightly."""
        return self.correct / self.rows if self.rows else float("nan")

    def with_penalty(self, penalty: float) -> Measures:
        """The same with `penalty` in every row's loss."""
        return self._replace(loss=self.loss + penalty * self.weight)


class Times(NamedTuple):
    """Seconds that tasks spent, by what they did; they are measured, and no result depends on them."""

    read: float = 0.0  # waiting for blocks
    compute: float = 0.0  # packing mini-batches, in the layers, in the replicas' steps
    sum: float = 0.0  # adding tallies

    def __add__(self, other):
        read, compute, summed = other
        return Times(self.read + read, self.compute + compute, self.sum + summed)

    def over(self, slots: int) -> Times:
        """What they come to on the clock where `slots` tasks run side by side."""
        return Times(*(seconds / slots for seconds in self))


class Sums(NamedTuple):
    """What one job brings home: sums, which add up in any grouping; the mean is taken once, by the driver."""

    train: Measures = Measures()
    validation: Measures = Measures()
    senders: int = 0  # rows that sent gradients, or that replicas learned from
    weight: float = 0.0  # their weight
    # Sums over those rows: gradients, as a list of dicts of arrays, or what replicas came to (replicas.py), each times
    # the weight of its rows; None where nothing was asked for.
    grads: Any = None
    times: Times = Times()

    def __add__(self, other):
        grads = self.grads if other.grads is None else other.grads
        if self.grads is not None and other.grads is not None:
            grads = tree.add(self.grads, other.grads)
        return Sums(
            self.train + other.train,
            self.validation + other.validation,
            self.senders + other.senders,
            self.weight + other.weight,
            grads,
            self.times + other.times,
        )

    def without_grads(self) -> Sums:
        """The measures alone."""
        return Sums(self.train, self.validation, self.senders, self.weight, None, self.times)

    def mean_grads(self) -> Any:
        """The nest's mean over the rows that sent it: of gradients, the gradient of the mean loss.

        It is taken in place: the tally's own nest is spent.
        """
        return tree.scale_inplace(self.grads, 1.0 / self.weight if self.weight else 0.0)


class RowSelection(NamedTuple):
    """Which rows one job measures and which of them send gradients.

    A `batch` restricts the job to that one of the even `batches` that the epoch's random order of the `total` rows
    learned from is cut into; `validation_only` restricts a measuring job to the rows that are not.
    """

    seed: int = 0
    epoch: int = 0
    fraction: float = 1.0  # of the rows measured, how many send gradients; 0: none, a measuring job
    batch: int | None = None
    batches: int = 1
    total: int = 0
    validation_only: bool = False


class Epoch(NamedTuple):
    """One line of the history."""

    epoch: int  # from 1
    cost: float  # mean loss a row
    accuracy: float  # fraction
    learning_rate: float  # of the step that this line judges
    accepted: bool  # whether that step stood
    rows: int  # rows that sent gradients, or that replicas learned from
    seconds: float = 0.0
    val_cost: float | None = None  # of the validation rows, where there are some
    val_accuracy: float | None = None
    # Where the seconds went: in jobs beside what follows; waiting for blocks; in the layers; adding up; on the driver.
    schedule: float = 0.0
    read: float = 0.0
    compute: float = 0.0
    sum: float = 0.0
    update: float = 0.0


class Best(NamedTuple):
    """The point with the lowest validation cost so far."""

    epoch: int
    cost: float
    params: Any


class Progress(NamedTuple):
    """All that changes while training: the optimiser's state, the history so far, the best point if it is kept."""

    state: dict[str, Any]
    history: tuple[Epoch, ...] = ()
    best: Best | None = None
