"""Check that a loss keeps the contract of nn.models.losses.Loss; made for the tests of a loss of your own.

from nn.models import check_loss
check_loss(MyLoss(), 10)
"""

from __future__ import annotations

from functools import partial

import numpy as np

from nn.layers.contract import check_slope, describe, expect
from nn.models.losses import Loss

ROWS = 6


def check_loss(loss: Loss, width: int, seed: int = 0) -> None:
    """Check a loss with random outputs (n, width), labels and row weights. Raises AssertionError.

    - `units` and `classes` are inverse to each other.
    - `value` is a float: the sum over the rows, each times its weight; 0 for no rows.
    - `grad` matches numerical differences of `value` and has the shape and dtype of the outputs, float32 or float64.
    - `value_and_grad` gives the same as `value` and `grad`.
    - `probabilities` gives n rows of classes that sum to 1; the largest is the class (int64) that `predict` gives.
      The loss of a regression has targets (n, width) instead of labels, and no probabilities.
    - Outputs and weights are not changed.
    """
    rng = np.random.default_rng(seed)
    classes = loss.classes(width)
    expect(
        loss.units(classes) == width, loss, f"{classes} classes need {loss.units(classes)} units, not {width}"
    )
    outputs = rng.normal(size=(ROWS, width))
    labels = rng.normal(size=(ROWS, width)) if loss.is_regression else rng.integers(0, classes, ROWS)
    weights = rng.uniform(0, 2, ROWS)
    before = outputs.copy(), weights.copy()
    for dtype in (np.float64, np.float32):
        for rows in (ROWS, 0):
            part = outputs[:rows].astype(dtype), labels[:rows], weights[:rows]
            _check_values(loss, *part[:2], None)
            _check_values(loss, *part)
            if not loss.is_regression:
                _check_predictions(loss, part[0], classes)
    for row_weights in (None, weights):
        grad = loss.grad(outputs, labels, row_weights)
        difference = check_slope(partial(loss.value, labels=labels, weights=row_weights), outputs, grad, rng)
        expect(difference is None, loss, f"grad is wrong: {difference}")
    loss.predict(outputs)
    if not loss.is_regression:
        loss.probabilities(outputs)
    unchanged = np.array_equal(outputs, before[0]) and np.array_equal(weights, before[1])
    expect(unchanged, loss, "outputs or weights are overwritten")


def _check_values(loss: Loss, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None) -> None:
    """Check that the value is the weighted sum over the rows, and that the three methods agree."""
    value, grad = loss.value(outputs, labels, weights), loss.grad(outputs, labels, weights)
    expect(isinstance(value, float), loss, f"value is {type(value).__name__}, expected float")
    singly = [loss.value(outputs[[row]], labels[[row]]) for row in range(len(labels))]
    total = float(np.dot(singly, np.ones(len(labels)) if weights is None else weights))
    close = np.isclose(value, total, rtol=1e-6)
    expect(bool(close), loss, f"value is {value:.7g}, expected the sum over the rows, {total:.7g}")
    expected = describe(outputs)
    expect(describe(grad) == expected, loss, f"grad is {describe(grad)}, expected {expected}")
    value_again, grad_again = loss.value_and_grad(outputs, labels, weights)
    same = value_again == value and np.array_equal(grad_again, grad)
    expect(same, loss, "value_and_grad differs from value and grad")
    for dtype in () if loss.is_regression else (np.uint8, np.int16):
        same = loss.value(outputs, labels.astype(dtype), weights) == value
        expect(same, loss, f"labels of {np.dtype(dtype)} give another value")


def _check_predictions(loss: Loss, outputs: np.ndarray, classes: int) -> None:
    shares, predicted = loss.probabilities(outputs), loss.predict(outputs)
    for name, found, expected in (
        ("probabilities", describe(shares), f"{outputs.dtype} {(len(outputs), classes)}"),
        ("predict", describe(predicted), f"int64 {(len(outputs),)}"),
    ):
        expect(found == expected, loss, f"{name} gives {found}, expected {expected}")
    valid = bool((shares >= 0).all()) and np.allclose(shares.sum(axis=1), 1, rtol=1e-5)
    expect(valid, loss, "probabilities gives rows that are not at least 0 or do not sum to 1")
    same = np.array_equal(shares.argmax(axis=1), predicted)
    expect(same, loss, "predict gives another class than the one with the largest probability")
