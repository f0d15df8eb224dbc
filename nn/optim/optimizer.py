"""The methods of an optimizer that the epoch loop calls, and the states that they take and return.

FirstOrder and LBFGS take one step per epoch or job. FirstOrder and ParameterAveraging take several steps per epoch.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from nn.core.errors import Hint
from nn.core.tree import Tree
from nn.optim.first_order import DescentState
from nn.optim.lbfgs import LBFGSState
from nn.optim.requests import Request

State = DescentState | LBFGSState
S = TypeVar("S", DescentState, LBFGSState)


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

    def step(self, state: DescentState, mean: Any) -> DescentState:
        """Step along the mean gradients of a mini-batch, or the mean Change of replicas. The arrays are overwritten."""

    def accept_or_reject(self, state: DescentState, cost: float) -> tuple[DescentState, bool]:
        """Accept the trial, or go back to the last accepted point."""
