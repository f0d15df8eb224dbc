"""Penalties are of weights alone, count once a row, and their gradient is their slope."""

import numpy as np
import pytest

from nn.core import tree
from nn.data.batches import RowSelection
from nn.data.hold_out import HoldOut
from nn.data.local_rdd import local_rdd
from nn.data.split import Split
from nn.optim.regularization import Penalty
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron
from tests.support.training import measure_on

PARAMS = [
    {"W": np.array([[1.0, -2.0]]), "b": np.array([9.0])},
    {},
    {"0.W": np.array([3.0]), "0.gain": np.array([7.0])},
]


def test_penalty_is_of_the_weights_and_not_of_biases_or_scales():
    assert Penalty(l1=0.5).value(PARAMS) == 0.5 * 6
    assert Penalty(l2=0.5).value(PARAMS) == 0.25 * 14
    assert Penalty(0.5, 0.5).value(PARAMS) == 3 + 3.5
    assert Penalty().value(PARAMS) == 0


def test_penalty_joins_cost_and_gradients_as_if_each_row_carried_it():
    inputs, labels = blobs(90)
    weights = np.random.default_rng(0).uniform(0, 2, 90)
    model = multilayer_perceptron(16, 3, (5,), "tanh", "cross-entropy", 255.0)
    params, penalty = model.init(0), Penalty(0.01, 0.2)
    split = Split(90, HoldOut(0, 0.3, 90))
    blocks = split.apply(local_rdd(inputs, labels, weights, block_rows=20))
    plain = measure_on(blocks, model)
    for selection in (
        RowSelection(),
        RowSelection(fraction=0.5),
        RowSelection(fraction=0.0),
        RowSelection(batch=1, batches=4, total=split.train_rows),
    ):
        without, having = (
            plain(params, selection),
            measure_on(blocks, model, penalty=penalty)(params, selection),
        )
        extra = penalty.value(params)
        assert having.train.cost == pytest.approx(without.train.cost + extra)
        if selection.batch is None:
            assert having.validation.cost == pytest.approx(without.validation.cost + extra)
        if selection.fraction:
            for layer, (a, b) in enumerate(
                zip(having.mean_grads_inplace(), without.mean_grads_inplace(), strict=True)
            ):
                for key in a:
                    w = params[layer][key]
                    slope = 0.01 * np.sign(w) + 0.2 * w if key == "W" else 0
                    assert np.allclose(a[key], b[key] + slope, atol=1e-6)
    assert not Penalty()


def test_penalty_gradient_is_the_slope_of_its_value(rng):
    params = [{"W": rng.normal(size=(4, 3))}]
    step = [{"W": rng.normal(size=(4, 3))}]
    penalty = Penalty(0.3, 0.7)
    promised = tree.dot([{"W": penalty._gradient(params[0]["W"], 1.0)}], step)
    moved = [penalty.value(tree.add(params, tree.scale(step, t))) for t in (1e-6, -1e-6)]
    assert (moved[0] - moved[1]) / 2e-6 == pytest.approx(promised, rel=1e-6)


@pytest.mark.parametrize("wrong", [{"l1": -1.0}, {"l2": np.inf}, {"l2": np.nan}])
def test_penalty_refuses_what_is_none(wrong):
    with pytest.raises(ValueError, match=r"l\d must be a finite number of at least 0"):
        Penalty(**wrong)
