"""Silence a random share of the numbers in training: out = x mask / (1 - rate), so that its mean stays x's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape
from nn.layers.windows import rows_first


@dataclass(frozen=True)
class Dropout(Layer):
    """Each number becomes 0 with probability `rate`, in training only (Srivastava et al., 2014).

    The same key and shape give the same mask, however x lies in memory. The share is kept to 1/65536: the mask
    compares 16 random bits a number with a threshold, a fifth of what a float a number costs, and divides by the
    threshold's own share, so that the expectation is exactly x. Raises ValueError for a rate outside [0, 1).
    """

    name: ClassVar[str] = "dropout"
    positional: ClassVar[tuple[str, ...]] = ("rate",)
    rate: float

    def __post_init__(self) -> None:
        is_number = isinstance(self.rate, (int, float)) and not isinstance(self.rate, bool)
        if not (is_number and 0 <= self.rate < 1):
            raise ValueError(f"Dropout rate must be in [0, 1), got {self.rate!r}")

    @property
    def is_random(self) -> bool:
        """Whether anything can drop."""
        return self.rate > 0

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Multiply by 0 or 1 / (1 - rate); without a key, hand x on."""
        if training is None or not self.is_random:
            return x, None
        threshold = min(max(round((1 - self.rate) * _STEPS), 1), _STEPS - 1)
        factor = np.empty_like(x)  # lies in memory as x does
        factor[...] = _draw(training, x.shape) < threshold
        factor *= x.dtype.type(_STEPS / threshold)
        return x * factor, factor

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout times the same factors."""
        if not needs_dx:
            return {}, None
        return {}, dout if cache is None else dout * cache


_STEPS = 1 << 16


def _draw(key: Key, shape: Shape) -> np.ndarray:
    """16 random bits a number, uint16 of that shape; an image's lie as convolutions leave them."""
    size = math.prod(shape)
    # The generator's own 64-bit words are cut in four: its methods for 16 bits take more than twice as long.
    bits = key.generator().bit_generator.random_raw((size + 3) // 4).view(np.uint16)[:size]
    if len(shape) != 4:
        return bits.reshape(shape)  # (n, d)
    n, h, w, c = shape
    return rows_first(bits.reshape(h, c, w, n))  # (n, h, w, c)
