"""Losses are sums over rows with the gradients to match."""

import numpy as np
import pytest

from nn.losses import LOSSES, CrossEntropy, HalfSquaredError

BOTH = pytest.mark.parametrize("loss", [HalfSquaredError(), CrossEntropy()], ids=lambda loss: loss.name)


@BOTH
@pytest.mark.parametrize("weighted", [False, True])
def test_loss_gradient_matches_the_slope_along_random_directions(loss, weighted, rng):
    outputs, step = rng.normal(size=(2, 6, 4))
    labels = rng.integers(0, 4, 6)
    weights = rng.uniform(0, 2, 6) if weighted else None

    def along(t):
        return loss.value(outputs + t * step, labels, weights)

    slope = (along(1e-5) - along(-1e-5)) / 2e-5
    assert slope == pytest.approx(float((loss.grad(outputs, labels, weights) * step).sum()), rel=1e-6)


@BOTH
def test_loss_weights_count_rows_several_times(loss, rng):
    outputs, labels = rng.normal(size=(3, 4)), np.array([1, 0, 3])
    twice = loss.value(outputs[[0, 0, 1, 1, 1]], labels[[0, 0, 1, 1, 1]])
    assert loss.value(outputs, labels, np.array([2.0, 3.0, 0.0])) == pytest.approx(twice)


@BOTH
def test_loss_link_gives_shares_in_the_order_of_the_outputs(loss, rng):
    outputs = rng.uniform(0.01, 1, size=(5, 3)).astype(np.float32)
    shares = loss.link(outputs)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.array_equal(shares.argmax(axis=1), outputs.argmax(axis=1))


@BOTH
def test_loss_leaves_its_outputs_alone(loss, rng):
    outputs = rng.uniform(size=(2, 3))
    before = outputs.copy()
    loss.value(outputs, np.array([0, 1]))
    loss.grad(outputs, np.array([0, 1]))
    loss.link(outputs)
    assert np.array_equal(outputs, before)


def test_half_squared_error_is_half_the_sum_of_squares():
    outputs = np.array([[0.5, 0.25], [1.0, 0.0]], np.float32)
    assert HalfSquaredError().value(outputs, np.array([0, 1])) == pytest.approx(
        0.5 * (0.5**2 + 0.25**2) + 0.5 * (1 + 1)
    )


def test_cross_entropy_is_minus_the_log_of_the_labels_share():
    logits = np.log(np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]))
    assert CrossEntropy().value(logits, np.array([2, 0])) == pytest.approx(-np.log(0.5) - np.log(0.1))


def test_cross_entropy_stays_finite_for_huge_logits():
    logits = np.array([[1e30, -1e30, 0.0]], np.float32)
    with np.errstate(over="raise", invalid="raise"):
        assert CrossEntropy().value(logits, np.array([0])) == 0
        assert np.array_equal(CrossEntropy().link(logits), [[1, 0, 0]])


def test_losses_are_registered_under_the_names_of_the_command_line():
    assert set(LOSSES) == {"mse", "cross-entropy"}
