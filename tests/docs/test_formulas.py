"""The formulas in the reference that are functions of one number are those that the code computes."""

import dataclasses
import math

import numpy as np
import pytest

from nn.layers import LAYERS
from nn.optim.schedules import SCHEDULES
from tools.docs.formulas import ACTIVATIONS, FACTORS, FUNCTIONS
from tools.docs.latex import latex_of

MATH = {name: getattr(math, name) for name in ("exp", "tanh", "log", "sqrt", "cos", "floor", "pi")}
MATH |= {"max": max, "abs": abs}
FIELDS = {
    "step": {"every": 3.0, "drop": 0.5},
    "cosine": {"final": 0.2},
    "leaky_relu": {"slope": 0.1},
    "elu": {"alpha": 0.7},
}


def value_of(expression, item, **names):
    return eval(expression, {**MATH, **dataclasses.asdict(item), **names})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_activation_is_its_formula(name):
    layer, (value, slope) = LAYERS[name](**FIELDS.get(name, {})), FUNCTIONS[name]
    x = np.array([[-3.0, -0.5, 0.3, 2.0]])
    out, cache = layer.forward({}, x)
    _, dx = layer.backward({}, cache, np.ones_like(x))
    for at, f, derivative in zip(x[0], out[0], dx[0], strict=True):
        assert value_of(value, layer, x=at) == pytest.approx(f)
        assert not slope or value_of(slope, layer, x=at, f=f) == pytest.approx(derivative)


@pytest.mark.parametrize("name", FACTORS)
def test_a_schedule_is_its_formula(name):
    schedule = SCHEDULES[name](**FIELDS.get(name, {}))
    for t in (0, 1.5, 3, 7.25, 10):
        assert value_of(FACTORS[name], schedule, t=t, T=10) == pytest.approx(schedule.factor(t, 10))


@pytest.mark.parametrize(
    "expression, latex",
    [
        ("1 / (1 + exp(-x))", r"\frac{1}{1 + e^{-x}}"),
        ("f * (1 - f)", r"f(x) \, (1 - f(x))"),
        ("a - (b + c)", "a - (b + c)"),
        ("(a + b)**2", "(a + b)^{2}"),
        ("decay**t", r"\text{decay}^{t}"),
        ("drop ** floor(t / every)", r"\text{drop}^{\lfloor \frac{t}{\text{every}} \rfloor}"),
        ("x if x > 0 else slope * x", r"x \text{ if } x > 0 \text{, else } \text{slope} \, x"),
        ("sqrt(2 / pi)", r"\sqrt{\frac{2}{\pi}}"),
        ("max(x, 0)", r"\max(x, 0)"),
        ("x / (1 + abs(x))", r"\frac{x}{1 + \lvert x \rvert}"),
    ],
)
def test_expressions_as_latex(expression, latex):
    assert latex_of(expression) == latex


def test_formula_of_a_page_is_made_of_both_expressions():
    assert ACTIVATIONS["tanh"] == r"f(x) = \tanh(x), \qquad f'(x) = 1 - f(x)^{2}"
