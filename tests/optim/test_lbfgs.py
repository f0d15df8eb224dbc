"""L-BFGS finds minima, its steps fulfil the strong Wolfe conditions, its state is a value that can be put away."""

import copy
import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.core import spec, tree
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.optim.lbfgs import C1, C2, LBFGS, NOISE, Pair, Point, narrow, two_loop, wolfe_conditions_hold
from nn.optim.optimizer import accepted_params
from nn.training.records import Progress


def rosenbrock(x):
    """Sum of 100 (b - a^2)^2 + (1 - a)^2 over the pairs (a, b)."""
    a, b = x[::2], x[1::2]
    grad = np.empty_like(x)
    grad[::2] = -400 * a * (b - a * a) - 2 * (1 - a)
    grad[1::2] = 200 * (b - a * a)
    return float((100 * (b - a * a) ** 2 + (1 - a) ** 2).sum()), grad


def quadratic(size, condition, seed=0):
    """x A x / 2 - b x with the given condition number, and where it is lowest."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(size, size)))[0]
    A, b = (basis * np.geomspace(1, condition, size)) @ basis.T, rng.normal(size=size)
    return lambda x: (float(x @ A @ x / 2 - b @ x), A @ x - b), np.linalg.solve(A, b)


def hills(seed, size, waves):
    """A random smooth function that rises in all directions: log cosh, waves and a parabola."""
    rng = np.random.default_rng(seed)
    A, B, c = rng.normal(size=(8, size)) * 3, rng.normal(size=(5, size)), rng.normal(size=8)

    def cost(x):
        z, u = A @ x - c, B @ x
        value = np.logaddexp(z, -z).sum() + waves * np.sin(u).sum() + 0.05 * x @ x
        return float(value), A.T @ np.tanh(z) + waves * (B.T @ np.cos(u)) + 0.1 * x

    return cost


def follow(function, start, optimizer, limit=2000):
    """[(state before, cost, grad, state after, accepted), ...] of a run on one array, to its end or the limit."""
    state, steps = optimizer.init([{"x": start}]), []
    while not state.stop_reason and len(steps) < limit:
        cost, grad = function(state.trial[0]["x"])
        after, accepted = optimizer.tell(state, cost, [{"x": grad}])
        steps.append((state, cost, grad, after, accepted))
        state = after
    return steps


def last_params(steps):
    return accepted_params(steps[-1][3])[0]["x"]


@pytest.mark.parametrize("size", [2, 20])
@pytest.mark.parametrize("memory", [3, 10])
def test_lbfgs_finds_the_bottom_of_rosenbrocks_valley(size, memory):
    optimizer = LBFGS(memory, tolerance=1e-7)
    steps = follow(rosenbrock, np.tile([-1.2, 1.0], size // 2), optimizer)
    x = last_params(steps)
    assert np.linalg.norm(rosenbrock(x)[1]) < 1e-6 and np.allclose(x, 1, atol=1e-6)
    assert len(steps) < 60
    assert steps[-1][3].stop_reason == "no gradient is above 1e-07"


@pytest.mark.parametrize("seed", range(3))
def test_lbfgs_finds_the_minimum_of_an_ill_conditioned_quadratic(seed):
    function, minimum = quadratic(20, 1e4, seed)
    optimizer = LBFGS(50, tolerance=1e-6)
    steps = follow(function, np.zeros(20), optimizer)
    assert np.allclose(last_params(steps), minimum, atol=5e-6)
    assert len(steps) < 250


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0, 2), st.floats(0.1, 30))
@settings(max_examples=60)
def test_lbfgs_steps_fulfil_the_strong_wolfe_conditions(seed, size, waves, width):
    function = hills(seed, size, waves)
    start = np.random.default_rng(seed + 1).normal(size=size) * width
    steps = follow(function, start, LBFGS(tolerance=1e-6))
    assert steps[-1][3].stop_reason == "no gradient is above 1e-06"
    checked = 0
    for before, cost, grad, after, accepted in steps[1:]:
        point, d, t = before.accepted, before.direction[0]["x"], before.learning_rate
        assert np.allclose(before.trial[0]["x"], point.params[0]["x"] + t * d, rtol=1e-14)
        slope = point.grads[0]["x"] @ d
        rounding = 2 * NOISE * np.finfo(float).eps * abs(point.cost)
        falls = cost <= point.cost + C1 * t * slope
        if accepted:
            assert slope < 0 and t > 0
            assert falls or abs(cost - point.cost) <= rounding
            assert abs(grad @ d) <= C2 * abs(slope) * (1 + 1e-12)
            checked += 1
        else:
            assert not falls or abs(grad @ d) >= C2 * abs(slope) * (1 - 1e-12)
        assert before.search.trials < 15 and not before.search.is_last
    assert checked > 0 or len(steps) == 1


def test_strong_wolfe_conditions_ask_for_a_fall_of_1e_4_and_a_slope_of_nine_tenths():
    start = Point(0.0, 5.0, -2.0)
    enough, short = 5 - 1.01e-4 * 2 * 3, 5 - 0.99e-4 * 2 * 3
    assert wolfe_conditions_hold(start, Point(3.0, enough, -1.79), 0.0) and wolfe_conditions_hold(
        start, Point(3.0, enough, 1.79), 0.0
    )
    assert not wolfe_conditions_hold(start, Point(3.0, enough, -1.81), 0.0)
    assert not wolfe_conditions_hold(start, Point(3.0, enough, 1.81), 0.0)
    assert not wolfe_conditions_hold(start, Point(3.0, short, 0.0), 0.0)
    assert not wolfe_conditions_hold(
        start, Point(3.0, short, 0.0), 1e-5
    )  # a fall beyond the noise, and not enough
    assert wolfe_conditions_hold(start, Point(3.0, short, 0.0), 1e-3) and wolfe_conditions_hold(
        start, Point(3.0, 5.0009, 0.0), 1e-3
    )
    assert not wolfe_conditions_hold(start, Point(3.0, 5.0011, 0.0), 1e-3)


# More and Thuente (1994), section 5: where a search started near and far finds it hard.
LINES = {
    "concave far out": (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),
    "steep behind its minimum": (
        lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
    "two slopes": (
        lambda a: math.hypot(1, 10 * (1 - a)) + 0.1 * math.hypot(1, a),
        lambda a: -100 * (1 - a) / math.hypot(1, 10 * (1 - a)) + 0.1 * a / math.hypot(1, a),
    ),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1e3])
def test_line_search_ends_soon_whatever_its_first_step(name, first):
    value, slope = LINES[name]
    stretch = first * max(1.0, 1 / (first * abs(slope(0)))) ** 0.5  # so that the first trial lies at `first`
    steps = follow(
        lambda x: (value(stretch * x[0]), np.array([stretch * slope(stretch * x[0])])), np.zeros(1), LBFGS()
    )
    tried = [before.trial[0]["x"][0] * stretch for before, *_ in steps]
    ends = [number for number, step in enumerate(steps) if step[4]]
    assert tried[1] == pytest.approx(first)
    assert ends[1] <= 15


def test_first_trial_of_a_line_is_the_whole_step_and_the_very_first_moves_by_one_at_most():
    steep = follow(lambda x: (float(50 * x @ x), 100 * x), np.array([3.0, 4.0]), LBFGS())
    assert np.allclose(steep[0][3].trial[0]["x"], [3 - 0.6, 4 - 0.8])
    assert steep[0][3].learning_rate == pytest.approx(1 / 500)
    flat = follow(lambda x: (float(0.05 * x @ x), 0.1 * x), np.array([3.0, 4.0]), LBFGS())
    assert flat[0][3].learning_rate == 1 and np.allclose(flat[0][3].trial[0]["x"], [2.7, 3.6])
    steps = follow(rosenbrock, np.array([-1.2, 1.0]), LBFGS())
    firsts = [after.learning_rate for *_, after, accepted in steps[1:-1] if accepted]
    assert len(firsts) > 20 and set(firsts) == {1.0}


def test_first_tell_stands_and_nothing_leads_to_it():
    optimizer, start = LBFGS(), [{"W": np.array([[2.0]]), "b": np.array([1.0])}]
    state = optimizer.init(start)
    assert state.trial is start and accepted_params(state) is start
    assert optimizer.watch(state, 5.0) is state
    assert state.learning_rate == 0.0 and not state.stop_reason
    state, accepted = optimizer.tell(state, 5.0, [{"W": np.array([[0.3]]), "b": np.array([0.4])}])
    assert accepted and accepted_params(state) is start and not state.stop_reason
    assert np.allclose(state.trial[0]["W"], 1.7) and np.allclose(state.trial[0]["b"], 0.6)


# ---- the direction ----


def dense_inverse(pairs, size):
    """BFGS's inverse Hessian written out: H <- (I - s y'/sy) H (I - y s'/sy) + s s'/sy, from gamma I."""
    if not pairs:
        return np.eye(size)
    s, y = pairs[-1]
    H = np.eye(size) * (s @ y) / (y @ y)
    for s, y in pairs:
        V = np.eye(size) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    return H


@pytest.mark.parametrize("memory", [1, 4, 100])
def test_direction_is_that_of_the_dense_inverse_of_the_last_pairs(memory):
    steps = follow(rosenbrock, np.tile([-1.2, 1.0], 5), LBFGS(memory, tolerance=1e-5), limit=30)
    stood = [(before.trial[0]["x"], grad, after) for before, _, grad, after, accepted in steps if accepted]
    pairs = []
    for (x, g, _), (new_x, new_g, after) in itertools.pairwise(stood):
        pairs.append((new_x - x, new_g - g))
        if after.direction is not None:
            expected = -dense_inverse(pairs[-memory:], 10) @ new_g
            assert np.allclose(after.direction[0]["x"], expected, rtol=1e-6)
            assert len(after.pairs) == min(memory, len(pairs))
    assert len(pairs) > 12


def test_two_loop_walks_nests_and_keeps_float32(rng):
    shapes = [{"W": (3, 2), "b": (2,)}, {}, {"W": (2, 1)}]

    def draw():
        return [
            {key: rng.normal(size=shape).astype(np.float32) for key, shape in layer.items()}
            for layer in shapes
        ]

    def flat(nest):
        return np.concatenate([leaf.ravel() for leaf in tree.arrays(nest)]).astype(np.float64)

    pairs = []
    while len(pairs) < 5:
        s, y = draw(), draw()
        if tree.dot(s, y) > 0.5:
            pairs.append(Pair(s, y, tree.dot(s, y)))
    grads = draw()
    out = two_loop(pairs, grads)
    assert all(leaf.dtype == np.float32 for leaf in tree.arrays(out))
    assert [list(layer) for layer in out] == [["W", "b"], [], ["W"]]
    H = dense_inverse([(flat(pair.s), flat(pair.y)) for pair in pairs], 10)
    assert np.allclose(flat(out), H @ flat(grads), rtol=1e-3, atol=1e-4 * np.abs(H).max())


def test_pair_without_positive_curvature_is_not_remembered():
    optimizer = LBFGS(
        max_trials=1
    )  # one trial, taken as it lowers the cost: the slope's growth is not asked for
    state = optimizer.init([{"x": np.zeros(2)}])
    state, _ = optimizer.tell(state, 1.0, [{"x": np.array([1.0, 0.0])}])
    state, accepted = optimizer.tell(state, 0.0, [{"x": np.array([2.0, 0.0])}])
    assert accepted and state.pairs == []
    assert np.array_equal(state.direction[0]["x"], [-2.0, 0.0])
    state, accepted = optimizer.tell(state, -1.0, [{"x": np.array([1.0, 0.0])}])
    assert accepted and len(state.pairs) == 1


def told_twice(optimizer, params, first, second):
    state, _ = optimizer.tell(optimizer.init([{"x": params}]), first[0], [{"x": np.array(first[1])}])
    state, accepted = optimizer.tell(state, second[0], [{"x": np.array(second[1])}])
    assert accepted
    return state


def test_pair_too_small_for_its_squares_is_not_remembered():
    state = told_twice(LBFGS(tolerance=0), np.zeros(1), (1.0, [1e-160]), (1.0, [0.5e-160]))
    assert state.pairs == []


@pytest.mark.parametrize("size", [1e-170, 1e200])
def test_gradient_whose_square_is_no_number_ends_the_run(size):
    optimizer = LBFGS(tolerance=0)
    state, _ = optimizer.tell(optimizer.init([{"x": np.zeros(1)}]), 1.0, [{"x": np.array([size])}])
    assert state.stop_reason and "too small or too large" in state.stop_reason


def test_direction_that_overflows_is_dropped_with_the_memory():
    optimizer = LBFGS()
    state, _ = optimizer.tell(optimizer.init([{"x": np.zeros(2)}]), 1.0, [{"x": np.array([1.0, 0.0])}])
    wild = Pair([{"x": np.array([0, 1e250])}], [{"x": np.array([0, 1e-150])}], 1e100)
    grad = np.array([-0.5, 0.7])
    state, accepted = optimizer.tell(state._replace(pairs=[wild]), 0.5, [{"x": grad}])
    assert accepted and state.pairs == [] and np.array_equal(state.direction[0]["x"], -grad)


# ---- the bracket ----


def cubic_point(step):
    """cost = t^3 - 3 t, lowest at 1."""
    return Point(step, step**3 - 3 * step, 3 * step**2 - 3)


@pytest.mark.parametrize("too_far", [1.3, 1.6, 2.5])
def test_bracket_goes_to_the_minimum_of_the_cubic_through_its_ends(too_far):
    start = cubic_point(0.0)
    low, high, step = narrow(start, start, None, cubic_point(too_far), 0.0)
    assert {low.step, high.step} == {0.0, too_far} and step == pytest.approx(1)


def test_bracket_keeps_its_lowest_point_as_low():
    start = cubic_point(0.0)
    up, down = cubic_point(1.3), cubic_point(0.5)
    assert narrow(start, start, None, up, 0.0)[:2] == (up, start)  # lower than the start, and rises ahead
    low, high, _ = narrow(start, up, start, down, 0.0)
    assert (low, high) == (up, down)  # higher than the lowest: the far end
    assert narrow(start, start, up, down, 0.0)[:2] == (down, up)  # its slope leads on to the far end
    assert narrow(start, start, cubic_point(2.5), up, 0.0)[:2] == (up, start)  # its slope leads back


def test_bracket_stays_off_its_ends_and_halves_when_it_shrinks_slowly():
    def steep(step):
        return Point(step, 1e9 * step**2 - step, 2e9 * step - 1)  # lowest at 5e-10

    start = steep(0.0)
    assert narrow(start, start, None, steep(1.0), 0.0)[2] == pytest.approx(0.1)
    assert narrow(start, start, steep(1.0), steep(0.6), 0.0)[2] == pytest.approx(0.06)
    assert narrow(start, start, steep(1.0), steep(0.7), 0.0)[2] == pytest.approx(0.35)
    near = Point(1.0, 1 / 1.9 - 1, 2 / 1.9 - 1)  # of a parabola lowest at 0.95: near the end called low
    assert narrow(start, start, None, near, 0.0)[2] == pytest.approx(0.9)
    assert narrow(start, near, start, Point(0.2, 9.0, -1.0), 0.0)[2] == pytest.approx(0.6)

    start = Point(0.0, 1.0, -1e-10)  # in the noise, lowest next to the start, which is now the far end
    assert narrow(start, start, None, Point(1.0, 1 + 5e-8, 1e-7), 1e-6)[2] == pytest.approx(0.1)
    start = Point(0.0, 1.0, -1.0)  # too high for the cubic's sums
    assert narrow(start, start, None, Point(1.0, 1e300, 1e300), 0.0)[2] == 0.5


def test_point_that_falls_too_little_is_the_far_end():
    start = Point(0.0, 0.0, -1.0)
    short = Point(1.0, -0.5e-4, -1.0)
    assert narrow(start, start, None, short, 0.0)[:2] == (start, short)


def test_line_without_an_end_is_followed_farther():
    start = Point(0.0, 0.0, -1.0)
    assert narrow(start, start, None, Point(1.0, -1.0, -1.0), 0.0)[1:] == (None, 5.0)  # straight
    assert narrow(start, start, None, Point(1.0, -1.5, -2.0), 0.0)[2] == 5.0  # ever steeper
    low, _, step = narrow(start, start, None, Point(1.0, -0.75, -0.5), 0.0)  # a parabola, lowest at 2
    assert low.step == 1.0 and step == pytest.approx(2.0)
    assert narrow(start, start, None, Point(1.0, -0.55, -0.05), 0.0)[2] == 1.25  # lowest at 1.05


def test_costs_within_the_noise_are_judged_by_their_slopes():
    start = Point(0.0, 1.0, -1e-9)
    ahead = Point(1.0, 1.0 + 1e-8, -0.95e-9)
    assert narrow(start, start, None, ahead, 1e-7)[:2] == (ahead, None)
    assert narrow(start, start, None, ahead, 0.0)[:2] == (start, ahead)


# ---- costs that are no numbers, noise, the end ----


@pytest.mark.parametrize(
    "beyond", [(math.inf, 1.0), (math.nan, 1.0), (0.0, math.nan), (0.0, math.inf), (-math.inf, 0.0)]
)
def test_trial_whose_cost_is_not_finite_is_a_step_too_far(beyond):
    def function(x):
        if x[0] > 0:
            return beyond[0], np.full(1, beyond[1])
        return float(2 * (x[0] + 0.5) ** 2), 4 * (x + 0.5)

    optimizer = LBFGS()
    steps = follow(function, np.array([-0.74]), optimizer)
    assert last_params(steps) == pytest.approx(-0.5, abs=1e-4)
    assert all(np.isfinite(accepted_params(after)[0]["x"]).all() for *_, after, _ in steps)
    after_wall = [after.learning_rate for before, *_, after, accepted in steps if before.trial[0]["x"][0] > 0]
    assert after_wall and after_wall[0] == pytest.approx(0.1)


def test_wall_leaves_no_infinity_in_the_state():
    optimizer = LBFGS()
    state, _ = optimizer.tell(optimizer.init([{"x": np.zeros(1)}]), 1.0, [{"x": np.ones(1)}])
    state, accepted = optimizer.tell(state, math.inf, [{"x": np.full(1, np.nan)}])
    assert not accepted and state.search.high == Point(1.0, None, None) and state.learning_rate == 0.1
    state, accepted = optimizer.tell(state, 0.9, [{"x": np.ones(1)}])
    assert not accepted and state.learning_rate == pytest.approx(0.55)


@pytest.mark.parametrize("cost", [math.nan, math.inf])
def test_start_values_without_a_finite_cost_end_at_once(cost):
    optimizer = LBFGS()
    state, accepted = optimizer.tell(optimizer.init([{"x": np.zeros(1)}]), cost, [{"x": np.ones(1)}])
    assert accepted and state.stop_reason and "no finite cost" in state.stop_reason


def test_gradient_within_the_tolerance_finishes():
    optimizer = LBFGS(tolerance=1e-3)
    for size, finished in ((0.9e-3, True), (1.1e-3, False)):
        state, _ = optimizer.tell(optimizer.init([{"x": np.zeros(2)}]), 1.0, [{"x": np.array([0.0, -size])}])
        assert bool(state.stop_reason) is finished
        assert (state.learning_rate == 0.0) is (state.direction is None) is (state.search is None) is finished
    state, _ = optimizer.tell(optimizer.init([{}, {"x": np.zeros(0)}]), 1.0, [{}, {"x": np.zeros(0)}])
    assert state.stop_reason


def test_search_without_a_wolfe_point_takes_its_best_point():
    """A line that falls for ever and never flattens: the farthest point told is the best."""
    optimizer = LBFGS(max_trials=4)
    state = optimizer.init([{"x": np.zeros(1)}])
    told = []
    for _ in range(5):
        told.append(float(state.trial[0]["x"][0]))
        state, accepted = optimizer.tell(state, told[-1], [{"x": np.ones(1)}])
    assert told == [0, -1, -5, -25, -125] and accepted
    assert accepted_params(state)[0]["x"][0] == -125


def test_search_that_ends_beside_its_best_point_measures_that_again():
    """Steep up to 1 and up behind it: of the four trials the second is the lowest, and none is flat."""

    def kink(x):
        return float(abs(x[0] - 0.1)), np.sign(x - 0.1)

    optimizer = LBFGS(max_trials=4)
    state = optimizer.init([{"x": np.ones(1) * 3}])
    told = []
    for _ in range(6):
        x, line = state.trial[0]["x"], state.search
        told.append(kink(x)[0])
        state, accepted = optimizer.tell(state, told[-1], [{"x": kink(x)[1]}])
        if accepted and line is not None:
            break
    assert accepted and line.is_last and told[-1] == min(told) and told[-1] in told[:-2]
    assert state.accepted.cost == told[-1]


def test_best_point_that_measures_as_no_number_is_not_taken():
    optimizer = LBFGS(max_trials=2)
    state, _ = optimizer.tell(optimizer.init([{"x": np.zeros(1)}]), 1.0, [{"x": np.ones(1)}])
    state, _ = optimizer.tell(state, 0.5, [{"x": np.ones(1)}])
    state, accepted = optimizer.tell(state, 9.0, [{"x": -np.ones(1)}])
    assert not accepted and state.search.is_last and state.trial[0]["x"][0] == -1
    state, accepted = optimizer.tell(state, math.nan, [{"x": np.ones(1)}])
    assert not accepted and state.stop_reason and accepted_params(state)[0]["x"][0] == 0


def test_direction_that_leads_nowhere_is_dropped_with_the_memory_and_then_it_gives_up():
    optimizer = LBFGS(max_trials=3)
    state = optimizer.init([{"x": np.array([4.0, 1.0])}])
    for _ in range(30):
        x = state.trial[0]["x"]
        state, _ = optimizer.tell(state, float(x @ x), [{"x": 2 * x * [1, 5]}])
        if len(state.pairs) == 2:
            break
    stood = accepted_params(state)
    for trial in range(6):
        state, accepted = optimizer.tell(state, 1e3, [{"x": np.ones(2)}])
        assert not accepted and accepted_params(state) is stood
        assert len(state.pairs) == (2 if trial < 2 else 0)
        if trial == 2:
            assert np.array_equal(state.direction[0]["x"], -state.accepted.grads[0]["x"])
    assert state.stop_reason and "no step lowers the cost" in state.stop_reason
    assert state.trial is stood and state.learning_rate == 0.0
    assert state.direction is None and state.search is None


def test_trial_that_rounds_to_the_accepted_point_is_not_asked_for():
    optimizer = LBFGS()
    start = [{"x": np.array([1e8], np.float32)}]  # its neighbours are 8 apart
    state, _ = optimizer.tell(optimizer.init(start), 1.0, [{"x": np.array([20.0], np.float32)}])
    state = state._replace(learning_rate=1.0, trial=[{"x": start[0]["x"] - np.float32(20)}])
    trials = 0
    while not state.stop_reason:
        assert state.trial[0]["x"][0] != 1e8
        state, _ = optimizer.tell(state, 2.0, [{"x": np.array([-1.0], np.float32)}])
        trials += 1
    assert trials < 4


def test_trial_that_rounds_to_the_lowest_point_ends_the_search():
    """Straight down for 25, and beyond that higher than ever, in float32 whose numbers are 1 apart."""
    optimizer, start, told = LBFGS(), np.array([1e7], np.float32), []
    state, _ = optimizer.tell(optimizer.init([{"x": start}]), 0.0, [{"x": np.ones(1, np.float32)}])
    accepted = False
    while not accepted:
        told.append(float(state.trial[0]["x"][0]) - 1e7)
        cost, slope = (told[-1], 1) if told[-1] >= -25 else (2.0, -1)
        last = state.search.is_last
        state, accepted = optimizer.tell(state, cost, [{"x": np.full(1, slope, np.float32)}])
    assert last and told[:4] == [-1, -5, -25, -125] and told[-1] == -25
    assert told.count(-25) == 2 and len(told) < 12


def test_array_that_does_not_move_does_not_end_a_search():
    alone, beside = LBFGS(), LBFGS()
    state, other = (
        alone.init([{"x": np.array([-1.2, 1.0])}]),
        beside.init([{"x": np.array([-1.2, 1.0]), "y": np.ones(3)}]),
    )
    for _ in range(40):
        cost, grad = rosenbrock(state.trial[0]["x"])
        state, _ = alone.tell(state, cost, [{"x": grad}])
        other, _ = beside.tell(other, cost, [{"x": grad, "y": np.zeros(3)}])
        assert np.array_equal(state.trial[0]["x"], other.trial[0]["x"])


@pytest.mark.filterwarnings("error")
def test_line_that_leaves_float32_is_followed_back_without_a_warning():
    optimizer = LBFGS(max_trials=80)
    state = optimizer.init([{"x": np.zeros(1, np.float32)}])
    told = []
    for _ in range(82):
        told.append(float(state.trial[0]["x"][0]))
        state, accepted = optimizer.tell(state, told[-1], [{"x": np.ones(1, np.float32)}])
    assert -math.inf in told and accepted
    assert np.isfinite(accepted_params(state)[0]["x"]).all() and accepted_params(state)[0]["x"][0] < -1e37


@pytest.mark.parametrize(("size", "stalled"), [(0.95, 1), (0.85, 0)])
def test_progress_is_a_gradient_a_tenth_smaller(size, stalled):
    state = told_twice(LBFGS(), np.zeros(2), (1.0, [1.0, 1.0]), (1.0, [size, 0.0]))
    assert state.improvement.steps_since == stalled


@pytest.mark.parametrize("seed", range(3))
def test_lbfgs_ends_where_noise_hides_the_cost(seed):
    function, minimum = quadratic(20, 100, seed)
    noise = np.random.default_rng(seed)
    optimizer = LBFGS(tolerance=0)

    def noisy(x):
        cost, grad = function(x)
        return cost * (1 + 1e-7 * noise.normal()), grad * (1 + 1e-7 * noise.normal(size=20))

    steps = follow(noisy, np.zeros(20), optimizer)
    assert steps[-1][3].stop_reason
    assert np.allclose(last_params(steps), minimum, atol=1e-2)


def test_steps_that_change_nothing_beyond_rounding_end_the_run():
    """Gradients square to each line, so that every step stands, and costs that fall by less than they are rounded."""
    optimizer = LBFGS()
    state = optimizer.init([{"x": np.zeros(2, np.float32)}])
    grad, stalled = np.array([1.0, 0.0], np.float32), []
    for told in range(30):
        state, accepted = optimizer.tell(state, 1.0 - 2e-8 * told, [{"x": grad}])
        assert accepted
        stalled.append(state.improvement.steps_since)
        if state.stop_reason:
            break
        across = state.direction[0]["x"][::-1] * np.array([-1, 1], np.float32)
        grad = across / np.linalg.norm(across)
    assert stalled[-11:] == [*range(11)] and "less than its rounding errors" in state.stop_reason


@pytest.mark.parametrize(("fall", "shrink"), [(3e-7, 1.0), (0.0, 0.85)])
def test_steps_that_lower_the_cost_or_the_gradient_go_on(fall, shrink):
    optimizer = LBFGS(tolerance=0)
    state = optimizer.init([{"x": np.zeros(2, np.float32)}])
    grad = np.array([1.0, 0.0], np.float32)
    for told in range(30):
        state, accepted = optimizer.tell(state, 1.0 - fall * told, [{"x": grad}])
        assert accepted and not state.stop_reason
        across = state.direction[0]["x"][::-1] * np.array([-1, 1], np.float32)
        grad = across / np.linalg.norm(across) * np.float32(shrink**told)


def logistic(rows=400, seed=3):
    """Softmax regression on three blobs in float32, with a penalty; cost summed in float64 as in training."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, rows)
    inputs = (rng.normal(size=(3, 5))[labels] * 2 + rng.normal(size=(rows, 5))).astype(np.float32)
    penalty = np.float32(1e-2)

    def measure(params):
        W, b = params[0]["W"], params[0]["b"]
        out = inputs @ W + b  # (n, k)
        out -= out.max(axis=1, keepdims=True)
        shares = np.exp(out)
        total = shares.sum(axis=1, keepdims=True)
        losses = np.log(total[:, 0]) - out[np.arange(rows), labels]
        dout = shares / total
        dout[np.arange(rows), labels] -= 1
        grads = [{"W": inputs.T @ dout / np.float32(rows) + penalty * W, "b": dout.mean(axis=0)}]
        return float(losses.mean(dtype=np.float64) + penalty / 2 * np.sum(W * W, dtype=np.float64)), grads

    return measure, [{"W": np.zeros((5, 3), np.float32), "b": np.zeros(3, np.float32)}]


@pytest.mark.parametrize(("tolerance", "why"), [(1e-5, "no gradient is above"), (0.0, "rounding errors")])
def test_lbfgs_fits_a_logistic_regression_in_float32_and_finishes(tolerance, why):
    measure, start = logistic()
    optimizer = LBFGS(tolerance=tolerance)
    state, told = optimizer.init(start), 0
    while not state.stop_reason and told < 300:
        state, _ = optimizer.tell(state, *measure(state.trial))
        told += 1
    assert told < (60 if tolerance else 150) and why in state.stop_reason
    cost, grads = measure(accepted_params(state))
    assert max(np.abs(g).max() for g in tree.arrays(grads)) <= 2e-5 and cost < 0.5
    assert all(leaf.dtype == np.float32 for leaf in tree.arrays(accepted_params(state)))


# ---- the state as a value ----


def arrays_of(state):
    return [leaf for leaf in tree.arrays(state) if isinstance(leaf, np.ndarray)]


def from_a_file(optimizer, state, params):
    """The state as it comes back from a checkpoint."""
    content = checkpoint.to_bytes(Checkpoint(Progress(state), {}, {}, {}))
    return optimizer.restore(checkpoint.from_bytes(content).progress.state, params)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_state_from_a_checkpoint_goes_on_with_the_same_bits(dtype):
    def function(x):
        cost, grad = rosenbrock(x.astype(np.float64))
        return (cost if cost < 30 else np.float64(np.inf)), grad.astype(
            dtype
        )  # a wall behind the start's cost

    start = np.array([-1.2, 1.0, -0.9, 0.7], dtype)
    optimizer = LBFGS(4)
    straight, stored = optimizer.init([{"x": start}]), optimizer.init([{"x": start}])
    in_lines = 0
    for _ in range(30):
        stored = from_a_file(optimizer, stored, [{"x": start}])
        cost, grad = function(straight.trial[0]["x"])
        assert np.array_equal(straight.trial[0]["x"], stored.trial[0]["x"])
        assert straight.learning_rate == stored.learning_rate
        straight, accepted = optimizer.tell(straight, cost, [{"x": grad}])
        stored, _ = optimizer.tell(stored, cost, [{"x": grad}])
        in_lines += not accepted
    assert in_lines >= 4


def test_tell_changes_nothing_in_place():
    optimizer = LBFGS(2)
    state, kinds = optimizer.init([{"x": np.tile([-1.2, 1.0], 2)}]), set()
    while not state.stop_reason:
        cost, grad = rosenbrock(state.trial[0]["x"])
        before, grad_before = copy.deepcopy(state), grad.copy()
        following, accepted = optimizer.tell(state, cost, [{"x": grad}])
        assert all(map(np.array_equal, arrays_of(state), arrays_of(before)))
        assert repr(state) == repr(before) and np.array_equal(grad, grad_before)
        state = following
        kinds.add(accepted)
    assert kinds == {True, False}


def test_state_holds_no_more_arrays_than_it_says():
    for before, *_ in follow(rosenbrock, np.tile([-1.2, 1.0], 2), LBFGS(3)):
        assert len({id(array) for array in arrays_of(before)}) <= 2 * 3 + 4


# ---- its word ----


@pytest.mark.parametrize("wrong", [0, -1, 2.0, True, None, "5", math.nan])
@pytest.mark.parametrize("field", ["memory", "max_trials"])
def test_lbfgs_refuses_what_counts_nothing(field, wrong):
    with pytest.raises(ValueError, match=f"LBFGS {field} must be a whole number of at least 1, got .+$"):
        LBFGS(**{field: wrong})


@pytest.mark.parametrize("wrong", [-1e-9, math.nan, math.inf, True, None, "1e-5"])
def test_lbfgs_refuses_what_is_no_tolerance(wrong):
    with pytest.raises(ValueError, match="LBFGS tolerance must be a finite number of at least 0, got .+$"):
        LBFGS(tolerance=wrong)


def test_lbfgs_is_said_in_one_word():
    registry = {LBFGS.name: LBFGS}
    assert spec.parse("l-bfgs", registry, "optimizer") == LBFGS(10, 1e-5, 20)
    assert spec.parse("l-bfgs:5:tolerance=1e-4", registry, "optimizer") == LBFGS(5, 1e-4)
    for optimizer in (LBFGS(), LBFGS(7, 0.5, 3)):
        assert spec.parse(spec.to_text(optimizer), registry, "optimizer") == optimizer
        assert spec.from_config(spec.config(optimizer), registry, "optimizer") == optimizer
    with pytest.raises(dataclasses.FrozenInstanceError):
        LBFGS().memory = 3
