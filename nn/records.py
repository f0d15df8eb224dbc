"""What moves, named: blocks of rows, passes through the layers, tallies on the way back, epochs in the history."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from nn import tree


class Block(NamedTuple):
    """Rows that lie together in memory: a unit of work for one call of each layer."""

    rows: np.ndarray  # (n,) int64: global row numbers, the keys of all randomness
    inputs: np.ndarray  # (n, ...) uint8 or float32, not scaled
    labels: np.ndarray  # (n,) whole numbers
    weights: np.ndarray | None = None  # (n,) or None where every row weighs 1

    def take(self, chosen: np.ndarray | slice) -> Block:
        """The chosen rows, by mask, index or slice."""
        weights = None if self.weights is None else self.weights[chosen]
        return Block(self.rows[chosen], self.inputs[chosen], self.labels[chosen], weights)


class Pass(NamedTuple):
    """A block on its way through the network."""

    labels: np.ndarray  # (n,)
    weights: np.ndarray | None  # (n,) or None
    senders: np.ndarray | None  # (n,) bool: which rows send gradients; None: all
    x: np.ndarray  # what the last layer gave, (n, ...)
    caches: tuple = ()  # one a layer passed
    dout: Any = None  # d loss / d x on the way back; None before the loss and after the first layer
    grads: tuple = ()  # one dict a layer passed on the way back, in the layers' order
    measures: Measures | None = None


class Measures(NamedTuple):
    """Sums over rows that were measured."""

    rows: int
    weight: float
    loss: float
    correct: float

    def __add__(self, other):
        return Measures(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def cost(self) -> float:
        """Mean loss a row."""
        return self.loss / self.weight if self.weight else float("nan")

    @property
    def accuracy(self) -> float:
        """Share of the rows whose largest output is the label's."""
        return self.correct / self.weight if self.weight else float("nan")


class Tally(NamedTuple):
    """What one job brings home: sums, which add up in any grouping; the mean is taken once, by the driver."""

    train: Measures
    senders: int = 0  # rows that sent gradients
    weight: float = 0.0  # their weight
    grads: Any = None  # list of dicts of arrays summed over those rows, or None where none were asked for

    def __add__(self, other):
        grads = self.grads if other.grads is None else other.grads
        if self.grads is not None and other.grads is not None:
            grads = tree.add(self.grads, other.grads)
        return Tally(
            self.train + other.train, self.senders + other.senders, self.weight + other.weight, grads
        )

    def mean_grads(self) -> Any:
        """Gradients of the mean loss over the rows that sent them."""
        return tree.scale(self.grads, 1.0 / self.weight if self.weight else 0.0)


class Draw(NamedTuple):
    """Which rows one job measures and which of them send gradients.

    A `batch` restricts the job to that mini-batch of the epoch's random order of `total` rows.
    """

    seed: int = 0
    epoch: int = 0
    fraction: float = 1.0  # of the rows measured, how many send gradients; 0: none, a measuring job
    batch: int | None = None
    batch_size: int | None = None
    total: int = 0


class Epoch(NamedTuple):
    """One line of the history."""

    epoch: int  # from 1
    cost: float  # mean loss a row
    accuracy: float  # fraction
    learning_rate: float  # of the step that this line judges
    accepted: bool  # whether that step stood
    rows: int  # rows that sent gradients
    seconds: float


class Progress(NamedTuple):
    """All that changes while training: the optimiser's state and the history so far."""

    state: dict[str, Any]
    history: tuple[Epoch, ...] = ()
