"""Losses are sums over rows, with matching gradients."""

import json
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core import spec
from nn.models import check_loss
from nn.models.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, HalfSquaredError, Loss

ALL = [HalfSquaredError(), CrossEntropy(), CrossEntropy(0.3), BinaryCrossEntropy(), BinaryCrossEntropy(0.3)]
EACH = pytest.mark.parametrize("loss", ALL, ids=spec.to_text)
SMOOTHED = pytest.mark.parametrize("make", [CrossEntropy, BinaryCrossEntropy])


def width(loss, classes):
    """Return (classes, units); two classes for a loss that supports no more."""
    classes = 2 if isinstance(loss, BinaryCrossEntropy) else classes
    return classes, loss.units(classes)


def drawn(loss, rng, rows, classes=4):
    """Outputs (rows, units) with labels (rows,)."""
    classes, units = width(loss, classes)
    return rng.normal(size=(rows, units)), rng.integers(0, classes, rows)


def written_out(loss, outputs, label):
    """One row's loss, number by number."""
    if isinstance(loss, HalfSquaredError):
        return sum((out - (k == label)) ** 2 for k, out in enumerate(outputs)) / 2
    if isinstance(loss, BinaryCrossEntropy):
        p, target = 1 / (1 + math.exp(-outputs[0])), label * (1 - loss.smoothing) + loss.smoothing / 2
        return -target * math.log(p) - (1 - target) * math.log(1 - p)
    total = sum(math.exp(out) for out in outputs)
    targets = [
        loss.smoothing / len(outputs) + (1 - loss.smoothing) * (k == label) for k in range(len(outputs))
    ]
    return -sum(t * math.log(math.exp(out) / total) for t, out in zip(targets, outputs, strict=True))


@EACH
@given(classes=st.integers(2, 12), seed=st.integers(0, 99))
def test_loss_keeps_the_contract(loss, classes, seed):
    check_loss(loss, width(loss, classes)[1], seed)


@EACH
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_loss_is_its_formula(loss, classes, rng):
    outputs, labels = drawn(loss, rng, 7, classes)
    expected = sum(written_out(loss, row.tolist(), label) for row, label in zip(outputs, labels, strict=True))
    assert loss.value(outputs, labels) == pytest.approx(expected, rel=1e-12)
    assert loss.value(outputs.astype(np.float32), labels) == pytest.approx(expected, rel=1e-5)


def test_loss_calls_value_and_grad_in_turn_by_default():
    class Plain(HalfSquaredError):
        value_and_grad = Loss.value_and_grad

    outputs, labels = np.array([[0.5, 0.25]]), np.array([1])
    value, grad = Plain().value_and_grad(outputs, labels, np.array([2.0]))
    assert value == HalfSquaredError().value(outputs, labels, np.array([2.0]))
    assert np.array_equal(grad, [[1.0, -1.5]])


# ---- the scale of outputs ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_cross_entropies_are_finite_without_warnings_for_huge_logits(size, dtype):
    logits = np.array([[size, -size, 0.0]], dtype)
    single = np.array([[size], [-size]], dtype)
    with warnings.catch_warnings(), np.errstate(over="raise", invalid="raise", divide="raise"):
        warnings.simplefilter("error")
        assert CrossEntropy().value(logits, np.array([0])) == 0
        assert CrossEntropy().value(logits, np.array([1])) == pytest.approx(2 * size)
        assert CrossEntropy(0.3).value(logits, np.array([0])) == pytest.approx(0.3 * size)
        assert np.array_equal(CrossEntropy().grad(logits, np.array([1])), [[1, -1, 0]])
        assert np.array_equal(CrossEntropy().probabilities(logits), [[1, 0, 0]])
        assert BinaryCrossEntropy().value(single, np.array([1, 0])) == 0
        assert BinaryCrossEntropy().value(single, np.array([0, 1])) == pytest.approx(2 * size)
        assert np.array_equal(BinaryCrossEntropy().grad(single, np.array([0, 1])), [[1], [-1]])
        assert np.array_equal(BinaryCrossEntropy().probabilities(single), [[0, 1], [1, 0]])


def test_binary_cross_entropy_is_exact_for_small_probabilities():
    low, high = np.array([[-30.0]]), np.array([[30.0]])
    assert BinaryCrossEntropy().probabilities(low)[0, 1] == pytest.approx(math.exp(-30), rel=1e-9, abs=0)
    assert BinaryCrossEntropy().probabilities(high)[0, 0] == pytest.approx(math.exp(-30), rel=1e-9, abs=0)
    assert BinaryCrossEntropy().value(high, np.array([1])) == pytest.approx(math.exp(-30), rel=1e-9, abs=0)


