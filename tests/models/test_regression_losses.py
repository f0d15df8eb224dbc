"""Losses of a regression keep the contract and are their formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core import spec
from nn.models import check_loss
from nn.models.regression_losses import AbsoluteError, Huber, SquaredError

ALL = [SquaredError(), AbsoluteError(), Huber(), Huber(0.3)]


@pytest.mark.parametrize("loss", ALL, ids=spec.to_text)
@given(targets=st.integers(1, 4), seed=st.integers(0, 99))
def test_loss_keeps_the_contract(loss, targets, seed):
    check_loss(loss, targets, seed)


@pytest.mark.parametrize(
    ("loss", "of_error"),
    [
        (SquaredError(), lambda e: e * e),
        (AbsoluteError(), abs),
        (Huber(0.5), lambda e: e * e / 2 if abs(e) <= 0.5 else 0.5 * (abs(e) - 0.25)),
    ],
)
def test_loss_is_its_formula(loss, of_error, rng):
    outputs, targets = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    expected = sum(of_error(e) for e in (outputs - targets).ravel())
    assert loss.value(outputs, targets) == pytest.approx(expected, rel=1e-12)
    assert loss.value(outputs.astype(np.float32), targets.astype(np.float32)) == pytest.approx(
        expected, rel=1e-5
    )


def test_a_large_difference_counts_less_with_huber_than_with_squares():
    outputs, targets = np.zeros((1, 1)), np.full((1, 1), 100.0)
    assert Huber(1.0).value(outputs, targets) == 99.5
    assert Huber(1.0).grad(outputs, targets) == -1 and SquaredError().grad(outputs, targets) == -200


@pytest.mark.parametrize("delta", [0, -1, float("inf"), float("nan"), True, "1"])
def test_huber_refuses_a_delta_that_is_no_size(delta):
    with pytest.raises(ValueError, match="Huber delta must be a finite number above 0"):
        Huber(delta)
