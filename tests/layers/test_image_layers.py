"""Properties of all image layers: memory order, memory use, words and errors."""

import json
import tracemalloc

import numpy as np
import pytest

from nn.layers import (
    AveragePool2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    Relu,
    layer_from_config,
)
from nn.layers.windows import rows_first, rows_last


def in_float64(layer, shape, rng):
    params = layer.build(shape, rng)[0]
    return {key: rng.normal(size=value.shape) for key, value in params.items()}


LAYERS = [
    Conv2D(3, (3, 2), padding="same"),
    Conv2D(2, 2, stride=2),
    MaxPool2D(2),
    MaxPool2D(3, stride=2, padding="same"),
    AveragePool2D(2),
    AveragePool2D(3, stride=1, padding="same"),
    GlobalAveragePool2D(),
    Flatten(),
]
each_layer = pytest.mark.parametrize("layer", LAYERS, ids=str)


def both_ways(layer, params, x, dout):
    out, cache = layer.forward(params, x)
    grads, dx = layer.backward(params, cache, dout)
    return [out, dx, *grads.values()]


@each_layer
def test_image_layer_gives_the_same_bits_from_any_memory_order(layer, rng):
    params = {key: value.astype(np.float32) for key, value in in_float64(layer, (6, 5, 3), rng).items()}
    x = rng.normal(size=(4, 6, 5, 3)).astype(np.float32)
    dout = rng.normal(size=layer.forward(params, x)[0].shape).astype(np.float32)
    expected = both_ways(layer, params, x, dout)
    assert all(each.dtype == np.float32 for each in expected)
    orders = {
        "again": lambda a: a,
        "reversed": lambda a: np.ascontiguousarray(a[:, ::-1])[:, ::-1],
        "fortran": np.asfortranarray,
        "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
        "rows last": lambda a: rows_first(rows_last(a)) if a.ndim == 4 else a,
    }
    for name, order in orders.items():
        for got, wanted in zip(both_ways(layer, params, order(x), order(dout)), expected, strict=True):
            close = isinstance(layer, GlobalAveragePool2D)  # NumPy sums in the order of memory
            assert np.allclose(got, wanted, rtol=1e-6) if close else np.array_equal(got, wanted), name


def test_image_layers_pass_on_the_memory_order_with_rows_last(rng):
    x = rng.random((70, 12, 12, 1), dtype=np.float32)
    for layer in (Conv2D(4, 3), Relu(), MaxPool2D(), Conv2D(3, 3, padding="same"), AveragePool2D()):
        params, _ = layer.build(x.shape[1:], rng)
        before = x
        x, cache = layer.forward(params, x)
        assert rows_last(x).base is not None and np.shares_memory(rows_last(x), x)
        _, dx = layer.backward(params, cache, np.ones_like(x))
        assert dx.shape == before.shape and np.shares_memory(rows_last(dx), dx)


def test_conv2d_unfolds_only_part_of_a_batch_at_a_time(rng):
    layer = Conv2D(8, 5)
    x = rows_first(rows_last(rng.random((1024, 12, 12, 8), dtype=np.float32)))
    params, _ = layer.build(x.shape[1:], rng)
    part = 64 * 12 * 5 * 8 * 8 * 4  # bytes of 64 images unfolded along the width
    tracemalloc.start()
    out, cache = layer.forward(params, x)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    layer.backward(params, cache, out, needs_dx=False)
    _, peak_back = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - held < 1.3 * part
    assert peak_back - held < 1.3 * part
    assert cache.base is x.base or np.shares_memory(cache, x)  # nothing is kept that was not there


# ---- words and errors ----


@pytest.mark.parametrize(
    ("word", "layer"),
    [
        ("conv2d:16x5", Conv2D(16, (5, 5))),
        ("conv2d:16x5x3:stride=2:padding=same", Conv2D(16, (5, 3), (2, 2), "same")),
        ("conv2d:16x5:stride=2x1", Conv2D(16, 5, (2, 1))),
        ("maxpool2d:2", MaxPool2D((2, 2), stride=2)),
        ("maxpool2d:3x2:stride=1", MaxPool2D((3, 2), stride=1)),
        ("averagepool2d:3:padding=same", AveragePool2D(3, padding="same")),
        ("globalaveragepool2d", GlobalAveragePool2D()),
        ("flatten", Flatten()),
    ],
)
def test_image_layer_is_read_back_from_its_word(word, layer):
    assert layer_from_config(word) == layer
    assert layer_from_config(str(layer)) == layer
    assert layer_from_config(json.loads(json.dumps(layer.config()))) == layer
    assert len(str(layer)) <= len(word)