def test_cross_entropy_is_exact_for_small_losses_in_float32():
    logits = np.array([[0.0, -20.0]], np.float32)
    assert CrossEntropy().value(logits, np.array([0])) == pytest.approx(math.exp(-20), rel=1e-4)


def test_half_squared_error_gives_probabilities_for_all_outputs():
    outputs = np.array([[0.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 1.0, -2.0], [0.2, 0.6, 0.0, 0.0], [-3.0] * 4])
    assert np.allclose(
        HalfSquaredError().probabilities(outputs),
        [[0.25] * 4, [1 / 6, 2 / 6, 3 / 6, 0], [0.25, 0.75, 0, 0], [0.25] * 4],
    )


# ---- two forms of one loss ----


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_cross_entropy_is_the_cross_entropy_of_two_classes(smoothing, rng):
    z, labels = rng.normal(size=(9, 1)), rng.integers(0, 2, 9)
    both = np.concatenate([np.zeros_like(z), z], axis=1)
    binary, cross = BinaryCrossEntropy(smoothing), CrossEntropy(smoothing)
    assert binary.value(z, labels) == pytest.approx(cross.value(both, labels))
    assert np.allclose(binary.grad(z, labels)[:, 0], cross.grad(both, labels)[:, 1])
    assert np.allclose(binary.probabilities(z), cross.probabilities(both))
    assert np.array_equal(binary.predict(z), cross.predict(both))


def test_binary_cross_entropy_predicts_0_for_logit_0():
    assert BinaryCrossEntropy().predict(np.array([[0.0], [1e-9], [-1.0]])).tolist() == [0, 1, 0]


@SMOOTHED
def test_smoothed_loss_is_minimal_where_probabilities_equal_targets(make):
    s = 0.2
    loss, units = make(s), make().units(2)
    target = np.array([[s / 2, 1 - s / 2]])  # of label 1
    logits = np.log(target) if units == 2 else np.log(target[:, 1:] / target[:, :1])
    assert np.allclose(loss.grad(logits, np.array([1])), 0)


# ---- units, classes, names ----


@pytest.mark.parametrize("classes", [1, 3, 10])
def test_binary_cross_entropy_refuses_other_than_two_classes(classes):
    with pytest.raises(
        ValueError, match=f"^binary-cross-entropy needs 2 classes, got {classes}; use cross-entropy$"
    ):
        BinaryCrossEntropy().units(classes)
    with pytest.raises(ValueError, match="^binary-cross-entropy needs 1 output unit, got 2$"):
        BinaryCrossEntropy().classes(2)


@SMOOTHED
@pytest.mark.parametrize("wrong", [-0.1, 1, 1.5, math.nan, math.inf, True, False, "0.1", None])
def test_smoothing_out_of_range_is_refused(make, wrong):
    with pytest.raises(ValueError) as caught:
        make(wrong)
    assert str(caught.value) == f"{make.__name__} smoothing must be a number in [0, 1), got {wrong!r}"


def test_losses_are_registered_under_the_names_of_the_command_line():
    assert list(LOSSES) == ["mse", "cross-entropy", "binary-cross-entropy"]
    assert all(issubclass(cls, Loss) and cls.name == name for name, cls in LOSSES.items())


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (CrossEntropy(), "cross-entropy"),
        (CrossEntropy(0.1), "cross-entropy:0.1"),
        (BinaryCrossEntropy(0.05), "binary-cross-entropy:0.05"),
        (HalfSquaredError(), "mse"),
    ],
)
def test_loss_is_read_back_from_its_word_and_its_json(loss, word):
    assert spec.to_text(loss) == word
    assert spec.parse(word, LOSSES, "loss") == loss
    assert spec.from_config(json.loads(json.dumps(spec.config(loss))), LOSSES, "loss") == loss
    assert spec.parse("cross-entropy:smoothing=0.1", LOSSES, "loss") == CrossEntropy(0.1)


def test_binary_cross_entropy_refuses_labels_other_than_0_and_1():
    BinaryCrossEntropy().check_labels(np.array([0, 1, 1]))
    CrossEntropy().check_labels(np.array([1, 2]))
    with pytest.raises(ValueError, match="^binary-cross-entropy: expected labels 0 and 1, found 1 and 2$"):
        BinaryCrossEntropy().check_labels(np.array([1, 2, 2]))
