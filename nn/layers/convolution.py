"""2-D convolution: out[i, j] = sum over p, q of x[i + p, j + q] W[p, q] + b.

One row of outputs is W^T times the matrix (kh kw c, ow n) of all its windows (im2col). Pixels are unfolded along the
width only, to (h, kw c, ow n). There, kh consecutive image rows are that matrix without a copy, so each pixel is copied
kw times instead of kh kw times. In the backward pass, dW is the sum of windows dout^T over the rows of outputs. The
gradient of an image row is one product of W with all rows of dout whose windows contain it, folded along the width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nn.core.constraints import AT_LEAST_ONE, POSITIVE
from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape
from nn.layers.initializers import INITIALIZER, draw_weights
from nn.layers.windows import PADDING, Axis, axes, pair, rows_first, rows_last


@dataclass(frozen=True)
class Conv2D(Layer):
    """`filters` kernels of (height, width) pixels, moved over an image in steps of `stride` (LeCun et al., 1989).

    Padding "valid" keeps the windows inside the image. "same" pads with zeros, so that the output has
    ceil(size / stride) rows and columns. `initializer` and `gain` are as in Dense. Raises ValueError for sizes below 1
    and for unknown names.
    """

    name: ClassVar[str] = "conv2d"
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel")
    wants_image: ClassVar[bool] = True
    filters: Annotated[int, AT_LEAST_ONE]
    kernel: int | tuple[int, int]
    stride: int | tuple[int, int] = (1, 1)
    padding: Annotated[str, PADDING] = "valid"
    initializer: Annotated[str, INITIALIZER] | None = None
    gain: Annotated[float, POSITIVE] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "kernel", pair("Conv2D kernel", self.kernel))
        object.__setattr__(self, "stride", pair("Conv2D stride", self.stride))

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return W (kh, kw, c, f), b (f,) and (oh, ow, f). Raises ValueError for an image smaller than the kernel."""
        down, along = self._axes(input_shape)
        W = (down.kernel, along.kernel, input_shape[2], self.filters)
        return {"W": W, "b": (self.filters,)}, (down.count, along.count, self.filters)

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw W, with fan_in kh kw c and fan_out kh kw f; set b to zero."""
        shapes, output_shape = self.shapes(input_shape)
        kh, kw, c, f = shapes["W"]
        W = draw_weights(self.initializer, self.gain, rng, shapes["W"], kh * kw * c, kh * kw * f)
        return {"W": W, "b": np.zeros(f, np.float32)}, output_shape

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, h, w, c) to (n, oh, ow, f); the cache is x as (h, c, w, n)."""
        down, along = self._axes(x.shape[1:])
        x = rows_last(x)  # (h, c, w, n)
        W = np.ascontiguousarray(params["W"].reshape(-1, self.filters).T)  # (f, kh kw c)
        b = params["b"][:, None, None]
        out = np.empty((down.count, self.filters, along.count, x.shape[3]), x.dtype)
        for images, windows in _windows(x, down, along):
            for row, seen in zip(out[..., images], windows, strict=True):
                np.add((W @ seen).reshape(row.shape), b, out=row)  # (f, ow, m)
        return rows_first(out), x

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dW = sum of windows dout^T, db = sum of dout, dx = W dout, folded."""
        h, c, w, _ = cache.shape
        down, along = self._axes((h, w, c))
        dout = rows_last(dout)  # (oh, f, ow, n)
        dW = _weight_gradient(cache, dout, down, along)  # (kh kw c, f)
        grads = {"W": dW.reshape(params["W"].shape), "b": dout.sum(axis=(0, 2, 3))}
        dx = rows_first(_input_gradient(params["W"], dout, down, along)) if needs_dx else None
        return grads, dx

    def _axes(self, input_shape: Shape) -> tuple[Axis, Axis]:
        return axes(input_shape, pair("kernel", self.kernel), pair("stride", self.stride), self.padding)


IMAGES = 64  # unfolded at a time: enough for BLAS to be fast, few enough for the processor's cache
SCRATCH = 2**24  # bytes for the unfolded images; of large images fewer are unfolded at a time


def _windows(x: np.ndarray, down: Axis, along: Axis) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (images, windows) for parts of m images of the batch: a slice, and an array (oh, kh kw c, ow m).

    The windows are overlapping views of one array. The next part overwrites it.
    """
    _, c, _, n = x.shape
    an_image = down.padded * along.kernel * c * along.count  # numbers
    size = max(1, min(IMAGES, SCRATCH // (an_image * x.itemsize)))
    x = x[: down.inside.stop - down.inside.start]
    for start in range(0, n, size):
        images = slice(start, min(start + size, n))
        m = images.stop - start
        if start == 0 or m < size:
            unfolded = np.zeros((down.padded, along.kernel, c, along.count, m), x.dtype)  # padding stays zero
        for k, outputs, pixels in along.taps():
            unfolded[down.inside, k, :, outputs] = x[:, :, pixels, images]
        shape = (down.count, down.kernel * along.kernel * c, along.count * m)
        strides = (down.stride * unfolded.strides[0], along.count * m * x.itemsize, x.itemsize)
        yield images, as_strided(unfolded, shape, strides, writeable=False)


def _weight_gradient(x: np.ndarray, dout: np.ndarray, down: Axis, along: Axis) -> np.ndarray:
    """Return dW: the products of windows and dout, summed over images and output pixels, (kh kw c, f)."""
    f = dout.shape[1]
    dW = np.zeros((down.kernel * along.kernel * x.shape[1], f), x.dtype)
    for images, windows in _windows(x, down, along):
        for row, seen in zip(dout[..., images], windows, strict=True):
            dW += seen @ row.reshape(f, seen.shape[1]).T
    return dW


def _input_gradient(W: np.ndarray, dout: np.ndarray, down: Axis, along: Axis) -> np.ndarray:
    """Return dx (h, c, w, n): one product for each image row, folded along the width."""
    _, kw, c, f = W.shape
    ow, n = dout.shape[2:]
    dx = np.zeros((down.size, c, along.size, n), dout.dtype)
    weights: dict[tuple[int, ...], np.ndarray] = {}  # shared by all rows that are not near an edge
    for pixel, dpixels in enumerate(dx):
        rows = down.seeing(pixel)
        # The row of W that each window applies to this image row.
        through = tuple(pixel + down.before - row * down.stride for row in rows)
        if not rows:
            continue
        if through not in weights:
            weights[through] = W[list(through)].transpose(1, 2, 0, 3).reshape(kw * c, len(rows) * f)
        seen = dout[rows.start : rows.stop].reshape(len(rows) * f, ow * n)
        unfolded = (weights[through] @ seen).reshape(kw, c, ow, n)
        for k, outputs, pixels in along.taps():
            dpixels[:, pixels] += unfolded[k, :, outputs]
    return dx
