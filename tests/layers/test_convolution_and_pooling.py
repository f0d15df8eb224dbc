"""Convolution and pooling agree with plain loops, for all shapes and memory orders."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nn.layers import (
    AveragePool2D,
    Conv2D,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    check_layer,
)
from nn.layers import convolution as convolution_module
from nn.layers.windows import rows_last

sizes = st.integers(1, 7)
pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


def geometry(size, kernel, stride, padding):
    """Return (number of windows, first pixel of the first window), with TensorFlow's padding."""
    if padding == "valid":
        return (size - kernel) // stride + 1, 0
    count = -(-size // stride)
    padded = max(0, (count - 1) * stride + kernel - size)
    return count, -(padded // 2)


def windows_by_loops(shape, kernel, stride, padding):
    """Yield (i, j, [(p, q, y, x) of the pixels inside the image])."""
    h, w = shape
    oh, top = geometry(h, kernel[0], stride[0], padding)
    ow, left = geometry(w, kernel[1], stride[1], padding)
    for i in range(oh):
        for j in range(ow):
            places = [
                (p, q, top + i * stride[0] + p, left + j * stride[1] + q)
                for p in range(kernel[0])
                for q in range(kernel[1])
            ]
            yield i, j, [(p, q, y, x) for p, q, y, x in places if 0 <= y < h and 0 <= x < w]


def convolved(layer, params, x):
    _, out_shape = layer.shapes(x.shape[1:])
    out = np.zeros((len(x), *out_shape)) + params["b"]
    for i, j, places in windows_by_loops(x.shape[1:3], layer.kernel, layer.stride, layer.padding):
        for p, q, row, column in places:
            out[:, i, j] += x[:, row, column] @ params["W"][p, q]
    return out


def pooled(layer, x):
    stride = layer.stride or layer.size
    _, out_shape = layer.shapes(x.shape[1:])
    out = np.zeros((len(x), *out_shape))
    for i, j, places in windows_by_loops(x.shape[1:3], layer.size, stride, layer.padding):
        pixels = np.stack([x[:, row, column] for _, _, row, column in places])
        out[:, i, j] = pixels.max(axis=0) if isinstance(layer, MaxPool2D) else pixels.mean(axis=0)
    return out


def in_float64(layer, shape, rng):
    params = layer.build(shape, rng)[0]
    return {key: rng.normal(size=value.shape) for key, value in params.items()}


def fits(shape, kernel, padding):
    return padding == "same" or (kernel[0] <= shape[0] and kernel[1] <= shape[1])


# ---- convolution ----


@settings(max_examples=120)
@given(
    n=st.integers(0, 3),
    shape=st.tuples(sizes, sizes, st.integers(1, 3)),
    filters=st.integers(1, 3),
    kernel=pairs,
    stride=pairs,
    padding=st.sampled_from(["valid", "same"]),
    seed=st.integers(0, 99),
)
@example(2, (5, 6, 2), 3, (2, 3), (3, 4), "valid", 0)  # pixels between the windows and behind the last
@example(1, (1, 1, 1), 1, (4, 4), (1, 1), "same", 0)  # mostly padding
def test_conv2d_is_the_sum_over_each_window(n, shape, filters, kernel, stride, padding, seed):
    rng = np.random.default_rng(seed)
    layer = Conv2D(filters, kernel, stride, padding)
    if not fits(shape, kernel, padding):
        with pytest.raises(ValueError, match=f"at least {kernel[0]}x{kernel[1]}"):
            layer.shapes(shape)
        return
    params = in_float64(layer, shape, rng)
    x = rng.normal(size=(n, *shape))
    out, _ = layer.forward(params, x)
    assert out.shape == (n, *layer.shapes(shape)[1])
    assert np.allclose(out, convolved(layer, params, x), rtol=1e-12, atol=1e-12)
    check_layer(layer, shape, seed)


def test_conv2d_gradients_are_those_of_each_window_by_loops(rng):
    layer = Conv2D(2, (3, 2), (2, 1), "same")
    params = in_float64(layer, (5, 4, 3), rng)
    x = rng.normal(size=(3, 5, 4, 3))
    out, cache = layer.forward(params, x)
    dout = rng.normal(size=out.shape)
    grads, dx = layer.backward(params, cache, dout)
    dW, expected = np.zeros_like(params["W"]), np.zeros_like(x)
    for i, j, places in windows_by_loops((5, 4), (3, 2), (2, 1), "same"):
        for p, q, row, column in places:
            dW[p, q] += x[:, row, column].T @ dout[:, i, j]
            expected[:, row, column] += dout[:, i, j] @ params["W"][p, q].T
    assert np.allclose(grads["W"], dW, rtol=1e-12)
    assert np.allclose(grads["b"], dout.sum(axis=(0, 1, 2)), rtol=1e-12)
    assert np.allclose(dx, expected, rtol=1e-12)


def test_conv2d_same_padding_puts_the_odd_pixel_below_and_to_the_right():
    layer = Conv2D(1, 2, padding="same")
    params = {"W": np.ones((2, 2, 1, 1)), "b": np.zeros(1)}
    out, _ = layer.forward(params, np.arange(1.0, 5).reshape(1, 2, 2, 1))
    assert out[0, :, :, 0].tolist() == [[10, 6], [7, 4]]


@pytest.mark.parametrize("rows", [63, 64, 65, 150])
@pytest.mark.parametrize("scratch", [None, 4000])  # few images at a time, or one
def test_conv2d_does_not_depend_on_how_the_batch_is_divided(rows, scratch, rng, monkeypatch):
    if scratch:
        monkeypatch.setattr(convolution_module, "SCRATCH", scratch)
    layer = Conv2D(3, 3, padding="same")
    params = in_float64(layer, (6, 5, 2), rng)
    x = rng.normal(size=(rows, 6, 5, 2))
    out, cache = layer.forward(params, x)
    assert np.allclose(out, convolved(layer, params, x), rtol=1e-12, atol=1e-12)
    dout = rng.normal(size=out.shape)
    grads, dx = layer.backward(params, cache, dout)
    one_by_one = [layer.backward(params, layer.forward(params, x[[r]])[1], dout[[r]]) for r in range(rows)]
    assert np.allclose(grads["W"], sum(each[0]["W"] for each in one_by_one), rtol=1e-10, atol=1e-12)
    assert np.allclose(dx, np.concatenate([each[1] for each in one_by_one]), rtol=1e-10, atol=1e-12)


def test_conv2d_divides_a_batch_into_parts_of_at_most_the_scratch_size(rng, monkeypatch):
    layer = Conv2D(1, 3)
    x = rows_last(rng.normal(size=(100, 8, 8, 2)).astype(np.float32))
    an_image = 8 * 3 * 2 * 6 * 4  # h kw c ow numbers of 4 bytes
    axes = layer._axes((8, 8, 2))
    for scratch, lengths in ((2**24, [64, 36]), (30 * an_image, [30, 30, 30, 10]), (1, [1] * 100)):
        monkeypatch.setattr(convolution_module, "SCRATCH", scratch)
        parts = [images for images, _ in convolution_module._windows(x, *axes)]
        assert [images.stop - images.start for images in parts] == lengths
        assert parts[0].start == 0 and parts[-1].stop == 100


def test_conv2d_initial_weights_use_its_fan_in_and_fan_out(rng):
    W = Conv2D(40, (3, 5), gain=2.0).build((9, 9, 10), rng)[0]["W"]
    limit = 2 * np.sqrt(6 / (15 * 10 + 15 * 40))
    assert W.shape == (3, 5, 10, 40) and W.dtype == np.float32
    assert limit * 0.99 < np.abs(W).max() <= limit * (1 + 1e-6)
    W = Conv2D(40, (3, 5), initializer="he_normal").build((9, 9, 10), rng)[0]["W"]
    assert W.std() == pytest.approx(np.sqrt(2 / 150), rel=0.03)


def test_conv2d_leaves_out_dx_where_it_is_not_needed(rng):
    layer = Conv2D(2, 3)
    params = in_float64(layer, (5, 5, 2), rng)
    out, cache = layer.forward(params, rng.normal(size=(3, 5, 5, 2)))
    grads, dx = layer.backward(params, cache, out)
    only_grads, no_dx = layer.backward(params, cache, out, needs_dx=False)
    assert dx is not None and no_dx is None and np.array_equal(only_grads["W"], grads["W"])


# ---- pooling ----


@settings(max_examples=120)
@given(
    kind=st.sampled_from([MaxPool2D, AveragePool2D]),
    n=st.integers(0, 3),
    shape=st.tuples(sizes, sizes, st.integers(1, 3)),
    size=pairs,
    stride=st.none() | pairs,
    padding=st.sampled_from(["valid", "same"]),
    seed=st.integers(0, 99),
)
def test_pooling_takes_the_pixels_of_each_window(kind, n, shape, size, stride, padding, seed):
    rng = np.random.default_rng(seed)
    layer = kind(size, stride, padding)
    if not fits(shape, size, padding):
        with pytest.raises(ValueError, match=f"at least {size[0]}x{size[1]}"):
            layer.shapes(shape)
        return
    x = rng.normal(size=(n, *shape)) - 3  # below zero, so that no padding may win
    out, _ = layer.forward({}, x)
    assert out.shape == (n, *layer.shapes(shape)[1])
    assert np.allclose(out, pooled(layer, x), rtol=1e-12)
    check_layer(layer, shape, seed)


def test_maxpool2d_gives_the_gradient_of_a_tie_to_the_first_pixel():
    x = np.zeros((1, 4, 4, 1))
    x[0, 0, 1] = x[0, 1, 0] = x[0, 3, 2] = x[0, 3, 3] = 1
    out, cache = MaxPool2D().forward({}, x)
    _, dx = MaxPool2D().backward({}, cache, np.array([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1))
    assert dx[0, :, :, 0].tolist() == [[0, 1, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 4, 0]]


@given(st.integers(0, 99), st.integers(1, 3))
@settings(max_examples=20)
def test_maxpool2d_keeps_the_sum_of_gradients_among_ties(seed, stride):
    rng = np.random.default_rng(seed)
    layer = MaxPool2D(3, stride, "same")
    x = rng.integers(0, 2, (2, 7, 6, 3)).astype(np.float64)
    out, cache = layer.forward({}, x)
    dout = rng.integers(1, 9, out.shape).astype(np.float64)
    _, dx = layer.backward({}, cache, dout)
    assert np.array_equal(dx.sum(axis=(1, 2)), dout.sum(axis=(1, 2)))


def test_averagepool2d_does_not_count_padding():
    out, _ = AveragePool2D(3, 1, "same").forward({}, np.full((1, 4, 5, 1), 7.0))
    assert np.allclose(out, 7, rtol=1e-15)


@given(n=st.integers(0, 3), shape=st.tuples(sizes, sizes, sizes), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_globalaveragepool2d_is_the_mean_of_each_channel(n, shape, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, *shape))
    out, _ = GlobalAveragePool2D().forward({}, x)
    assert out.shape == (n, shape[2])
    assert np.allclose(out, [[image[:, :, c].mean() for c in range(shape[2])] for image in x] or out)
    check_layer(GlobalAveragePool2D(), shape, seed)


# ---- flatten ----


@given(n=st.integers(0, 3), shape=st.lists(st.integers(1, 4), min_size=1, max_size=4), turned=st.booleans())
def test_flatten_gives_c_order_from_any_memory_order(n, shape, turned):
    x = np.random.default_rng(0).normal(size=(n, *shape))
    if turned:
        x = np.ascontiguousarray(x.T).T
    out, cache = Flatten().forward({}, x)
    assert out.shape == (n, *Flatten().shapes(tuple(shape))[1])
    assert np.array_equal(out, x.reshape(n, int(np.prod(shape))))
    dout = np.arange(out.size, dtype=np.float64).reshape(out.shape)
    for each in (dout, np.asfortranarray(dout)):
        _, dx = Flatten().backward({}, cache, each)
        assert dx.shape == x.shape and np.array_equal(dx.ravel(), dout.ravel())
    assert Flatten().backward({}, cache, dout, needs_dx=False) == ({}, None)


def test_flatten_does_not_copy_c_order(rng):
    x = rng.normal(size=(2, 3, 4, 5))
    assert np.shares_memory(Flatten().forward({}, x)[0], x)
