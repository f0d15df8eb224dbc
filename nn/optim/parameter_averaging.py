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
from typing import Annotated, Any

import numpy as np

from nn.core import tree
from nn.core.constraints import AT_LEAST_ONE, FROM_0_BELOW_1, POSITIVE
from nn.optim.first_order import FirstOrder, State, descend
from nn.optim.requests import LocalSteps
from nn.optim.rules import SGD, Nesterov, Rule


@dataclass(frozen=True)
class ParameterAveraging(FirstOrder):
    """Local SGD: each step is a round of replicas, and `step` takes the mean of their changes, not a gradient.

    `rule`, `clip` and the schedule are those of the replicas; `steps` is the number of rounds per epoch. The rate of a
    round is the schedule's in the middle of the round.
    """

    batch_size: Annotated[int, AT_LEAST_ONE] = 64
    outer_learning_rate: Annotated[float, POSITIVE] = 1.0
    outer_momentum: Annotated[float, FROM_0_BELOW_1] = 0.0

    def ask(self, state: State) -> LocalSteps:
        """Return how the replicas of the next round start and descend."""
        slots = state["slots"]["inner"]
        return LocalSteps(state["trial"], slots, self.rule, self._rate(state), self.clip, self.batch_size)

    def step(self, state: State, grads: Any) -> State:
        """Step along the mean {"change", "slots"} of the replicas. The trial and the mean are overwritten."""
        slots, rate = state["slots"], self._rate(state)
        back = tree.map_arrays(lambda change: np.negative(change, out=change), grads["change"])
        descend(self._outer, self.outer_learning_rate, None, state["trial"], slots["outer"], back)
        slots = {**slots, "inner": tree.map_arrays(_like, grads["slots"], slots["inner"])}
        return {**state, "slots": slots, "steps": state["steps"] + 1, "learning_rate": rate}

    @property
    def _outer(self) -> Rule:
        return Nesterov(self.outer_momentum) if self.outer_momentum else SGD()

    def _time(self, state: State) -> float:
        return (state["steps"] + 0.5) / self.steps

    def _fresh_slots(self, params: tree.Tree) -> Any:
        inner = super()._fresh_slots(params)
        return {
            "inner": inner,
            "outer": [{key: self._outer.start(w) for key, w in layer.items()} for layer in params],
        }


def _like(mean: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Return a mean with the dtype of the array that it replaces: a count of steps is rounded."""
    return np.asarray(np.rint(mean), old.dtype) if old.dtype.kind == "i" else mean
