"""Rules match their formulas; Descent undoes what a judging schedule does not let stand."""

import numpy as np
import pytest

from nn.optimizers import RULES, SGD, Descent, Momentum
from nn.schedules import BoldDriver, Constant


def written_out_sgd(w, grads, rate):
    for g in grads:
        w = w - rate * g
    return w


def written_out_momentum(w, grads, rate, momentum=0.9):
    velocity = 0.0
    for g in grads:
        velocity = momentum * velocity + g
        w = w - rate * velocity
    return w


# An optimiser joins the house with a row here: (rule, its formula written out).
TABLE = [(SGD(), written_out_sgd), (Momentum(0.9), written_out_momentum)]
RULES_IN_TABLE = pytest.mark.parametrize(("rule", "formula"), TABLE, ids=[rule.name for rule, _ in TABLE])


def test_table_holds_every_registered_rule():
    assert {rule.name for rule, _ in TABLE} == set(RULES)


@RULES_IN_TABLE
def test_rule_matches_its_formula(rule, formula, rng):
    w, grads = rng.normal(size=(3, 2)), rng.normal(size=(5, 3, 2))
    descent = Descent(rule, Constant(0.3))
    state = descent.init([{"W": w}])
    for g in grads:
        state = descent.step(state, [{"W": g}])
    assert np.allclose(state["trial"][0]["W"], formula(w, grads, 0.3))


@RULES_IN_TABLE
@pytest.mark.parametrize("schedule", [Constant(0.05), BoldDriver(0.05)], ids=lambda s: s.name)
def test_rule_finds_the_bottom_of_a_parabola(rule, formula, schedule):
    bottom = np.array([1.0, -2.0])
    descent = Descent(rule, schedule)
    state = descent.init([{"b": np.zeros(2)}])
    for _ in range(300):
        error = state["trial"][0]["b"] - bottom
        state, _ = descent.tell(state, float(error @ error) / 2, [{"b": error}])
    assert np.allclose(descent.result(state)[0]["b"], bottom, atol=1e-4)


@RULES_IN_TABLE
def test_rule_leaves_parameters_and_gradients_alone(rule, formula):
    w, g = np.ones(3, np.float32), np.full(3, 0.5, np.float32)
    slot = rule.start(w)
    new, slot = rule.update(w, g, slot, 0.1)
    rule.update(new, g, slot, 0.1)
    assert (w == 1).all() and (g == 0.5).all() and new.dtype == np.float32


def test_bold_driver_goes_back_and_tries_the_kept_gradient_at_half_the_rate():
    descent = Descent(SGD(), BoldDriver(1.0, growth=1.5))
    state = descent.init([{"b": np.array([10.0])}])
    state, accepted = descent.tell(state, 5.0, [{"b": np.array([2.0])}])  # start values: 10 -> 10 - 1*2
    assert accepted and state["trial"][0]["b"] == 8 and state["learning_rate"] == 1.0
    state, accepted = descent.tell(state, 6.0, [{"b": np.array([100.0])}])  # worse: back to 10, 10 - 0.5*2
    assert not accepted and state["trial"][0]["b"] == 9 and state["learning_rate"] == 0.5
    assert descent.result(state)[0]["b"] == 10
    state, accepted = descent.tell(state, 4.0, [{"b": np.array([4.0])}])  # better: 9 stands, 9 - 0.75*4
    assert accepted and state["trial"][0]["b"] == 6 and state["learning_rate"] == 0.75
    assert descent.result(state)[0]["b"] == 9


def test_bold_driver_restores_the_velocity_and_drops_it_when_undone_twice():
    descent = Descent(Momentum(0.5), BoldDriver(1.0, growth=1.0))
    state = descent.init([{"b": np.array([0.0])}])
    state, _ = descent.tell(state, 3.0, [{"b": np.array([1.0])}])  # v = 1, trial -1
    state, _ = descent.tell(state, 2.0, [{"b": np.array([1.0])}])  # stands with v = 1; v = 1.5, trial -2.5
    assert state["trial"][0]["b"] == -2.5
    state, accepted = descent.tell(state, 9.0, [{"b": np.array([50.0])}])  # from v = 1 again, at rate 0.5
    assert not accepted and state["trial"][0]["b"] == -1 - 0.5 * 1.5
    state, accepted = descent.tell(state, 9.0, [{"b": np.array([50.0])}])  # from v = 0, at rate 0.25
    assert not accepted and state["trial"][0]["b"] == -1 - 0.25 * 1.0


def test_constant_schedule_keeps_the_latest_point():
    descent = Descent(SGD(), Constant(1.0))
    state = descent.init([{"b": np.array([3.0])}])
    state, accepted = descent.tell(state, 9.0, [{"b": np.array([1.0])}])
    state, accepted = descent.tell(state, 99.0, [{"b": np.array([1.0])}])
    assert accepted and descent.result(state)[0]["b"] == 1


def test_momentum_refuses_a_share_of_one():
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\), got 1"):
        Momentum(1)
