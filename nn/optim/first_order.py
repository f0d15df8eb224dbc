"""First-order optimizers: an update rule with a learning rate schedule.

`state.trial` holds the parameters whose cost and gradients the next job measures; `tell` takes them and returns the
next state. A schedule such as Bold Driver may reject the step that led to the trial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.constraints import NON_NEGATIVE, POSITIVE, check_fields
from nn.core.errors import Hint
from nn.core.tree import Tree, optional, stored_as
from nn.layers.base import is_weight
from nn.optim.requests import Gradients
from nn.optim.rules import Rule, Slot
from nn.optim.schedules import BoldDriver, Constant, Memory, Schedule, warm_up

# Numbers of an array that are updated at a time: what a rule reads and writes for them stays in the processor's cache.
PIECE = 2**17

# Where a gradient stays zero, as that of a pixel which is black from here on, a velocity decays to the denormal
# numbers, below 2**-126 in float32, and stays there. Many processors are several times slower with these. So
# every FLUSH_STEPS steps the denormal numbers of the state become zero. No parameter changes by that unless it is as
# small itself, or divided by an epsilon below 1e-11.
FLUSH_STEPS = 64


@stored_as("trial", "slots", "cost", "grads", "undone")
class Accepted(NamedTuple):
    """The last accepted point."""

    params: Tree
    slots: Tree
    cost: float
    grads: Tree | None  # None: no gradients were measured there
    rejections: int  # of trials in a row from this point


@stored_as("trial", "slots", "steps", "learning_rate", "memory", "standing")
class DescentState(NamedTuple):
    """The state of FirstOrder and of ParameterAveraging."""

    trial: Tree  # parameters
    slots: Tree  # the state of the rule for each array; AveragingSlots where parameters are averaged
    steps: int
    learning_rate: float  # of the step that led to the trial
    memory: Memory | None = None  # of the schedule
    accepted: Accepted | None = None  # None where the schedule cannot reject, and before the first cost

    @property
    def stop_reason(self) -> str:
        """Return no reason: a first-order rule does not know when no step can lower the cost."""
        return ""

    def copy_for_update(self) -> DescentState:
        """Return the state with copies of the arrays that a step overwrites."""
        return self._replace(trial=tree.copy(self.trial), slots=tree.copy(self.slots))


@dataclass(frozen=True)
class FirstOrder:
    """An update rule with a learning rate schedule.

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

    def init(self, params: Tree) -> DescentState:
        """Return the state before the first job. The initial weights are the first trial."""
        state = DescentState(params, fresh_slots(self.rule, params), 0, self.learning_rate)
        return state._replace(learning_rate=self.rate(state, 0))

    def restore(self, stored: Any, params: Tree) -> DescentState:
        """Return the state that a checkpoint stores. Raises ValueError unless it fits these parameters."""
        return restore(stored, self.init(params), self.schedule)

    def ask(self, state: DescentState) -> Gradients:
        """Request the gradients at the trial."""
        return Gradients(state.trial)

    def tell(self, state: DescentState, cost: float, grads: Tree) -> tuple[DescentState, bool]:
        """Accept or reject the trial by its cost, then step along its gradients or those of the accepted point."""
        state, accepted = self.accept_or_reject(state, cost)
        return self.move(state, grads if accepted else None), accepted

    def move(self, state: DescentState, grads: Tree | None) -> DescentState:
        """Step along the mean gradients of the accepted trial; None: along those that it already has."""
        point = state.accepted
        if point is not None:
            point = point if grads is None else point._replace(grads=grads)
            state = state._replace(accepted=point)
            grads = tree.copy(point.grads)  # a rejected step needs them again
        return self.step(state.copy_for_update(), grads)

    def step(self, state: DescentState, mean: Tree) -> DescentState:
        """Take one step along mean gradients. The trial, the slots and the mean are overwritten."""
        rate = self.rate(state, state.steps)
        if state.steps % FLUSH_STEPS == 0:
            flush_denormal(state.slots)
        descend(self.rule, rate, self.clip, state.trial, state.slots, mean)
        return state._replace(steps=state.steps + 1, learning_rate=rate)

    def accept_or_reject(self, state: DescentState, cost: float) -> tuple[DescentState, bool]:
        """Accept the trial, or go back to the last accepted point and its slots."""
        return accept_or_reject(state, cost, self.schedule, lambda params: fresh_slots(self.rule, params))

    def watch(self, state: DescentState, cost: float) -> DescentState:
        """Give the cost of an epoch to the schedule."""
        return state._replace(memory=self.schedule.watch(state.memory, cost))

    def hint(self, rate: float) -> Hint:
        """Return what to try where training at this rate has left the finite numbers."""
        other = {} if self.can_reject else {"schedule": BoldDriver.name}
        return Hint(f" at learning rate {rate:g}", {"learning_rate": float(f"{rate / 10:g}"), **other})

    def rate(self, state: DescentState, steps: float) -> float:
        """Return the learning rate of the next step, `steps` steps after the start."""
        if self.can_reject:
            return state.learning_rate
        time = steps / self.steps  # in epochs
        factor = self.schedule.factor(max(time - self.warmup, 0.0), self.epochs - self.warmup)
        scale = state.memory.scale if state.memory else 1.0
        return self.learning_rate * factor * scale * warm_up(time, self.warmup)


