"""First-order optimizers: an update rule with a learning rate schedule.

`state["trial"]` holds the parameters whose cost and gradients the next job measures; `tell` takes them and returns the
next state. A schedule such as Bold Driver may reject the step that led to the trial.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from nn.core import tree
from nn.core.constraints import NON_NEGATIVE, POSITIVE, check_fields
from nn.core.errors import Hint
from nn.core.tree import Optional
from nn.layers.base import is_weight
from nn.optim.requests import Gradients, Request
from nn.optim.rules import Rule, Slot
from nn.optim.schedules import BoldDriver, Constant, Schedule, warm_up

State = dict[str, Any]


@dataclass(frozen=True)
class FirstOrder:
    """An update rule with a learning rate schedule.

    The state is a nest of dicts: trial (parameters), slots (the state of the rule for each array), steps (their
    number), learning_rate (of the step that led to the trial), memory (of the schedule), and standing: None, or the
    last accepted point with its slots, cost, gradients and the number of rejected trials from it (undone).

    `epochs`, and `steps` per epoch, give the schedule the time. The rate rises linearly over the first `warmup` epochs.
    `clip` bounds the norm of all gradients together (Pascanu et al., 2013).
    """

    rule: Rule
    schedule: Schedule = field(default_factory=Constant)
    learning_rate: Annotated[float, POSITIVE] = 0.1
    epochs: int = 1
    steps: int = 1
    warmup: Annotated[float, NON_NEGATIVE] = 0.0
    clip: Annotated[float, POSITIVE] | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def can_reject(self) -> bool:
        """Return whether a trial may be rejected."""
        return self.schedule.can_reject

    def init(self, params: tree.Tree) -> State:
        """Return the state before the first job. The initial weights are the first trial."""
        state = {
            "trial": params,
            "slots": self._fresh_slots(params),
            "steps": 0,
            "learning_rate": self.learning_rate,
            "memory": None,
            "standing": None,
        }
        return {**state, "learning_rate": self._rate(state)}

    def check(self, state: Any, params: tree.Tree) -> None:
        """Raise ValueError, with the place, unless it is a state of this optimizer for parameters like these."""
        fresh = self.init(params)
        standing = {
            "trial": params,
            "slots": fresh["slots"],
            "cost": 0.0,
            "grads": Optional(params),
            "undone": 0,
        }
        memory = self.schedule.watch(None, 0.0)
        like = {**fresh, "memory": Optional(memory), "standing": Optional(standing)}
        tree.check_like(state, like, "state")
        if self.can_reject and state["standing"] is None and state["steps"]:
            raise ValueError("state.standing: expected the last point that stood, found nothing")

    def ask(self, state: State) -> Request:
        """Return what the next step needs: the gradients at the trial."""
        return Gradients(state["trial"])

    def tell(self, state: State, cost: float, grads: tree.Tree) -> tuple[State, bool]:
        """Accept or reject the trial by its cost, then step along its gradients or those of the accepted point."""
        state, accepted = self.judge(state, cost)
        return self.move(state, grads if accepted else None), accepted

    def move(self, state: State, grads: tree.Tree | None) -> State:
        """Step along the mean gradients of the accepted trial; None: along those that it already has."""
        if self.schedule.can_reject:
            if grads is not None:
                state = {**state, "standing": {**state["standing"], "grads": grads}}
            grads = tree.copy(state["standing"]["grads"])  # they may be wanted again
        return self.step(self.copy_for_update(state), grads)

    def copy_for_update(self, state: State) -> State:
        """Return the state with copies of its arrays, which `step` may overwrite."""
        return {**state, "trial": tree.copy(state["trial"]), "slots": tree.copy(state["slots"])}

    def step(self, state: State, grads: tree.Tree) -> State:
        """Take one step along mean gradients. The trial, the slots and the gradients are overwritten."""
        rate = self._rate(state)
        descend(self.rule, rate, self.clip, state["trial"], state["slots"], grads)
        return {**state, "steps": state["steps"] + 1, "learning_rate": rate}

    def judge(self, state: State, cost: float) -> tuple[State, bool]:
        """Accept the trial, or go back to the last accepted point and its slots.

        When a second trial in a row is rejected, the slots are reset: a velocity that leads uphill would lead there at
        any rate (Vogl et al., 1988, reset the momentum likewise).
        """
        if not self.schedule.can_reject:
            return state, True
        standing = state["standing"]
        best = None if standing is None else standing["cost"]
        accepted, rate = self.schedule.judge(state["learning_rate"], cost, best)
        if accepted:
            kept = {"trial": state["trial"], "slots": state["slots"]}
            standing = {**kept, "cost": cost, "grads": None, "undone": 0}
        else:
            standing = {**standing, "undone": standing["undone"] + 1}
            if standing["undone"] > 1:
                standing["slots"] = self._fresh_slots(standing["trial"])
        back = {"trial": standing["trial"], "slots": standing["slots"], "standing": standing}
        return {**state, **back, "learning_rate": rate}, accepted

    def watch(self, state: State, cost: float) -> State:
        """Give the cost of an epoch to the schedule."""
        return {**state, "memory": self.schedule.watch(state["memory"], cost)}

    def result(self, state: State) -> tree.Tree:
        """Return the last accepted parameters."""
        return state["trial"] if state["standing"] is None else state["standing"]["trial"]

    def hint(self, rate: float) -> Hint:
        """Return what to try where training at this rate has left the finite numbers."""
        other = {} if self.can_reject else {"schedule": BoldDriver.name}
        return Hint(f" at learning rate {rate:g}", {"learning_rate": float(f"{rate / 10:g}"), **other})

    def finished(self, state: State) -> bool:
        """Return False: a first-order rule does not know when no step can lower the cost."""
        return False

    def _rate(self, state: State) -> float:
        """Return the learning rate of the next step."""
        if self.schedule.can_reject:
            return state["learning_rate"]
        time = self._time(state)
        factor = self.schedule.factor(max(time - self.warmup, 0.0), self.epochs - self.warmup)
        scale = state["memory"]["scale"] if state["memory"] else 1.0
        return self.learning_rate * factor * scale * warm_up(time, self.warmup)

    def _time(self, state: State) -> float:
        """Return the time in epochs."""
        return state["steps"] / self.steps

    def _fresh_slots(self, params: tree.Tree) -> list[dict[str, Slot]]:
        return [{key: self.rule.start(w) for key, w in layer.items()} for layer in params]


@np.errstate(over="ignore", invalid="ignore")  # where a step leads is for the next cost to tell
def descend(
    rule: Rule,
    rate: float,
    clip: float | None,
    params: tree.Tree,
    slots: tree.Tree,
    grads: tree.Tree,
    weight: float = 1.0,
) -> None:
    """Take one step along gradients summed over rows with that total weight.

    The parameters, slots and gradients are overwritten.
    """
    if clip is not None:
        grads, weight = clipped(tree.scale_inplace(grads, 1 / weight), clip), 1.0
    for layer, layer_slots, layer_grads in zip(params, slots, grads, strict=True):
        for key, w in layer.items():
            g = layer_grads[key]
            if weight != 1:
                g *= g.dtype.type(1 / weight)
            if rule.weight_decay and is_weight(key):
                w *= w.dtype.type(1 - rate * rule.weight_decay)
            rule.update(w, g, layer_slots[key], rate)


def clipped(grads: tree.Tree, limit: float) -> tree.Tree:
    """Scale the gradients down to the norm `limit` where theirs, of all arrays together, is larger."""
    norm = tree.norm(grads)
    return tree.scale(grads, limit / norm) if norm > limit else grads
