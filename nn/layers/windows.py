"""Lay windows over an image: window j along an axis sees the pixels j stride + k - before, k = 0 .. kernel - 1.

`before` is the padding ahead of the first pixel. Between image layers arrays of the shape (n, h, w, c) lie in memory as
(h, c, w, n), the rows of the batch innermost: then NumPy works along runs of w n numbers, and rows of an image on each
other are a matrix as they lie.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nn.layers.base import Shape, describe_shape, image_shape

Pair = tuple[int, int]
PADDINGS = ("valid", "same")


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
        """How many pixels the windows span, padding included."""
        return (self.count - 1) * self.stride + self.kernel

    @property
    def inside(self) -> slice:
        """Where the image's pixels lie in that span."""
        return slice(self.before, min(self.before + self.size, self.padded))

    def seen(self, window: int) -> slice:
        """The image's pixels that one window sees."""
        start = window * self.stride - self.before
        return slice(max(0, start), min(self.size, start + self.kernel))

    def seeing(self, pixel: int) -> range:
        """The windows that see one pixel of the image."""
        place = pixel + self.before
        first = max(0, (place - self.kernel) // self.stride + 1)
        return range(first, min(self.count, place // self.stride + 1))

    def taps(self) -> Iterator[tuple[int, slice, slice]]:
        """For each k: (k, the windows whose pixel k is one of the image's, these pixels); none, left out."""
        for k in range(self.kernel):
            shift = k - self.before
            first = max(0, -(shift // self.stride))
            end = min(self.count, (self.size - 1 - shift) // self.stride + 1)
            if first < end:
                pixels = slice(first * self.stride + shift, (end - 1) * self.stride + shift + 1, self.stride)
                yield k, slice(first, end), pixels


def axes(input_shape: Shape, kernel: Pair, stride: Pair, padding: str) -> tuple[Axis, Axis]:
    """The windows down and along an image (h, w, c).

    "valid" keeps them inside; "same" makes ceil(size / stride) of them and pads evenly, an odd pixel below or to the
    right, as TensorFlow does. Raises ValueError where the shape is no image or one too small.
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
    """(n, h, w, c) as (h, c, w, n) in C order; a copy only where it does not lie so already."""
    return np.ascontiguousarray(images.transpose(1, 3, 2, 0))


def rows_first(images: np.ndarray) -> np.ndarray:
    """(h, c, w, n) as (n, h, w, c), without a copy."""
    return images.transpose(3, 0, 2, 1)


def pair(what: str, value: object) -> Pair:
    """(height, width) from one whole number for both or from two; else ValueError, which says of `what`."""
    sizes = value if isinstance(value, tuple) else (value, value)
    if len(sizes) != 2 or any(type(size) is not int or size < 1 for size in sizes):
        raise ValueError(f"{what} must be one or two whole numbers of at least 1, got {value!r}")
    return sizes


def check_padding(what: str, value: object) -> None:
    """ValueError, which says of `what`, unless the value is a way of padding."""
    if not isinstance(value, str) or value not in PADDINGS:
        raise ValueError(f"{what} must be one of {', '.join(PADDINGS)}, got {value!r}")
