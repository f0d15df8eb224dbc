"""Check that a layer keeps the contract of nn.layers.base.Layer; made for the tests of a layer of your own.

from nn.layers import check_layer
check_layer(MyLayer(3), (28, 28, 1))
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape
from nn.layers.windows import rows_first, rows_last

ROWS = 4
STEP = 1e-6  # of numerical differences, which are taken in float64
TOLERANCE = 1e-5  # of a slope, relative to the sum of the absolute values that it is the sum of


def check_layer(layer: Layer, input_shape: Shape, seed: int = 0) -> None:
    """Check a layer with random parameters and random rows of `input_shape`. Raises AssertionError.

    - `build` gives float32 parameters of the shapes that `shapes` promises, the same for the same generator.
    - The output has the promised shape and the input's dtype, float32 or float64, for no rows, too.
    - `backward` gives the gradients of `forward`, compared with numerical differences; dx only if it is needed.
    - The same key gives the same output. Only a layer that `is_random` uses the key.
    - No row influences another row's output: rows are spread over blocks and machines.
    - Inputs, parameters, outputs and dout are not changed.
    """
    rng = np.random.default_rng(seed)
    params = _check_build(layer, input_shape, seed)
    x = rng.normal(size=(ROWS, *input_shape))
    if x.ndim == 4:
        # The memory order between image layers, in which writes in place would show.
        x = rows_first(rows_last(x))
    for rows in (x.astype(np.float32), x[:0].astype(np.float32)):
        _check_shapes(layer, params, rows)
    params = {name: value + rng.normal(size=value.shape) for name, value in params.items()}  # float64
    for key in (None, Key((seed,))):
        _check_unchanged(layer, params, x, key)
        once, again = (layer.forward(params, x, key)[0] for _ in range(2))
        expect(np.array_equal(once, again), layer, f"two outputs for the key {key} differ")
        _check_gradients(layer, params, x, key, rng)
    predicted = layer.forward(params, x)[0]
    unused = layer.is_random or np.array_equal(predicted, layer.forward(params, x, Key((seed,)))[0])
    expect(unused, layer, "the key is used, but is_random is False")
    singly = np.concatenate([layer.forward(params, x[[row]])[0] for row in range(ROWS)])
    expect(np.allclose(predicted, singly), layer, "a row's output depends on the other rows")


def expect(holds: bool, subject: Any, message: str) -> None:
    """Raise AssertionError with the name of the subject, or of its class, unless a condition holds."""
    if not holds:
        name = getattr(subject, "name", type(subject).__name__)
        raise AssertionError(f"{name}: {message}")


def describe(value: Any) -> str:
    """Return an array's dtype and shape."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def check_slope(
    function: Callable[[np.ndarray], float], at: np.ndarray, grad: np.ndarray, rng: np.random.Generator
) -> str | None:
    """Compare a gradient with numerical differences along a random direction; return how they differ, or None."""
    direction = rng.normal(size=at.shape)
    slope = (function(at + STEP * direction) - function(at - STEP * direction)) / (2 * STEP)
    terms = grad * direction
    if abs(slope - terms.sum()) <= TOLERANCE * max(1.0, float(np.abs(terms).sum())):
        return None
    return f"along a random direction it is {terms.sum():.7g}, numerical differences give {slope:.7g}"


def _check_build(layer: Layer, input_shape: Shape, seed: int) -> Params:
    promised = layer.shapes(input_shape)
    params, output_shape = layer.build(input_shape, np.random.default_rng(seed))
    again, _ = layer.build(input_shape, np.random.default_rng(seed))
    built = ({name: value.shape for name, value in params.items()}, output_shape)
    expect(built == promised, layer, f"shapes promises {promised}, build gives {built}")
    for name, value in params.items():
        expect(value.dtype == np.float32, layer, f"{name} is {value.dtype}, expected float32")
        expect(np.array_equal(value, again[name]), layer, f"two {name} from the same generator differ")
    return params


def _check_shapes(layer: Layer, params: Params, x: np.ndarray) -> None:
    """Check the dtypes and shapes that come from float32 rows and parameters."""
    out, cache = layer.forward(params, x)
    expected = f"float32 {(len(x), *layer.shapes(x.shape[1:])[1])}"
    expect(describe(out) == expected, layer, f"the output is {describe(out)}, expected {expected}")
    grads, dx = layer.backward(params, cache, out)
    expect(list(grads) == list(params), layer, f"gradients of {list(grads)}, expected {list(params)}")
    for name, grad, like in (("dx", dx, x), *((f"d{name}", grads[name], params[name]) for name in params)):
        expected = describe(like)
        expect(describe(grad) == expected, layer, f"{name} is {describe(grad)}, expected {expected}")
    _, dx = layer.backward(params, cache, out, needs_dx=False)
    expect(dx is None, layer, "backward gives dx although needs_dx is False")


def _check_unchanged(layer: Layer, params: Params, x: np.ndarray, key: Key | None) -> None:
    """Check that no array is overwritten that was passed in, handed out or cached."""
    given = {"x": x, **params}
    before = {name: value.copy() for name, value in given.items()}
    out, cache = layer.forward(params, x, key)
    dout = out + 1
    given |= {"the output": out, "dout": dout}
    before |= {"the output": out.copy(), "dout": dout.copy()}
    (_, dx), (_, again) = (layer.backward(params, cache, dout) for _ in range(2))
    for name, value in given.items():
        expect(np.array_equal(value, before[name]), layer, f"{name} is overwritten")
    expect(np.array_equal(dx, again), layer, "backward overwrites its cache")  # type: ignore[arg-type]


def _check_gradients(
    layer: Layer, params: Params, x: np.ndarray, key: Key | None, rng: np.random.Generator
) -> None:
    out, cache = layer.forward(params, x, key)
    dout = rng.normal(size=out.shape)
    grads, dx = layer.backward(params, cache, dout)

    def loss(name: str, value: np.ndarray) -> float:
        moved = x if name else value
        return float((layer.forward({**params, name: value} if name else params, moved, key)[0] * dout).sum())

    for name, at in (("", x), *params.items()):
        difference = check_slope(partial(loss, name), at, np.asarray(grads[name] if name else dx), rng)
        expect(difference is None, layer, f"d{name or 'x'} is wrong: {difference}")
