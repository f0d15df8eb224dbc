"""Jobs, and backends that run them. The epoch loop knows nothing else about the place of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from nn.core.tree import Tree
from nn.data.batches import RowSelection
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import MOST_INPUTS, Encoder
from nn.data.schema import ColumnSchema
from nn.data.split import Split
from nn.data.statistics import ColumnStatistics, column_statistics
from nn.models.sequential import Params, Sequential
from nn.optim.regularization import Penalty
from nn.optim.requests import LocalSteps, Request
from nn.training import chain, replicas
from nn.training.penalized import with_cost, with_gradient
from nn.training.records import Sums


class Objective(NamedTuple):
    """What a run minimizes: the loss of a network on augmented rows, plus a penalty. It is the same for all its jobs.

    `frozen`: the parameters of the first layers, which are not learned. Requests have those of the other layers alone.
    """

    model: Sequential
    augmentation: tuple = ()
    penalty: Penalty = Penalty()
    frozen: Sequence[dict[str, np.ndarray]] = ()

    def whole(self, params: Tree) -> Params:
        """Return the parameters of all layers, given those of the layers that learn."""
        return [*self.frozen, *params]


class Job(NamedTuple):
    """One pass over the selected rows, at the parameters of the request: on a cluster, one job of Spark."""

    objective: Objective
    request: Request
    selection: RowSelection

    @property
    def params(self) -> Tree:
        """Return the parameters of the layers that learn, at which rows are measured or from which replicas start."""
        return self.request.params

    @property
    def payload(self) -> Any:
        """Return the values that executors need beside the rows: all parameters; for replicas the request with them."""
        return with_frozen(self.objective.frozen, self.learned)

    @property
    def learned(self) -> Any:
        """Return the payload without the parameters of frozen layers, which are the same for all jobs of a run."""
        return self.request if isinstance(self.request, LocalSteps) else self.request.params

    def without_payload(self) -> Job:
        """Return the job without its arrays, which travel beside it."""
        bare: Any = [None] * len(self.request)
        objective = self.objective._replace(frozen=[{} for _ in self.objective.frozen])
        return Job(objective, type(self.request)(*bare), self.selection)


def with_frozen(frozen: Sequence[dict[str, np.ndarray]], learned: Any) -> Any:
    """Return the payload of a job, given its two parts."""
    if isinstance(learned, LocalSteps):
        return learned._replace(params=[*frozen, *learned.params])
    return [*frozen, *learned]


NO_LABELS = np.empty(0, np.int64)  # where the network alone is wanted


class Facts(NamedTuple):
    """The properties of the training data that a run depends on."""

    width: int  # columns of inputs per row
    labels: np.ndarray  # (n,) class numbers, or the values of a target
    classes: int  # 1 for a target
    scale: float = 1.0  # the largest absolute input
    partitions: int = 1
    columns: tuple[ColumnSchema, ...] | None = None  # None: numbers without names
    labeled: ClassLabels = ClassLabels()  # the labels of the classes
    are_pixels: bool = False  # whether all inputs are whole numbers in 0..255
    has_names: bool = True  # whether the names of the columns are the user's, not their numbers
    held_out: np.ndarray | None = None  # (n,) bool: the validation rows, where the data say which
    statistics: ColumnStatistics | None = None  # of the rows learned from, where an encoder needs them
    encoder: Encoder | None = None  # of the model that training starts from
    target: TargetScale | None = None  # likewise, where its target is learned on
    fingerprint: str = (
        ""  # a hash of the rows on a cluster: inputs, labels, weights, validation rows, their order
    )

    @classmethod
    def of_shapes(cls, width: int, classes: int) -> Facts:
        """Return facts for a network whose shapes alone are wanted: no rows, and columns that are not scaled."""
        return cls(width, NO_LABELS, classes).unscaled()

    def unscaled(self) -> Facts:
        """Return the facts with statistics that leave all columns as they are; none for too many columns to scale."""
        if self.width > MOST_INPUTS:
            return self
        return self._replace(statistics=column_statistics(np.zeros((1, self.width))))


class Rows(Protocol):
    """Training rows that a run is assembled on, before the network is known."""

    def split(self, split: Split) -> None:
        """Hold out validation rows, and weight the others."""

    def statistics(self) -> ColumnStatistics:
        """Return the statistics of the columns over the rows that are learned from."""


class Backend(Protocol):
    """Training rows on a cluster or in memory. nn.training.contract.check_backend checks a backend."""

    def run(self, jobs: list[Job]) -> list[Sums]:
        """Run jobs in one pass over the rows. The bits of a job do not depend on the jobs beside it."""


def partial_sums(blocks: Any, job: Job, payload: Any) -> Any:
    """Return an RDD with the Sums of each batch, or of each replica. `payload.value` is the payload of the job."""
    model, augmentation, penalty, frozen = job.objective
    if isinstance(job.request, LocalSteps):
        return replicas.rounds(blocks, model, payload, job.selection, augmentation, penalty, len(frozen))
    return chain.step(blocks, model, payload, job.selection, augmentation, len(frozen))


def penalized(job: Job, sums: Sums) -> Sums:
    """Return the sums with the penalty in the cost and in the gradients; replicas have added it already."""
    if isinstance(job.request, LocalSteps):
        return sums
    return with_cost(
        job.objective.penalty, job.params, with_gradient(job.objective.penalty, job.params, sums)
    )
