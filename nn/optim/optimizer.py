"""What the epoch loop asks of an optimizer, and what it reads of an optimizer's state.

FirstOrder and LBFGS take one step per epoch or job. FirstOrder and ParameterAveraging take several steps per epoch.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from nn.core.errors import Hint
from nn.core.tree import Tree
from nn.optim.first_order import DescentState
from nn.optim.requests import Request


class AcceptedPoint(Protocol):
    """The last accepted point, to which a rejected step returns."""

    @property
    def params(self) -> Tree:
        """The parameters."""

    @property
    def grads(self) -> Tree | None:
        """The gradients of the cost there; None: none were measured."""


class State(Protocol):
    """The parts of every optimizer's state that the epoch loop reads."""

    @property
    def trial(self) -> Tree:
        """The parameters that the next job measures."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of the step that led to the trial."""

    @property
    def accepted(self) -> AcceptedPoint | None:
        """The last accepted point; None: there is none yet, or no step can be rejected."""

    @property
    def stop_reason(self) -> str:
        """The reason why no step can lower the cost; "" while one may."""


S = TypeVar("S", bound=State)


def accepted_params(state: State) -> Tree:
    """Return the last accepted parameters."""
    return state.trial if state.accepted is None else state.accepted.params


class Optimizer(Protocol[S]):
    """Moves the parameters. Its state is a NamedTuple that is passed in and returned."""

    @property
    def can_reject(self) -> bool:
        """Return whether a step that raises the cost may be rejected."""

    def init(self, params: Tree) -> S:
        """Return the state before the first job."""

    def restore(self, stored: Any, params: Tree) -> S:
        """Return the state of a checkpoint, from tree.to_plain. Raises ValueError unless it fits these parameters."""

    def ask(self, state: S) -> Request:
        """Return the request of the next step."""

    def watch(self, state: S, cost: float) -> S:
        """Give the cost of an epoch to the schedule."""

    def hint(self, rate: float) -> Hint:
        """Return what may keep training within the finite numbers."""


class OneStepOptimizer(Optimizer[S], Protocol[S]):
    """An optimizer that takes one step per job."""

    def tell(self, state: S, cost: float, grads: Tree) -> tuple[S, bool]:
        """Return the state after the sums of the request, and whether the trial was accepted."""


class StepwiseOptimizer(Optimizer[DescentState], Protocol):
    """An optimizer that can take several steps before its trial is accepted or rejected."""

    def step(self, state: DescentState, grads: Tree) -> DescentState:
        """Step along the mean that a mini-batch or the replicas sent. The trial, the slots and it are overwritten."""

    def accept_or_reject(self, state: DescentState, cost: float) -> tuple[DescentState, bool]:
        """Accept the trial, or go back to the last accepted point."""
