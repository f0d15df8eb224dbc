"""The plan of a run: its epochs, and the rows of each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nn.core import random
from nn.core.constraints import ABOVE_0_TO_1, AT_LEAST_ONE, check_fields
from nn.optim.optimizer import Optimizer
from nn.optim.weight_averages import WeightAverage


@dataclass(frozen=True)
class Plan:
    """The epochs of a run. Raises ValueError for values out of range.

    Without a batch size an epoch is one step on a random `sample` of the rows; with one it is a step for each of the
    disjoint random mini-batches. With `rounds` an epoch is that many rounds of replicas, each on its own disjoint
    random part of the rows, in mini-batches of that size. With several `epochs_per_round` a round of replicas is that
    many epochs, the last one of a run the epochs that are left.
    """

    rows: int  # training rows, without those for validation
    epochs: Annotated[int, AT_LEAST_ONE]
    sample: Annotated[float, ABOVE_0_TO_1] = 1.0
    batch_size: Annotated[int, AT_LEAST_ONE] | None = None
    seed: int = 0
    validates: bool = False  # there are validation rows
    keeps_best: bool = False  # the parameters with the lowest validation cost are kept
    noisy: bool = False  # dropout or augmentation make the cost of a gradient job random
    rounds: int | None = None  # None: gradients are averaged, not parameters
    average: WeightAverage | None = None  # of the parameters along the run, which is the model
    epochs_per_round: Annotated[int, AT_LEAST_ONE] = 1

    def __post_init__(self) -> None:
        check_fields(self)
        if self.rounds is not None and not 1 <= self.rounds <= max(self.rows, 1):
            raise ValueError(
                f"rounds must be in 1..{self.rows}, the number of training rows, got {self.rounds}"
            )

    @property
    def jobs(self) -> int:
        """Return the number of steps of the driver per epoch, each of them a job."""
        return self.rounds or random.batch_count(self.rows, self.batch_size)

    def jobs_per_epoch(self, optimizer: Optimizer) -> int:
        """Return how many jobs an epoch, or a round of several, takes where every step is accepted.

        The first epoch may take one more.
        """
        measures_average = self.average is not None and self.validates
        if self.batch_size is None:
            return (2 if self.noisy and optimizer.can_reject else 1) + measures_average
        if optimizer.can_reject:
            return self.jobs + 1 + measures_average
        return self.jobs + self.validates

    def jobs_in_all(self, optimizer: Optimizer) -> int:
        """Return how many jobs the run takes where every step is accepted and none ends it early."""
        return self.jobs_per_epoch(optimizer) * -(-self.epochs // self.epochs_per_round)
