"""What the epoch loop asks of an optimizer. FirstOrder (with ParameterAveraging) and LBFGS share no code."""

from __future__ import annotations

from typing import Any, Protocol

from nn.core.errors import Hint
from nn.core.tree import Tree
from nn.optim.requests import Request

State = Any


class Optimizer(Protocol):
    """What moves the parameters: first-order rules, averaged parameters, L-BFGS."""

    @property
    def can_reject(self) -> bool:
        """Return whether a step that raises the cost may be taken back."""

    def init(self, params: Tree) -> State:
        """Return the state before the first job."""

    def check(self, state: Any, params: Tree) -> None:
        """Raise ValueError unless it is a state of this optimizer for parameters like these."""

    def ask(self, state: State) -> Request:
        """Return what the next step needs."""

    def tell(self, state: State, cost: float, grads: Tree) -> tuple[State, bool]:
        """Return the state after the answer, and whether the trial was accepted."""

    def watch(self, state: State, cost: float) -> State:
        """Give the cost of an epoch to the schedule."""

    def finished(self, state: State) -> bool:
        """Return whether no step can lower the cost."""

    def result(self, state: State) -> Tree:
        """Return the last accepted parameters."""

    def hint(self, rate: float) -> Hint:
        """Return what may keep training within the finite numbers."""


class StepwiseOptimizer(Optimizer, Protocol):
    """An optimizer that can take several steps before its trial is accepted or rejected."""

    def step(self, state: State, grads: Tree) -> State:
        """Step along the mean of what a mini-batch or the replicas sent, in place."""

    def judge(self, state: State, cost: float) -> tuple[State, bool]:
        """Accept the trial, or go back to the last accepted point."""

    def move(self, state: State, grads: Tree | None) -> State:
        """Step from the accepted point; None: along the gradients that it has."""

    def copy_for_update(self, state: State) -> State:
        """Return the state with arrays of its own, which `step` may change."""
