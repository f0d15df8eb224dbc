"""check_layer finds each kind of mistake that a layer of one's own may have."""

import numpy as np
import pytest

from nn.layers import Dense, Dropout, Layer, check_layer
from nn.layers.windows import rows_first, rows_last


class Square(Layer):
    """out = x^2."""

    name = "square"

    def forward(self, params, x, key=None):
        return x * x, x

    def backward(self, params, cache, dout, needs_dx=True):
        return {}, 2 * cache * dout if needs_dx else None


class WrongSlope(Square):
    def backward(self, params, cache, dout, needs_dx=True):
        return {}, cache * dout if needs_dx else None


class NeverWithoutDx(Square):
    def backward(self, params, cache, dout, needs_dx=True):
        return {}, 2 * cache * dout


class InPlace(Square):
    def forward(self, params, x, key=None):
        kept = x.copy()
        x *= x
        return x, kept


class InPlaceBackward(Square):
    def backward(self, params, cache, dout, needs_dx=True):
        dout *= 2 * cache
        return {}, dout if needs_dx else None


class SpoiledCache(Square):
    def forward(self, params, x, key=None):
        return x * x, 2 * x

    def backward(self, params, cache, dout, needs_dx=True):
        dx = cache * dout
        cache += 1
        return {}, dx if needs_dx else None


class Float64(Square):
    def forward(self, params, x, key=None):
        return (x * x).astype(np.float64), x


class Narrower(Square):
    def forward(self, params, x, key=None):
        return (x * x)[:, 1:], x


class BatchMean(Square):
    def forward(self, params, x, key=None):
        return x * x - (x * x).sum(axis=0) / max(len(x), 1), x

    def backward(self, params, cache, dout, needs_dx=True):
        dout = dout - dout.sum(axis=0) / max(len(dout), 1)
        return super().backward(params, cache, dout, needs_dx)


class RandomInSecret(Dropout):
    is_random = False

    def forward(self, params, x, key=None):
        return Dropout(self.rate).forward(params, x, key)


class Unrepeatable(Square):
    calls = 0

    def forward(self, params, x, key=None):
        Unrepeatable.calls += 1e-9
        return x * x + x.dtype.type(Unrepeatable.calls), x


class MeanOfRows(Dense):
    def backward(self, params, cache, dout, needs_dx=True):
        grads, dx = super().backward(params, cache, dout, needs_dx)
        return {name: grad / max(len(dout), 1) for name, grad in grads.items()}, dx


class WithoutBiasGradient(Dense):
    def backward(self, params, cache, dout, needs_dx=True):
        grads, dx = super().backward(params, cache, dout, needs_dx)
        return {"W": grads["W"]}, dx


class BuildsFloat64(Dense):
    def build(self, input_shape, rng):
        params, shape = super().build(input_shape, rng)
        return {name: value.astype(np.float64) for name, value in params.items()}, shape


class BuildsFromElsewhere(Dense):
    def build(self, input_shape, rng):
        return super().build(input_shape, np.random.default_rng())


class PromisesOtherShapes(Dense):
    def shapes(self, input_shape):
        return {"W": (input_shape[0], self.units)}, (self.units,)


class InPlaceOnRowsLast(Square):
    def forward(self, params, x, key=None):
        images = rows_last(x)
        kept = images.copy()
        images *= images
        return rows_first(images), rows_first(kept)


def test_check_layer_finds_a_write_into_images_as_they_lie_between_layers():
    with pytest.raises(AssertionError, match="^square: x is overwritten"):
        check_layer(InPlaceOnRowsLast(), (3, 2, 2))


def test_check_layer_accepts_a_correct_layer():
    check_layer(Square(), (3, 2))
    check_layer(Square(), (3,), seed=5)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (WrongSlope(), "square: dx is wrong: along a random direction it is .*, numerical differences give"),
        (NeverWithoutDx(), "square: backward gives dx although needs_dx is False"),
        (InPlace(), "square: x is overwritten"),
        (InPlaceBackward(), "square: dout is overwritten"),
        (SpoiledCache(), "square: backward overwrites its cache"),
        (Float64(), r"square: the output is float64 \(4, 3\), expected float32 \(4, 3\)"),
        (Narrower(), r"square: the output is float32 \(4, 2\), expected float32 \(4, 3\)"),
        (BatchMean(), "square: a row's output depends on the other rows"),
        (RandomInSecret(0.5), "dropout: the key is used, but is_random is False"),
        (Unrepeatable(), "square: two outputs for the key None differ"),
        (MeanOfRows(2), "dense: dW is wrong: along a random direction it is"),
        (WithoutBiasGradient(2), r"dense: gradients of \['W'\], expected \['W', 'b'\]"),
        (BuildsFloat64(2), "dense: W is float64, expected float32"),
        (BuildsFromElsewhere(2), "dense: two W from the same generator differ"),
        (PromisesOtherShapes(2), "dense: shapes promises .*, build gives"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else "",
)
def test_check_layer_says_what_is_wrong(layer, message):
    with pytest.raises(AssertionError, match=f"^{message}"):
        check_layer(layer, (3,))
