"""Turn gradients into steps: a rule for one array, lifted to the whole nest of parameters.

sgd        W <- W - rate g
momentum   v <- m v + g,  W <- W - rate v     (Polyak, 1964)

Ask and tell: `state["trial"]` is the point whose cost and gradient the next job measures; `tell` takes the
answer and gives the next state. A schedule that judges (Bold Driver) may undo the step that led to a trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn import tree
from nn.schedules import Schedule

Slot = dict[str, np.ndarray]
State = dict[str, Any]


@dataclass(frozen=True)
class SGD:
    """Plain gradient descent."""

    name: ClassVar[str] = "sgd"

    def start(self, w: np.ndarray) -> Slot:
        """What the rule keeps beside one array: nothing."""
        return {}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> tuple[np.ndarray, Slot]:
        """One step for one array; w and g are left as they are."""
        return w - w.dtype.type(rate) * g, {}


@dataclass(frozen=True)
class Momentum:
    """Gradient descent along a velocity that keeps the share `momentum` of itself at each step (Polyak, 1964).

    The rate multiplies the velocity, not what enters it, so that a rate halved by Bold Driver halves the step.
    """

    name: ClassVar[str] = "momentum"
    momentum: float = 0.9

    def __post_init__(self):
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), got {self.momentum!r}")

    def start(self, w: np.ndarray) -> Slot:
        """A velocity of zero."""
        return {"velocity": np.zeros_like(w)}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> tuple[np.ndarray, Slot]:
        """One step for one array; w, g and the slot are left as they are."""
        velocity = w.dtype.type(self.momentum) * slot["velocity"] + g
        return w - w.dtype.type(rate) * velocity, {"velocity": velocity}


Rule = SGD | Momentum
RULES: dict[str, type[Rule]] = {rule.name: rule for rule in (SGD, Momentum)}


@dataclass(frozen=True)
class Descent:
    """A first-order rule driven by a schedule.

    Its state is a plain nest: trial (parameters), slots (what the rule keeps beside each array), learning_rate,
    and standing: None, or the last point that a judging schedule let stand, with its slots, cost and gradients and
    how many trials from it were undone.
    """

    rule: Rule
    schedule: Schedule

    def init(self, params: tree.Tree) -> State:
        """The state before the first job: the start values are the first trial."""
        return {
            "trial": params,
            "slots": self._fresh_slots(params),
            "learning_rate": self.schedule.learning_rate,
            "standing": None,
        }

    def tell(self, state: State, cost: float, grads: tree.Tree) -> tuple[State, bool]:
        """Judge the trial by its cost, then step on with its gradients, or again with the standing point's."""
        state, accepted = self.judge(state, cost)
        if self.schedule.judges:
            if accepted:
                state = {**state, "standing": {**state["standing"], "grads": grads}}
            grads = state["standing"]["grads"]
        return self.step(state, grads), accepted

    @np.errstate(over="ignore", invalid="ignore")  # where a step leads is for the next cost to tell
    def step(self, state: State, grads: tree.Tree) -> State:
        """Move the trial one step along mean gradients."""
        moved = [
            {
                key: self.rule.update(w, grad[key], slot[key], state["learning_rate"])
                for key, w in layer.items()
            }
            for layer, grad, slot in zip(state["trial"], grads, state["slots"], strict=True)
        ]
        trial = [{key: pair[0] for key, pair in layer.items()} for layer in moved]
        slots = [{key: pair[1] for key, pair in layer.items()} for layer in moved]
        return {**state, "trial": trial, "slots": slots}

    def judge(self, state: State, cost: float) -> tuple[State, bool]:
        """Let the trial stand, or go back to the point and slots that stood before it.

        When a second trial in a row is undone the rule starts afresh at the standing point: a velocity that leads
        uphill would lead there at any rate (Vogl et al., 1988, drop the momentum likewise).
        """
        if not self.schedule.judges:
            return state, True
        standing = state["standing"]
        best = None if standing is None else standing["cost"]
        accepted, rate = self.schedule.judge(state["learning_rate"], cost, best)
        if accepted:
            standing = {
                "trial": state["trial"],
                "slots": state["slots"],
                "cost": cost,
                "grads": None,
                "undone": 0,
            }
        else:
            standing = {**standing, "undone": standing["undone"] + 1}
            if standing["undone"] > 1:
                standing["slots"] = self._fresh_slots(standing["trial"])
        return {
            "trial": standing["trial"],
            "slots": standing["slots"],
            "learning_rate": rate,
            "standing": standing,
        }, accepted

    def result(self, state: State) -> tree.Tree:
        """The parameters to keep: the last point that stood."""
        return state["trial"] if state["standing"] is None else state["standing"]["trial"]

    def _fresh_slots(self, params: tree.Tree) -> list[dict[str, Slot]]:
        return [{key: self.rule.start(w) for key, w in layer.items()} for layer in params]
