"""L-BFGS: quasi-Newton steps from the last gradients, with a line search for the strong Wolfe conditions.

direction = -H g,  H from the pairs  s = w' - w,  y = g' - g         (Liu and Nocedal, 1989)
step t is accepted when  cost(t) <= cost(0) + C1 t slope(0)  and  |slope(t)| <= C2 |slope(0)|

As in nn/optim/first_order.py, `ask` requests the gradients at a trial and `tell` takes them. Each trial of a line
search is a job of its own, and a checkpoint may be written between any two of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.constraints import AT_LEAST_ONE, NON_NEGATIVE, check_fields
from nn.core.errors import Hint
from nn.core.tree import Tree, list_of, optional, stored_as
from nn.optim.requests import Gradients

C1, C2 = 1e-4, 0.9  # Nocedal and Wright (2006), section 3.1, for quasi-Newton directions
NOISE = 8  # machine epsilons, relative to the cost: a smaller difference of two costs may be a rounding error
PATIENCE = 10  # accepted steps without progress beyond the noise


class Point(NamedTuple):
    """A measured point on a line; cost and slope are None where they were not finite."""

    step: float
    cost: Any
    slope: Any


@stored_as("params", "cost", "grads")
class Accepted(NamedTuple):
    """The last accepted point."""

    params: Tree
    cost: float
    grads: Tree


@stored_as("s", "y", "sy")
class Pair(NamedTuple):
    """The change of the parameters in one step, that of the gradients, and their inner product."""

    s: Tree
    y: Tree
    sy: float


@stored_as("start", "low", "high", "trials", "last")
class LineSearch(NamedTuple):
    """The search along one line: its bracket, and the trials that were measured."""

    start: Point
    low: Point  # the lowest point so far
    high: Point | None  # the other end of the bracket; None: the cost falls as far as it was measured
    trials: int
    is_last: bool  # the next trial ends the search in any case


@stored_as("cost", "gradient", "stalled")
class Improvement(NamedTuple):
    """The last accepted point that was better than the one before it by more than the noise."""

    cost: float
    gradient: float  # its largest entry
    steps_since: int


@stored_as("trial", "learning_rate", "standing", "pairs", "direction", "line", "progress", "finished")
class LBFGSState(NamedTuple):
    """The state of LBFGS: 2 memory + 4 arrays of the parameters' size at most.

    They are the pairs, the trial, the accepted point with its gradients, and the direction.
    """

    trial: Tree  # the parameters that the next job measures
    learning_rate: float  # the step along the direction that led to the trial
    accepted: Accepted | None
    pairs: list[Pair]  # the oldest first
    direction: Tree | None = None  # from the accepted point to the trial
    search: LineSearch | None = None
    improvement: Improvement | None = None
    stop_reason: str = ""  # "" while the run goes on


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS with a line search (Nocedal and Wright, 2006, algorithms 3.5 and 3.6).

    `memory`: the largest number of pairs (s, y). `tolerance`: it stops where no entry of the gradient is larger.
    `max_trials`: the largest number of trials of one line search.
    """

    name: ClassVar[str] = "l-bfgs"
    positional: ClassVar[tuple[str, ...]] = ("memory",)
    needs_exact_cost: ClassVar[bool] = True  # its line search compares costs of one smooth function
    can_reject: ClassVar[bool] = True  # a trial may be rejected
    memory: Annotated[int, AT_LEAST_ONE] = 10
    tolerance: Annotated[float, NON_NEGATIVE] = 1e-5
    max_trials: Annotated[int, AT_LEAST_ONE] = 20

    def __post_init__(self) -> None:
        check_fields(self)

    def init(self, params: Tree) -> LBFGSState:
        """Return the state before the first job. The initial weights are the first trial."""
        return LBFGSState(params, 0.0, None, [])

    def restore(self, stored: Any, params: Tree) -> LBFGSState:
        """Return the state that a checkpoint stores. Raises ValueError unless it fits these parameters."""
        point = Point(0.0, optional(0.0), optional(0.0))
        example = LBFGSState(
            params,
            0.0,
            optional(Accepted(params, 0.0, params)),
            list_of(Pair(params, params, 0.0), self.memory),
            direction=optional(params),
            search=optional(LineSearch(point, point, optional(point), 0, False)),
            improvement=optional(Improvement(0.0, 0.0, 0)),
        )
        state: LBFGSState = tree.read_like(stored, example, "state")
        is_searching = state.accepted is not None and not state.stop_reason
        if is_searching and (state.direction is None or state.search is None):
            raise ValueError("state.line: expected the line of the trial, found nothing")
        return state

    def ask(self, state: LBFGSState) -> Gradients:
        """Request the gradients at the trial."""
        return Gradients(state.trial)

    @np.errstate(over="ignore", invalid="ignore")  # the next cost shows where a step leads
    def tell(self, state: LBFGSState, cost: float, grads: Tree) -> tuple[LBFGSState, bool]:
        """Return the next state, and whether the trial is accepted. The next trial is on the same line or a new one.

        `cost` is the trial's mean cost, `grads` its gradients. Nothing in the state is changed in place.
        """
        cost = float(cost)
        if state.accepted is None:
            state = _accept(state, cost, grads)
            if not (math.isfinite(cost) and tree.all_finite(grads)):
                return _stop(state, "the initial weights have no finite cost"), True
            return self._next_line(state), True
        slope = tree.dot(grads, state.direction)
        finite = math.isfinite(cost) and math.isfinite(slope) and tree.all_finite(grads)
        point = Point(state.learning_rate, *((cost, slope) if finite else (None, None)))
        following = self._search(state, point)
        if following is None:
            return self._next_line(_accept(self._remember(state, grads), cost, grads)), True
        return following, False

    def watch(self, state: LBFGSState, cost: float) -> LBFGSState:
        """Return the state unchanged: there is no schedule."""
        return state

    def hint(self, rate: float) -> Hint:
        """Return what to try where training has left the finite numbers: only initial weights lead there."""
        return Hint("; try initial weights that are smaller", {})

    # ---- from one accepted point to the next line ----

    def _remember(self, state: LBFGSState, grads: Tree) -> LBFGSState:
        """Add the pair (s, y) of the step to the trial to the memory, unless it is within rounding errors."""
        assert state.accepted is not None
        s = tree.map_arrays(np.subtract, state.trial, state.accepted.params)
        y = tree.map_arrays(np.subtract, grads, state.accepted.grads)
        sy, sizes = tree.dot(s, y), math.sqrt(tree.dot(s, s) * tree.dot(y, y))
        if not (sizes > 0 and sy > _rounding(s) * sizes):
            return state
        return state._replace(pairs=[*state.pairs, Pair(s, y, sy)][-self.memory :])

    def _next_line(self, state: LBFGSState) -> LBFGSState:
        """Stop at the accepted point where it has converged, else begin a line from it."""
        assert state.accepted is not None
        cost, grads = state.accepted.cost, state.accepted.grads
        gradient = max((float(np.abs(g).max()) for g in tree.arrays(grads) if g.size), default=0.0)
        best = state.improvement
        if best is None or cost < best.cost - _noise(state.accepted) or gradient < 0.9 * best.gradient:
            best = Improvement(cost, gradient, 0)
        else:
            best = best._replace(steps_since=best.steps_since + 1)
        state = state._replace(improvement=best)
        if gradient <= self.tolerance:
            return _stop(state, f"no gradient is above {self.tolerance:g}")
        if best.steps_since >= PATIENCE:
            return _stop(state, f"{PATIENCE} steps changed the cost by less than its rounding errors")
        return _start_line(state)

    # ---- along one line ----

    def _search(self, state: LBFGSState, point: Point) -> LBFGSState | None:
        """Continue the line search after `point`; return None where `point` ends the search and is accepted."""
        search = state.search
        assert search is not None and state.accepted is not None
        noise = _noise(state.accepted)
        if point.cost is not None and (search.is_last or wolfe_conditions_hold(search.start, point, noise)):
            return None
        if search.is_last:
            return _restart(state)
        low, high, step = narrow(search.start, search.low, search.high, point, noise)
        search = search._replace(low=low, high=high, trials=search.trials + 1)
        following = _with_trial(state._replace(search=search), step)
        if search.trials < self.max_trials and not _same(following.trial, _at(state, low.step)):
            return following
        if low.cost < search.start.cost:
            # The lowest point, whose gradients were not kept, so it is measured again.
            last = state._replace(search=search._replace(is_last=True))
            return None if low is point else _with_trial(last, low.step)
        return _restart(state)


