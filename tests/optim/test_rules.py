"""Each rule takes the steps of its formula, written out here for one number at a time."""

import math

import numpy as np
import pytest

from nn.optim.first_order import FirstOrder
from nn.optim.optimizer import accepted_params
from nn.optim.rules import RULES, SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from nn.optim.schedules import BoldDriver, Constant


def sgd(w, grads, rate):
    for g in grads:
        w = w - rate * g
    return w


def momentum(w, grads, rate):
    velocity = 0.0
    for g in grads:
        velocity = 0.9 * velocity + g
        w = w - rate * velocity
    return w


def nesterov(w, grads, rate):
    velocity = 0.0
    for g in grads:
        velocity = 0.8 * velocity + g
        w = w - rate * (g + 0.8 * velocity)
    return w


def adagrad(w, grads, rate):
    squares = 0.0
    for g in grads:
        squares = squares + g**2
        w = w - rate * g / (np.sqrt(squares) + 1e-8)
    return w


def rmsprop(w, grads, rate):
    squares = 0.0
    for g in grads:
        squares = 0.95 * squares + 0.05 * g**2
        w = w - rate * g / (np.sqrt(squares) + 1e-8)
    return w


def adam(w, grads, rate, weight_decay=0.0, epsilon=1e-3):
    mean = squares = 0.0
    for t, g in enumerate(grads, 1):
        w = w - rate * weight_decay * w
        mean = 0.9 * mean + 0.1 * g
        squares = 0.99 * squares + 0.01 * g**2
        w = w - rate * (mean / (1 - 0.9**t)) / (np.sqrt(squares / (1 - 0.99**t)) + epsilon)
    return w


def adamw(w, grads, rate):
    return adam(w, grads, rate, weight_decay=0.2, epsilon=1e-8)


# An optimiser joins the house with a row here: (rule, its formula written out, a rate that a parabola bears).
TABLE = [
    (SGD(), sgd, 0.05),
    (Momentum(0.9), momentum, 0.05),
    (Nesterov(0.8), nesterov, 0.05),
    (Adagrad(), adagrad, 0.5),
    (RMSProp(0.95), rmsprop, 0.02),
    (Adam(beta2=0.99, epsilon=1e-3), adam, 0.05),
    (AdamW(0.2, beta2=0.99), adamw, 0.05),
]
RULES_IN_TABLE = pytest.mark.parametrize(
    ("rule", "formula", "rate"), TABLE, ids=[rule.name for rule, *_ in TABLE]
)


def test_table_holds_every_registered_rule():
    assert {rule.name for rule, *_ in TABLE} == set(RULES)


@RULES_IN_TABLE
def test_rule_matches_its_formula(rule, formula, rate, rng):
    w, grads = rng.normal(size=(3, 2)), rng.normal(size=(7, 3, 2))
    descent = FirstOrder(rule, Constant(), 0.3)
    state = descent.init([{"W": w}]).copy_for_update()
    for g in grads:
        state = descent.step(state, [{"W": g.copy()}])
    assert np.allclose(state.trial[0]["W"], formula(w, grads, 0.3), rtol=1e-12, atol=1e-12)


@RULES_IN_TABLE
@pytest.mark.parametrize("schedule", [Constant(), BoldDriver()], ids=lambda s: s.name)
def test_rule_finds_the_bottom_of_a_parabola(rule, formula, rate, schedule):
    bottom = np.array([1.0, -2.0])
    descent = FirstOrder(rule, schedule, rate)
    state = descent.init([{"b": np.zeros(2)}])
    costs = []
    for _ in range(400):
        error = state.trial[0]["b"] - bottom
        state, accepted = descent.tell(state, float(error @ error) / 2, [{"b": error}])
        costs += [float(error @ error)] if accepted else []
    assert np.allclose(accepted_params(state)[0]["b"], bottom, atol=0.02)
    assert not schedule.can_reject or costs == sorted(costs, reverse=True)


@RULES_IN_TABLE
def test_rule_keeps_the_dtype_and_what_it_was_given_a_copy_of(rule, formula, rate):
    w = np.ones(3, np.float32)
    descent = FirstOrder(rule, Constant(), 0.1)
    before = descent.init([{"W": w}])
    after = descent.move(before, [{"W": np.full(3, 0.5, np.float32)}])
    again = descent.move(before, [{"W": np.full(3, 0.5, np.float32)}])
    assert (w == 1).all() and after.trial[0]["W"].dtype == np.float32
    assert np.array_equal(after.trial[0]["W"], again.trial[0]["W"])
    assert all(slot.dtype in (np.float32, np.int64) for slot in after.slots[0]["W"].values())


def test_weight_decay_leaves_biases_and_scales_out():
    descent = FirstOrder(AdamW(0.5), Constant(), 0.1)
    params = [{"W": np.ones(2), "b": np.ones(2), "gain": np.ones(2), "1.W": np.ones(2)}]
    state = descent.move(descent.init(params), [{key: np.zeros(2) for key in params[0]}])
    moved = {key: value[0] for key, value in state.trial[0].items()}
    assert moved == {"W": 0.95, "b": 1.0, "gain": 1.0, "1.W": 0.95}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Momentum(1), r"momentum must be a number in \[0, 1\), got 1"),
        (lambda: Nesterov(math.nan), r"momentum must be a number in \[0, 1\), got nan"),
        (lambda: RMSProp(1.5), r"decay must be a number in \[0, 1\), got 1.5"),
        (lambda: RMSProp(epsilon=0.0), "epsilon must be a finite number above 0, got 0.0"),
        (lambda: Adagrad(math.inf), "epsilon must be a finite number above 0, got inf"),
        (lambda: Adam(beta1=True), r"beta1 must be a number in \[0, 1\), got True"),
        (lambda: Adam(beta2=-0.1), r"beta2 must be a number in \[0, 1\), got -0.1"),
        (lambda: AdamW(-1.0), "weight_decay must be a finite number of at least 0, got -1.0"),
        (lambda: AdamW(beta2=2.0), r"beta2 must be a number in \[0, 1\), got 2.0"),
    ],
)
def test_rules_refuse_what_makes_no_rule(make, message):
    with pytest.raises(ValueError, match=message):
        make()
