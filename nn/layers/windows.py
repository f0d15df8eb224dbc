"""Windows over an image: along an axis, window j contains the pixels j stride + k - before, k = 0 .. kernel - 1.

`before` is the padding ahead of the first pixel. Between image layers, arrays of shape (n, h, w, c) have the memory
order (h, c, w, n), the rows of the batch innermost. NumPy then works on runs of w n numbers, and consecutive rows of an
image are a matrix without a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nn.core.constraints import AT_LEAST_ONE, OneOf
from nn.layers.base import Shape, describe_shape, image_shape

Pair = tuple[int, int]
PADDING = OneOf(("valid", "same"))


@dataclass(frozen=True)
class Axis:
    """`count` windows of `kernel` pixels, `stride` apart, over `size` pixels with `before` pixels of padding ahead."""

    size: int
    kernel: int
    stride: int
    count: int
    before: int

    @property
    def padded(self) -> int:
        """The number of pixels from the first window to the last, padding included."""
        return (self.count - 1) * self.stride + self.kernel

    @property
    def inside(self) -> slice:
        """The image's pixels among these."""
        return slice(self.before, min(self.before + self.size, self.padded))

    def seen(self, window: int) -> slice:
        """Return the image's pixels in one window."""
        start = window * self.stride - self.before
        return slice(max(0, start), min(self.size, start + self.kernel))

    def seeing(self, pixel: int) -> range:
        """Return the windows that contain one pixel of the image."""
        position = pixel + self.before
        first = max(0, (position - self.kernel) // self.stride + 1)
        return range(first, min(self.count, position // self.stride + 1))

    def taps(self) -> Iterator[tuple[int, slice, slice]]:
        """Yield (k, windows, pixels) for each k: the windows whose pixel k is inside the image, and these pixels.

        A k without such windows is left out.
        """
        for k in range(self.kernel):
            shift = k - self.before
            first = max(0, -(shift // self.stride))
            end = min(self.count, (self.size - 1 - shift) // self.stride + 1)
            if first < end:
                pixels = slice(first * self.stride + shift, (end - 1) * self.stride + shift + 1, self.stride)
                yield k, slice(first, end), pixels


def axes(input_shape: Shape, kernel: Pair, stride: Pair, padding: str) -> tuple[Axis, Axis]:
    """Return the windows along the height and the width of an image (h, w, c).

    "valid" keeps them inside. "same" makes ceil(size / stride) of them and pads evenly, an odd pixel below or to the
    right, as in TensorFlow. Raises ValueError for a shape that is not an image or is too small.
    """
    h, w, _ = image_shape(input_shape)
    if padding == "valid" and (h < kernel[0] or w < kernel[1]):
        raise ValueError(
            f"needs an image of at least {kernel[0]}x{kernel[1]}, got {describe_shape(input_shape)}"
        )
    return _axis(h, kernel[0], stride[0], padding), _axis(w, kernel[1], stride[1], padding)


def _axis(size: int, kernel: int, stride: int, padding: str) -> Axis:
    if padding == "valid":
        return Axis(size, kernel, stride, (size - kernel) // stride + 1, 0)
    count = -(-size // stride)
    return Axis(size, kernel, stride, count, max(0, (count - 1) * stride + kernel - size) // 2)


def rows_last(images: np.ndarray) -> np.ndarray:
    """Return (n, h, w, c) as (h, c, w, n) in C order, without a copy if the memory order is that already."""
    return np.ascontiguousarray(images.transpose(1, 3, 2, 0))


def rows_first(images: np.ndarray) -> np.ndarray:
    """Return (h, c, w, n) as (n, h, w, c), without a copy."""
    return images.transpose(3, 0, 2, 1)


def pair(name: str, value: object) -> Pair:
    """Return (height, width) for one or two integers of at least 1. Raises ValueError, with `name`, for others."""
    sizes = value if isinstance(value, tuple) else (value, value)
    if len(sizes) != 2 or any(size not in AT_LEAST_ONE for size in sizes):
        raise ValueError(f"{name} must be one or two whole numbers of at least 1, got {value!r}")
    return sizes
