"""L-BFGS: quasi-Newton steps from the last gradients, with a line search for the strong Wolfe conditions.

direction = -H g,  H from the pairs  s = w' - w,  y = g' - g         (Liu and Nocedal, 1989)
step t is accepted when  cost(t) <= cost(0) + C1 t slope(0)  and  |slope(t)| <= C2 |slope(0)|

Ask and tell, as in nn/optim/first_order.py: each trial on a line is a job of its own, and a line may be left and taken
up again between any two of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np

from nn.core import tree
from nn.core.constraints import AT_LEAST_ONE, NON_NEGATIVE, check_fields
from nn.core.errors import Hint
from nn.core.tree import ListOf, Optional
from nn.optim.requests import Gradients, Request

State = dict[str, Any]

C1, C2 = 1e-4, 0.9  # Nocedal and Wright (2006), section 3.1, for quasi-Newton directions
NOISE = 8  # roundings of the cost's size, below which two costs say nothing about which is lower
PATIENCE = 10  # accepted steps without progress beyond the noise


class Point(NamedTuple):
    """A measured point on a line; cost and slope are None where they were not finite."""

    step: float
    cost: Any
    slope: Any


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS with a line search after Nocedal and Wright (2006, algorithms 3.5 and 3.6).

    `memory`: how many pairs (s, y) it keeps at most. `tolerance`: it finishes where no entry of the gradient is larger.
    `max_trials`: how many trials one line may take.

    The state is a plain nest. It holds 2 memory + 4 arrays of the parameters' size at most: the pairs, the trial, the
    standing point with its gradients, and the direction. Its keys:
        trial          the point that the next job measures
        learning_rate  the step along the direction that led to the trial, 0.0 for the start values
        standing       None, or the last accepted point: its params, cost and grads
        pairs          [{"s": nest, "y": nest, "sy": their inner product}, ...], the oldest first
        direction      None, or the nest along which the trial lies from the standing point
        line           None, or start, low, high (points on it as [step, cost, slope]), trials told, last (whether the
                       next trial ends the search in any case)
        progress       None, or cost and gradient of the last marked progress, and how many steps came after it
        finished       "" while it goes on, else why it does not
    """

    name: ClassVar[str] = "l-bfgs"
    positional: ClassVar[tuple[str, ...]] = ("memory",)
    needs_exact_cost: ClassVar[bool] = True  # its line search compares costs of one smooth function
    can_reject: ClassVar[bool] = True  # a trial may be undone, as with a schedule that judges
    memory: Annotated[int, AT_LEAST_ONE] = 10
    tolerance: Annotated[float, NON_NEGATIVE] = 1e-5
    max_trials: Annotated[int, AT_LEAST_ONE] = 20

    def __post_init__(self) -> None:
        check_fields(self)

    def init(self, params: tree.Tree) -> State:
        """Return the state before the first job. The initial weights are the first trial."""
        return {
            "trial": params,
            "learning_rate": 0.0,
            "standing": None,
            "pairs": [],
            "direction": None,
            "line": None,
            "progress": None,
            "finished": "",
        }

    def check(self, state: Any, params: tree.Tree) -> None:
        """Raise ValueError, with the place, unless it is a state of this optimizer for parameters like these."""
        point = [0.0, Optional(0.0), Optional(0.0)]
        line = {"start": point, "low": point, "high": Optional(point), "trials": 0, "last": False}
        like = {
            **self.init(params),
            "standing": Optional({"params": params, "cost": 0.0, "grads": params}),
            "pairs": ListOf({"s": params, "y": params, "sy": 0.0}, self.memory),
            "direction": Optional(params),
            "line": Optional(line),
            "progress": Optional({"cost": 0.0, "gradient": 0.0, "stalled": 0}),
        }
        tree.check_like(state, like, "state")
        searching = state["standing"] is not None and not state["finished"]
        if searching and (state["direction"] is None or state["line"] is None):
            raise ValueError("state.line: expected the line of the trial, found nothing")

    def ask(self, state: State) -> Request:
        """Return what the next step needs: the gradients at the trial."""
        return Gradients(state["trial"])

    @np.errstate(over="ignore", invalid="ignore")  # where a step leads is for the next cost to tell
    def tell(self, state: State, cost: float, grads: tree.Tree) -> tuple[State, bool]:
        """Return the next state, and whether the trial is accepted; else the next one is on this line or a new one.

        `cost` is the trial's mean cost, `grads` its gradients. Nothing in the state is changed in place.
        """
        cost = float(cost)
        if state["standing"] is None:
            state = self._stand(state, cost, grads)
            if not (math.isfinite(cost) and tree.all_finite(grads)):
                return _finish(state, "the start values have no finite cost"), True
            return self._go_on(state), True
        slope = tree.dot(grads, state["direction"])
        finite = math.isfinite(cost) and math.isfinite(slope) and tree.all_finite(grads)
        point = Point(state["learning_rate"], *((cost, slope) if finite else (None, None)))
        following = self._along(state, point)
        if following is None:
            return self._go_on(self._stand(self._remember(state, grads), cost, grads)), True
        return following, False

    def watch(self, state: State, cost: float) -> State:
        """Return the state unchanged: there is no schedule."""
        return state

    def hint(self, rate: float) -> Hint:
        """Return what to try where training has left the finite numbers: only initial weights lead there."""
        return Hint("; try start values that are less large", {})

    def finished(self, state: State) -> bool:
        """Return whether no step is left to try; `state["finished"]` is the reason."""
        return bool(state["finished"])

    def result(self, state: State) -> tree.Tree:
        """Return the last accepted parameters, or the initial weights."""
        return state["trial"] if state["standing"] is None else state["standing"]["params"]

    # ---- from one standing point to the next line ----

    def _stand(self, state: State, cost: float, grads: tree.Tree) -> State:
        return {**state, "standing": {"params": state["trial"], "cost": cost, "grads": grads}}

    def _remember(self, state: State, grads: tree.Tree) -> State:
        """Add the pair (s, y) of the step to the trial to the memory, unless it is within rounding errors."""
        s = tree.map_arrays(np.subtract, state["trial"], state["standing"]["params"])
        y = tree.map_arrays(np.subtract, grads, state["standing"]["grads"])
        sy, sizes = tree.dot(s, y), math.sqrt(tree.dot(s, s) * tree.dot(y, y))
        if not (sizes > 0 and sy > _rounding(s) * sizes):
            return state
        return {**state, "pairs": [*state["pairs"], {"s": s, "y": y, "sy": sy}][-self.memory :]}

    def _go_on(self, state: State) -> State:
        """Finish at the accepted point where it has converged, else begin a line from it."""
        cost, grads = state["standing"]["cost"], state["standing"]["grads"]
        gradient = max((float(np.abs(g).max()) for g in tree.arrays(grads) if g.size), default=0.0)
        mark = state["progress"]
        if mark is None or cost < mark["cost"] - self._noise(state) or gradient < 0.9 * mark["gradient"]:
            progress = {"cost": cost, "gradient": gradient, "stalled": 0}
        else:
            progress = {**mark, "stalled": mark["stalled"] + 1}
        state = {**state, "progress": progress}
        if gradient <= self.tolerance:
            return _finish(state, f"no gradient is above {self.tolerance:g}")
        if progress["stalled"] >= PATIENCE:
            return _finish(state, f"{PATIENCE} steps changed the cost by less than its rounding errors")
        return self._draw_line(state)

    def _draw_line(self, state: State) -> State:
        """Begin a line in the quasi-Newton direction, or along the negative gradient without a usable memory."""
        grads, pairs = state["standing"]["grads"], state["pairs"]
        direction = tree.scale(two_loop(pairs, grads), -1.0)
        slope = tree.dot(grads, direction)
        if not (-math.inf < slope < 0 and tree.all_finite(direction)):
            if not pairs:
                return _finish(state, "the gradient is too small or too large to follow")
            return self._draw_line({**state, "pairs": []})
        start = Point(0.0, state["standing"]["cost"], slope)
        step = 1.0 if pairs else 1.0 / max(1.0, math.sqrt(-slope))
        line = {"start": [*start], "low": [*start], "high": None, "trials": 0, "last": False}
        return self._try({**state, "direction": direction, "line": line}, step)

    def _try(self, state: State, step: float) -> State:
        return {**state, "trial": _at(state, step), "learning_rate": step}

    # ---- along one line ----

    def _along(self, state: State, point: Point) -> State | None:
        """Return the state with the next trial after `point`; None where `point` ends the search and is accepted."""
        line, noise = state["line"], self._noise(state)
        start, low = Point(*line["start"]), Point(*line["low"])
        high = None if line["high"] is None else Point(*line["high"])
        if point.cost is not None and (line["last"] or wolfe_conditions_hold(start, point, noise)):
            return None
        if line["last"]:
            return self._turn_away(state)
        low, high, step = narrow(start, low, high, point, noise)
        trials = line["trials"] + 1
        line = {**line, "low": [*low], "high": None if high is None else [*high], "trials": trials}
        following = self._try({**state, "line": line}, step)
        if trials < self.max_trials and not _same(following["trial"], _at(state, low.step)):
            return following
        if low.cost < start.cost:
            # The best of a search without end; its gradients were not kept, so it is measured again.
            return None if low is point else self._try({**state, "line": {**line, "last": True}}, low.step)
        return self._turn_away(state)

    def _turn_away(self, state: State) -> State:
        """After a line without a lower point, follow the negative gradient; finish where this was it."""
        if not state["pairs"]:
            return _finish(state, "no step lowers the cost by more than its rounding errors")
        return self._draw_line({**state, "pairs": []})

    def _noise(self, state: State) -> float:
        standing = state["standing"]
        return NOISE * _rounding(standing["params"]) * abs(standing["cost"])