def fresh_slots(rule: Rule, params: Tree) -> list[dict[str, Slot]]:
    """Return the state of the rule for each array before the first step."""
    return [{key: rule.start(w) for key, w in layer.items()} for layer in params]


def accept_or_reject(
    state: DescentState, cost: float, schedule: Schedule, fresh_slots: Callable[[Tree], Tree]
) -> tuple[DescentState, bool]:
    """Accept the trial, or go back to the last accepted point and its slots.

    When a second trial in a row is rejected, the slots are reset: a velocity that leads uphill would lead there at any
    rate (Vogl et al., 1988, reset the momentum likewise).
    """
    if not schedule.can_reject:
        return state, True
    point = state.accepted
    accepted, rate = schedule.accept_or_reject(
        state.learning_rate, cost, None if point is None else point.cost
    )
    if accepted:
        point = Accepted(state.trial, state.slots, cost, None, 0)
    else:
        assert point is not None  # the first trial is always accepted
        point = point._replace(rejections=point.rejections + 1)
        if point.rejections > 1:
            point = point._replace(slots=fresh_slots(point.params))
    state = state._replace(trial=point.params, slots=point.slots, accepted=point, learning_rate=rate)
    return state, accepted


def restore(stored: Any, fresh: DescentState, schedule: Schedule) -> DescentState:
    """Return the state that a checkpoint stores; `fresh` is one before the first job. Raises ValueError."""
    accepted = Accepted(fresh.trial, fresh.slots, 0.0, optional(fresh.trial), 0)
    memory = schedule.watch(None, 0.0)
    example = fresh._replace(memory=optional(memory), accepted=optional(accepted))
    state: DescentState = tree.read_like(stored, example, "state")
    if schedule.can_reject and state.accepted is None and state.steps:
        raise ValueError("state.standing: expected the last accepted point, found nothing")
    return state


@np.errstate(over="ignore", invalid="ignore")  # where a step leads is for the next cost to tell
def descend(
    rule: Rule,
    rate: float,
    clip: float | None,
    params: Tree,
    slots: Tree,
    grads: Tree,
    weight: float = 1.0,
) -> None:
    """Take one step along gradients summed over rows with that total weight.

    The parameters, slots and gradients are overwritten.
    """
    if clip is not None:
        grads, weight = clipped(tree.scale_inplace(grads, 1 / weight), clip), 1.0
    for layer, layer_slots, layer_grads in zip(params, slots, grads, strict=True):
        for key, array in layer.items():
            g, slot = layer_grads[key], layer_slots[key]
            if array.size <= PIECE or not rule.elementwise:
                _update(rule, rate, weight, is_weight(key), array, g, slot)
            else:
                for part in _parts(array, g, slot):
                    _update(rule, rate, weight, is_weight(key), *part)


def _update(
    rule: Rule, rate: float, weight: float, decays: bool, w: np.ndarray, g: np.ndarray, slot: Slot
) -> None:
    if weight != 1:
        g *= g.dtype.type(1 / weight)
    if decays and rule.weight_decay:
        w *= w.dtype.type(1 - rate * rule.weight_decay)
    rule.update(w, g, slot, rate)


def _parts(w: np.ndarray, g: np.ndarray, slot: Slot) -> Iterator[tuple[np.ndarray, np.ndarray, Slot]]:
    """Yield views (w, g, slot) of parts of the arrays, which the rule updates one after the other, to the same bits.

    Each part gets a copy of what the slot has once for the whole array, such as a count of steps; the last one is kept.
    """
    arrays = {key: array for key, array in slot.items() if array.shape == w.shape}
    if not all(array.flags.c_contiguous for array in (w, g, *arrays.values())):
        yield w, g, slot
        return
    w, g = w.reshape(-1), g.reshape(-1)
    arrays = {key: array.reshape(-1) for key, array in arrays.items()}
    for start in range(0, w.size, PIECE):
        part = slice(start, start + PIECE)
        numbers = {key: number.copy() for key, number in slot.items() if key not in arrays}
        yield w[part], g[part], {**{key: array[part] for key, array in arrays.items()}, **numbers}
    for key, number in numbers.items():
        slot[key][...] = number


def flush_denormal(slots: Tree) -> None:
    """Set the denormal floating-point numbers of the slots to zero, in place."""
    for array in tree.arrays(slots):
        if array.ndim and array.dtype.kind == "f":
            np.copyto(array, 0, where=np.abs(array) < np.finfo(array.dtype).tiny)


def clipped(grads: Tree, limit: float) -> Tree:
    """Scale the gradients down to the norm `limit` where theirs, of all arrays together, is larger."""
    norm = tree.norm(grads)
    return tree.scale(grads, limit / norm) if norm > limit else grads