def _accept(state: LBFGSState, cost: float, grads: Tree) -> LBFGSState:
    return state._replace(accepted=Accepted(state.trial, cost, grads))


def _start_line(state: LBFGSState) -> LBFGSState:
    """Begin a line in the quasi-Newton direction, or along the negative gradient without a usable memory."""
    assert state.accepted is not None
    grads, pairs = state.accepted.grads, state.pairs
    direction = tree.scale(two_loop(pairs, grads), -1.0)
    slope = tree.dot(grads, direction)
    if not (-math.inf < slope < 0 and tree.all_finite(direction)):
        if not pairs:
            return _stop(state, "the gradient is too small or too large to follow")
        return _start_line(state._replace(pairs=[]))
    start = Point(0.0, state.accepted.cost, slope)
    step = 1.0 if pairs else 1.0 / max(1.0, math.sqrt(-slope))
    search = LineSearch(start, start, None, 0, False)
    return _with_trial(state._replace(direction=direction, search=search), step)


def _with_trial(state: LBFGSState, step: float) -> LBFGSState:
    return state._replace(trial=_at(state, step), learning_rate=step)


def _restart(state: LBFGSState) -> LBFGSState:
    """Start a line along the negative gradient, after one without a lower point; stop if that was along it, too."""
    if not state.pairs:
        return _stop(state, "no step lowers the cost by more than its rounding errors")
    return _start_line(state._replace(pairs=[]))