def wolfe_conditions_hold(start: Point, point: Point, noise: float) -> bool:
    """Return whether a point fulfils the strong Wolfe conditions.

    Where its cost differs from the start's by less than the noise the slopes decide alone: the approximate Wolfe
    conditions of Hager and Zhang (2005), with which a search ends where costs have no more digits to tell.
    """
    return _lower(start, point, noise) and abs(point.slope) <= C2 * abs(start.slope)


def narrow(
    start: Point, low: Point, high: Point | None, point: Point, noise: float
) -> tuple[Point, Point | None, float]:
    """Narrow the bracket by one more point. Return (low, high, next step).

    `low` is the lowest point so far that lies low enough; its slope leads towards `high`, and between the two are
    points that fulfil the conditions. `high` is None while all points led on.
    """
    if point.cost is None or not _lower(start, point, noise) or point.cost > low.cost + noise:
        new_low, new_high = low, point
    elif high is None and point.slope < 0:
        return point, None, _beyond(low, point)
    elif high is None or point.slope * (high.step - low.step) >= 0:
        new_low, new_high = point, low
    else:
        new_low, new_high = point, high
    slow = high is not None and abs(new_high.step - new_low.step) > abs(high.step - low.step) * 2 / 3
    return new_low, new_high, _between(new_low, new_high, slow)


