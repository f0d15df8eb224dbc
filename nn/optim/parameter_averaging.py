"""Parameter averaging: replicas descend by themselves, the driver takes one step along the mean of their changes.

    change = mean of (W_p - W),  v <- m v - change,  W <- W - r (m v - change)     (Nesterov's step)

With an outer rate r of 1 and an outer momentum m of 0 the step ends at the mean of the replicas' parameters
(McDonald, Hall and Mann, 2010). With momentum the changes of earlier rounds have an effect too, which makes up for some
of what many replicas lose (DiLoCo: Douillard et al., 2023).

The slots of the replicas' rule are averaged likewise, weighted by rows. That is right for velocities and running means
of gradients, which are linear in the gradients; for sums and running means of squared gradients, which the mean
estimates over the rows of all replicas; and for counts of steps, up to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.constraints import AT_LEAST_ONE, FROM_0_BELOW_1, POSITIVE, check_fields
from nn.core.errors import Hint
from nn.core.tree import Tree, stored_as
from nn.optim.first_order import DescentState, FirstOrder, accept_or_reject, descend, fresh_slots, restore
from nn.optim.requests import Change, LocalSteps
from nn.optim.rules import SGD, Nesterov, Rule


@stored_as("inner", "outer")
class AveragingSlots(NamedTuple):
    """The states of both rules for each array."""

    inner: Tree  # of the replicas' rule, their mean
    outer: Tree  # of the driver's rule


@dataclass(frozen=True)
class ParameterAveraging:
    """Local SGD: each step is a round of replicas, and `step` takes the mean of their changes, not a gradient.

    `replica` has the rule, the clipping and the schedule of the replicas; its `steps` is the number of rounds per
    epoch. The rate of a round is the schedule's in the middle of the round. With several `epochs_per_round`, a round of
    which the last of a run may have fewer, each epoch has the rate in its own middle, and the state counts epochs.
    """

    replica: FirstOrder
    batch_size: Annotated[int, AT_LEAST_ONE] = 64
    outer_learning_rate: Annotated[float, POSITIVE] = 1.0
    outer_momentum: Annotated[float, FROM_0_BELOW_1] = 0.0
    epochs_per_round: Annotated[int, AT_LEAST_ONE] = 1

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def can_reject(self) -> bool:
        """Return whether a round may be rejected."""
        return self.replica.can_reject

    def init(self, params: Tree) -> DescentState:
        """Return the state before the first round."""
        state = DescentState(params, self._fresh_slots(params), 0, self.replica.learning_rate)
        return state._replace(learning_rate=self._rates(state)[0])

    def restore(self, stored: Any, params: Tree) -> DescentState:
        """Return the state that a checkpoint stores. Raises ValueError unless it fits these parameters."""
        return restore(stored, self.init(params), self.replica.schedule)

    def ask(self, state: DescentState) -> LocalSteps:
        """Request a round: where the replicas start, and how they descend."""
        rule, clip = self.replica.rule, self.replica.clip
        return LocalSteps(state.trial, state.slots.inner, rule, self._rates(state), clip, self.batch_size)

    def step(self, state: DescentState, mean: Change) -> DescentState:
        """Step along the mean change of the replicas. The trial, the slots and the mean are overwritten."""
        rates = self._rates(state)
        back = tree.map_arrays(lambda change: np.negative(change, out=change), mean.params)
        descend(self._outer, self.outer_learning_rate, None, state.trial, state.slots.outer, back)
        inner = tree.map_arrays(_like, mean.slots, state.slots.inner)
        slots = state.slots._replace(inner=inner)
        return state._replace(slots=slots, steps=state.steps + len(rates), learning_rate=rates[-1])

    def accept_or_reject(self, state: DescentState, cost: float) -> tuple[DescentState, bool]:
        """Accept the rounds since the last accepted point, or go back to it."""
        return accept_or_reject(state, cost, self.replica.schedule, self._fresh_slots)

    def watch(self, state: DescentState, cost: float) -> DescentState:
        """Give the cost of an epoch to the schedule."""
        return self.replica.watch(state, cost)

    def hint(self, rate: float) -> Hint:
        """Return what to try where training at this rate has left the finite numbers."""
        return self.replica.hint(rate)

    @property
    def _outer(self) -> Rule:
        return Nesterov(self.outer_momentum) if self.outer_momentum else SGD()

    def _rates(self, state: DescentState) -> tuple[float, ...]:
        """Return the learning rate of each epoch of the next round."""
        left = self.replica.epochs * self.replica.steps - state.steps
        epochs = max(min(self.epochs_per_round, left), 1)
        return tuple(self.replica.rate(state, state.steps + epoch + 0.5) for epoch in range(epochs))

    def _fresh_slots(self, params: Tree) -> AveragingSlots:
        return AveragingSlots(fresh_slots(self.replica.rule, params), fresh_slots(self._outer, params))


def _like(mean: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Return a mean with the dtype of the array that it replaces: a count of steps is rounded."""
    return np.asarray(np.rint(mean), old.dtype) if old.dtype.kind == "i" else mean
