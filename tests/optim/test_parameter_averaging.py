"""The driver's step of local SGD is its formula; replicas are tested in tests/training/test_replicas.py."""

import numpy as np
import pytest

from nn.optim.first_order import FirstOrder
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.requests import Change
from nn.optim.rules import SGD


@pytest.mark.parametrize(("rate", "momentum"), [(1.0, 0.0), (0.7, 0.9)])
def test_step_along_the_mean_change_is_its_formula(rate, momentum, rng):
    W, changes = rng.normal(size=(3, 2)), rng.normal(size=(4, 3, 2))
    averaging = ParameterAveraging(FirstOrder(SGD()), outer_learning_rate=rate, outer_momentum=momentum)
    state = averaging.init([{"W": W.copy()}])
    v = np.zeros_like(W)
    for change in changes:
        state = averaging.step(state, Change([{"W": change.copy()}], state.slots.inner))
        v = momentum * v - change
        W = W + rate * (change - momentum * v)
        assert np.allclose(state.trial[0]["W"], W, rtol=1e-12)