def two_loop(pairs: list[dict[str, Any]], grads: tree.Tree) -> tree.Tree:
    """Return H grads, with H the inverse Hessian of BFGS from the pairs and s'y / y'y; H is not formed.

    (Nocedal and Wright, 2006, algorithm 7.4.)
    """
    q, shares = grads, []
    for pair in reversed(pairs):
        share = tree.dot(pair["s"], q) / pair["sy"]
        q = tree.add(q, tree.scale(pair["y"], -share))
        shares.append(share)
    if pairs:
        y = pairs[-1]["y"]
        q = tree.scale(q, pairs[-1]["sy"] / tree.dot(y, y))
    for pair, share in zip(pairs, reversed(shares), strict=True):
        back = tree.dot(pair["y"], q) / pair["sy"]
        q = tree.add(q, tree.scale(pair["s"], share - back))
    return q


def _lower(start: Point, point: Point, noise: float) -> bool:
    fall = point.cost - start.cost
    return fall <= C1 * point.step * start.slope or abs(fall) <= noise


def _beyond(low: Point, point: Point) -> float:
    """Return a step beyond `point`: to the minimum of the cubic through both, within limits."""
    step = _cubic_minimum(low, point)
    farthest = 5 * point.step
    return min(max(step, 1.25 * point.step), farthest) if step > low.step else farthest


def _between(low: Point, high: Point, slow: bool) -> float:
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


def _at(state: State, step: float) -> tree.Tree:
    """Return the parameters at a step along the line; 0 is the accepted point."""
    return tree.add(state["standing"]["params"], tree.scale(state["direction"], step))


def _finish(state: State, why: str) -> State:
    stopped = {"learning_rate": 0.0, "direction": None, "line": None, "finished": why}
    return {**state, **stopped, "trial": state["standing"]["params"]}


def _rounding(params: tree.Tree) -> float:
    """Return the largest machine epsilon of the arrays."""
    return max((float(np.finfo(leaf.dtype).eps) for leaf in tree.arrays(params)), default=0.0)


def _same(params: tree.Tree, others: tree.Tree) -> bool:
    return all(tree.arrays(tree.map_arrays(np.array_equal, params, others)))
