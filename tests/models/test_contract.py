"""check_loss finds each kind of mistake that a loss of one's own may have."""

import numpy as np
import pytest

from nn.models import Loss, check_loss
from nn.models.losses import BinaryCrossEntropy, CrossEntropy, HalfSquaredError


class MeanOfRows(CrossEntropy):
    def value(self, outputs, labels, weights=None):
        return super().value(outputs, labels, weights) / max(len(labels), 1)


class WrongGradient(HalfSquaredError):
    def grad(self, outputs, labels, weights=None):
        return 2 * super().grad(outputs, labels, weights)

    value_and_grad = Loss.value_and_grad


class WithoutWeights(HalfSquaredError):
    def value(self, outputs, labels, weights=None):
        return super().value(outputs, labels)

    def grad(self, outputs, labels, weights=None):
        return super().grad(outputs, labels)

    value_and_grad = Loss.value_and_grad


class Float64Gradient(CrossEntropy):
    def grad(self, outputs, labels, weights=None):
        return super().grad(outputs, labels, weights).astype(np.float64)


class ArrayValue(CrossEntropy):
    def value(self, outputs, labels, weights=None):
        return np.array([super().value(outputs, labels, weights)])


class Disagreeing(CrossEntropy):
    def value_and_grad(self, outputs, labels, weights=None):
        value, grad = super().value_and_grad(outputs, labels, weights)
        return value + 1e-6, grad


class Logits(CrossEntropy):
    def probabilities(self, outputs):
        return outputs.copy()


class Least(CrossEntropy):
    def predict(self, outputs):
        return outputs.argmin(axis=1)


class Int32(CrossEntropy):
    def predict(self, outputs):
        return super().predict(outputs).astype(np.int32)


class InPlace(CrossEntropy):
    def probabilities(self, outputs):
        outputs -= outputs.max(axis=1, keepdims=True)
        return super().probabilities(outputs)


class TooManyUnits(CrossEntropy):
    def units(self, classes):
        return classes + 1


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (MeanOfRows(), "value is .*, expected the sum over the rows,"),
        (WrongGradient(), "grad is wrong: along a random direction it is"),
        (WithoutWeights(), "value is .*, expected the sum over the rows,"),
        (Float64Gradient(), r"grad is float64 \(6, 3\), expected float32 \(6, 3\)"),
        (ArrayValue(), "value is ndarray, expected float"),
        (Disagreeing(), "value_and_grad differs from value and grad"),
        (Logits(), "probabilities gives rows that are not at least 0 or do not sum to 1"),
        (Least(), "predict gives another class than the one with the largest probability"),
        (Int32(), r"predict gives int32 \(6,\), expected int64 \(6,\)"),
        (InPlace(), "outputs or weights are overwritten"),
        (TooManyUnits(), "3 classes need 4 units, not 3"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Loss) else "",
)
def test_check_loss_says_what_is_wrong(loss, message):
    with pytest.raises(AssertionError, match=f"^{loss.name}: {message}"):
        check_loss(loss, 3)


def test_check_loss_names_a_width_that_the_loss_refuses():
    with pytest.raises(ValueError, match="binary-cross-entropy needs 1 output unit, got 2"):
        check_loss(BinaryCrossEntropy(), 2)
