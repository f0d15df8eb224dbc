"""Pooling: out[i, j] = the maximum or the mean of the pixels in window (i, j), for each channel.

One row of outputs is computed at a time, so that intermediate results stay in the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, image_shape
from nn.layers.windows import PADDING, Axis, axes, pair, rows_first, rows_last


@dataclass(frozen=True)
class Pool(Layer):
    """Base class of both kinds of pooling: windows of `size` pixels, `stride` apart; None means `size`.

    Padding "valid" keeps the windows inside the image. "same" makes ceil(image size / stride) of them along each axis;
    those at the edges contain fewer pixels. Raises ValueError for sizes below 1 and for an unknown padding.
    """

    positional: ClassVar[tuple[str, ...]] = ("size",)
    wants_image: ClassVar[bool] = True
    size: int | tuple[int, int] = (2, 2)
    stride: int | tuple[int, int] | None = None
    padding: Annotated[str, PADDING] = "valid"

    def __post_init__(self) -> None:
        super().__post_init__()
        kind = type(self).__name__
        size = pair(f"{kind} size", self.size)
        stride = size if self.stride is None else pair(f"{kind} stride", self.stride)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "stride", None if stride == size else stride)  # equal layers compare equal

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return no parameters and (oh, ow, c). Raises ValueError for an image smaller than a window."""
        down, along = self._axes(input_shape)
        return {}, (down.count, along.count, input_shape[2])

    def _axes(self, input_shape: Shape) -> tuple[Axis, Axis]:
        size = pair("size", self.size)
        stride = size if self.stride is None else pair("stride", self.stride)
        return axes(input_shape, size, stride, self.padding)


@dataclass(frozen=True)
class MaxPool2D(Pool):
    """The maximum of each window (Ranzato et al., 2007).

    Windows are `stride` apart, by default their own size. The gradient goes to the largest pixel; of equal ones, to
    the first in reading order.
    """

    name: ClassVar[str] = "maxpool2d"

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, h, w, c) to (n, oh, ow, c)."""
        down, along = self._axes(x.shape[1:])
        x = rows_last(x)  # (h, c, w, n)
        out = np.full((down.count, x.shape[1], along.count, x.shape[3]), -np.inf, x.dtype)
        for row, best in enumerate(out):
            column_maxima = x[down.seen(row)].max(axis=0)  # (c, w, n)
            for _, outputs, pixels in along.taps():
                np.maximum(best[:, outputs], column_maxima[:, pixels], out=best[:, outputs])
        return rows_first(out), (x, out)

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout at the largest pixel of each window, 0 elsewhere."""
        if not needs_dx:
            return {}, None
        x, out = cache
        h, c, w, _ = x.shape
        down, along = self._axes((h, w, c))
        dx = np.zeros_like(x)
        apart = down.stride >= down.kernel and along.stride >= along.kernel  # no pixel is in two windows
        for row, (best, dbest) in enumerate(zip(out, rows_last(dout), strict=True)):
            seen = down.seen(row)
            rest = dbest.copy()  # set to 0 where a pixel got it, so that no equal pixel gets it as well
            for pixels, dpixels in zip(x[seen], dx[seen], strict=True):
                for _, outputs, columns in along.taps():
                    is_best = pixels[:, columns] == best[:, outputs]
                    target = dpixels[:, columns]
                    share = np.multiply(rest[:, outputs], is_best, out=target if apart else None)
                    if not apart:
                        target += share
                    rest[:, outputs] -= share
        return {}, rows_first(dx)


@dataclass(frozen=True)
class AveragePool2D(Pool):
    """The mean of each window, without the padding (LeCun et al., 1989).

    Windows are `stride` apart, by default their own size.
    """

    name: ClassVar[str] = "averagepool2d"

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, h, w, c) to (n, oh, ow, c)."""
        down, along = self._axes(x.shape[1:])
        shape, x = x.shape[1:], rows_last(x)  # (h, c, w, n)
        out = np.zeros((down.count, x.shape[1], along.count, x.shape[3]), x.dtype)
        for row, total in enumerate(out):
            column_totals = x[down.seen(row)].sum(axis=0)  # (c, w, n)
            for _, outputs, pixels in along.taps():
                total[:, outputs] += column_totals[:, pixels]
        out *= _shares(down, along, x.dtype)
        return rows_first(out), shape

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = the sum of dout / (pixels of the window) over the windows that contain a pixel."""
        if not needs_dx:
            return {}, None
        h, w, c = cache
        down, along = self._axes(cache)
        shares = rows_last(dout) * _shares(down, along, dout.dtype)  # (oh, c, ow, n)
        dx = np.zeros((h, c, w, len(dout)), dout.dtype)
        for row, share in enumerate(shares):
            unfolded = np.zeros(dx.shape[1:], dout.dtype)  # (c, w, n)
            for _, outputs, pixels in along.taps():
                unfolded[:, pixels] += share[:, outputs]
            dx[down.seen(row)] += unfolded
        return {}, rows_first(dx)


def _shares(down: Axis, along: Axis, dtype: np.dtype) -> np.ndarray:
    """Return 1 / (number of pixels) of each window, (oh, 1, ow, 1)."""
    rows, columns = (
        np.array([axis.seen(index).stop - axis.seen(index).start for index in range(axis.count)])
        for axis in (down, along)
    )
    return (1 / (rows[:, None] * columns)).astype(dtype)[:, None, :, None]


@dataclass(frozen=True)
class GlobalAveragePool2D(Layer):
    """The mean of each channel over the image: (h, w, c) -> (c,) (Lin, Chen and Yan, 2014)."""

    name: ClassVar[str] = "globalaveragepool2d"
    wants_image: ClassVar[bool] = True

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return no parameters and (c,)."""
        return {}, image_shape(input_shape)[2:]

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, h, w, c) to (n, c)."""
        return x.mean(axis=(1, 2)), x.shape

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout / (h w) at every pixel."""
        if not needs_dx:
            return {}, None
        n, h, w, c = cache
        dx = np.empty((h, c, w, n), dout.dtype)
        dx[...] = (dout.T / dout.dtype.type(h * w))[:, None]  # (c, 1, n)
        return {}, rows_first(dx)