def test_image_layers_are_equal_if_they_do_the_same():
    assert Conv2D(4, 3) == Conv2D(4, (3, 3), 1) == Conv2D(4, (3, 3), (1, 1))
    assert MaxPool2D(2) == MaxPool2D((2, 2), 2) == MaxPool2D(stride=(2, 2))
    assert MaxPool2D(2, 1) != MaxPool2D(2) != AveragePool2D(2)
    assert layer_from_config({"name": "conv2d", "filters": 4, "kernel": [3, 2]}) == Conv2D(4, (3, 2))
    assert str(Conv2D(4, (3, 3))) == "conv2d:4x3"
    assert str(MaxPool2D(3, (3, 3))) == "maxpool2d:3"
    assert len({Conv2D(4, 3), Conv2D(4, (3, 3))}) == 1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv2D(0, 3), "Conv2D filters must be a whole number of at least 1, got 0"),
        (lambda: Conv2D(True, 3), "Conv2D filters must be a whole number of at least 1, got True"),
        (lambda: Conv2D(4, 0), "Conv2D kernel must be one or two whole numbers of at least 1, got 0"),
        (lambda: Conv2D(4, (3, True)), "Conv2D kernel must be .*, got \\(3, True\\)"),
        (lambda: Conv2D(4, (3, 3, 3)), "Conv2D kernel must be .*, got \\(3, 3, 3\\)"),
        (lambda: Conv2D(4, 2.0), "Conv2D kernel must be .*, got 2.0"),
        (lambda: Conv2D(4, float("nan")), "Conv2D kernel must be .*, got nan"),
        (lambda: Conv2D(4, 3, None), "Conv2D stride must be .*, got None"),
        (lambda: Conv2D(4, 3, (1, 0)), "Conv2D stride must be .*, got \\(1, 0\\)"),
        (lambda: Conv2D(4, 3, padding="full"), "Conv2D padding must be one of valid, same, got 'full'"),
        (
            lambda: Conv2D(4, 3, padding=["same"]),
            "Conv2D padding must be one of valid, same, got \\['same'\\]",
        ),
        (
            lambda: Conv2D(4, 3, initializer="he"),
            "Conv2D initializer must be one of glorot_uniform, .*, got 'he'",
        ),
        (lambda: Conv2D(4, 3, gain=float("nan")), "gain must be a finite number above 0, got nan"),
        (lambda: MaxPool2D(0), "MaxPool2D size must be one or two whole numbers of at least 1, got 0"),
        (lambda: MaxPool2D(2, False), "MaxPool2D stride must be .*, got False"),
        (lambda: AveragePool2D("2"), "AveragePool2D size must be .*, got '2'"),
        (
            lambda: AveragePool2D(2, padding=None),
            "AveragePool2D padding must be one of valid, same, got None",
        ),
        (lambda: Conv2D(4, 5).shapes((3, 3, 1)), "needs an image of at least 5x5, got an image of 3x3x1$"),
        (
            lambda: Conv2D(4, (1, 4)).shapes((3, 3, 1)),
            "needs an image of at least 1x4, got an image of 3x3x1",
        ),
        (lambda: MaxPool2D(4).shapes((3, 8, 1)), "needs an image of at least 4x4, got an image of 3x8x1"),
        (lambda: Conv2D(4, 5).shapes((784,)), "needs an image \\(h, w, c\\), got a row of 784"),
        (lambda: AveragePool2D().shapes((784,)), "needs an image \\(h, w, c\\), got a row of 784"),
        (lambda: GlobalAveragePool2D().shapes((784,)), "needs an image \\(h, w, c\\), got a row of 784"),
        (lambda: layer_from_config("conv2d:16"), "conv2d:16: expected conv2d:FILTERSxKERNEL"),
        (
            lambda: layer_from_config("conv2d:16x5xa"),
            "conv2d:16x5xa: expected a whole number or numbers as 5x3",
        ),
    ],
)
def test_image_layer_refuses_wrong_values_in_one_line(make, says):
    with pytest.raises(ValueError, match=says) as raised:
        make()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["conv2d", "maxpool2d", "averagepool2d", "globalaveragepool2d"])
def test_image_layers_want_images(name):
    word = f"{name}:4x3" if name == "conv2d" else name
    assert layer_from_config(word).wants_image
    assert not Flatten.wants_image


def test_image_layers_learn_the_direction_of_a_bar(rng):
    layers = [Conv2D(4, 3, padding="same"), Relu(), MaxPool2D(), Flatten(), Dense(2)]
    labels = rng.integers(0, 2, 60)
    x0 = rng.normal(0, 0.3, (60, 6, 6, 1))
    for image, label in zip(x0, labels, strict=True):
        at = rng.integers(6)
        image[(slice(None), at) if label else (at, slice(None))] += 1
    params, shape = [], (6, 6, 1)
    for layer in layers:
        values, shape = layer.build(shape, rng)
        params.append({key: value.astype(np.float64) for key, value in values.items()})
    for _ in range(80):
        x, caches = x0, []
        for layer, values in zip(layers, params, strict=True):
            x, cache = layer.forward(values, x)
            caches.append(cache)
        shares = np.exp(x - x.max(axis=1, keepdims=True))
        dout = (shares / shares.sum(axis=1, keepdims=True) - np.eye(2)[labels]) / len(labels)
        for layer, values, cache in zip(layers[::-1], params[::-1], caches[::-1], strict=True):
            grads, dout = layer.backward(values, cache, dout)
            for key in grads:
                values[key] -= 0.3 * grads[key]
    assert (x.argmax(axis=1) == labels).mean() > 0.95