def _noise(point: Accepted) -> float:
    """Return the rounding errors of the cost."""
    return NOISE * _rounding(point.params) * abs(point.cost)


def wolfe_conditions_hold(start: Point, point: Point, noise: float) -> bool:
    """Return whether a point fulfills the strong Wolfe conditions.

    Where its cost differs from the start's by less than the noise the slopes decide alone: the approximate Wolfe
    conditions of Hager and Zhang (2005), with which a search also ends where costs differ by rounding errors alone.
    """
    return _decreases_enough(start, point, noise) and abs(point.slope) <= C2 * abs(start.slope)


def narrow(
    start: Point, low: Point, high: Point | None, point: Point, noise: float
) -> tuple[Point, Point | None, float]:
    """Narrow the bracket by one more point. Return (low, high, next step).

    `low` is the lowest point so far that lies low enough; its slope leads towards `high`, and between the two are
    points that fulfill the conditions. `high` is None while all points led on.
    """
    if point.cost is None or not _decreases_enough(start, point, noise) or point.cost > low.cost + noise:
        new_low, new_high = low, point
    elif high is None and point.slope < 0:
        return point, None, _extrapolate(low, point)
    elif high is None or point.slope * (high.step - low.step) >= 0:
        new_low, new_high = point, low
    else:
        new_low, new_high = point, high
    slow = high is not None and abs(new_high.step - new_low.step) > abs(high.step - low.step) * 2 / 3
    return new_low, new_high, _interpolate(new_low, new_high, slow)


def two_loop(pairs: list[Pair], grads: Tree) -> Tree:
    """Return H grads, with H the inverse Hessian of BFGS from the pairs and s'y / y'y; H is not formed.

    (Nocedal and Wright, 2006, algorithm 7.4.)
    """
    q, shares = grads, []
    for pair in reversed(pairs):
        share = tree.dot(pair.s, q) / pair.sy
        q = tree.add(q, tree.scale(pair.y, -share))
        shares.append(share)
    if pairs:
        y = pairs[-1].y
        q = tree.scale(q, pairs[-1].sy / tree.dot(y, y))
    for pair, share in zip(pairs, reversed(shares), strict=True):
        back = tree.dot(pair.y, q) / pair.sy
        q = tree.add(q, tree.scale(pair.s, share - back))
    return q


def _decreases_enough(start: Point, point: Point, noise: float) -> bool:
    fall = point.cost - start.cost
    return fall <= C1 * point.step * start.slope or abs(fall) <= noise


def _extrapolate(low: Point, point: Point) -> float:
    """Return a step beyond `point`: to the minimum of the cubic through both, within limits."""
    step = _cubic_minimum(low, point)
    farthest = 5 * point.step
    return min(max(step, 1.25 * point.step), farthest) if step > low.step else farthest


def _interpolate(low: Point, high: Point, slow: bool) -> float:
    """Return a step inside the bracket: the minimum of the cubic, or the middle where cubics shrink it slowly."""
    if high.cost is None:
        share = 0.5 if low.step else 0.1  # a first step too far may be so by orders of magnitude
    else:
        minimum = _cubic_minimum(low, high)
        share = 0.5 if slow or math.isnan(minimum) else (minimum - low.step) / (high.step - low.step)
    return low.step + min(max(share, 0.1), 0.9) * (high.step - low.step)


def _cubic_minimum(a: Point, b: Point) -> float:
    """Return the minimum of the cubic with the costs and slopes of a and b, or nan (Nocedal and Wright, 2006, 3.59)."""
    width = b.step - a.step
    middle = a.slope + b.slope - 3 * (b.cost - a.cost) / width
    inside = middle * middle - a.slope * b.slope
    if not inside >= 0:
        return math.nan
    root = math.copysign(math.sqrt(inside), width)
    below = b.slope - a.slope + 2 * root
    return b.step - width * (b.slope + root - middle) / below if below else math.nan


def _at(state: LBFGSState, step: float) -> Tree:
    """Return the parameters at a step along the line; 0 is the accepted point."""
    assert state.accepted is not None
    return tree.add(state.accepted.params, tree.scale(state.direction, step))


def _stop(state: LBFGSState, reason: str) -> LBFGSState:
    assert state.accepted is not None
    trial = state.accepted.params
    return state._replace(trial=trial, learning_rate=0.0, direction=None, search=None, stop_reason=reason)


def _rounding(params: Tree) -> float:
    """Return the largest machine epsilon of the arrays."""
    return max((float(np.finfo(leaf.dtype).eps) for leaf in tree.arrays(params)), default=0.0)


def _same(params: Tree, others: Tree) -> bool:
    return all(tree.arrays(tree.map_arrays(np.array_equal, params, others)))
