"""Dropout: out = x mask / (1 - rate) in training, so that the expectation of out is x."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nn.core.constraints import FROM_0_BELOW_1
from nn.core.random import Key
from nn.layers.base import Layer, Params
from nn.layers.windows import rows_first


@dataclass(frozen=True)
class Dropout(Layer):
    """Set each number to 0 with probability `rate`, in training only (Srivastava et al., 2014).

    The same key and shape give the same mask, whatever the memory order of x. The mask compares 16 random bits per
    number with a threshold, which takes a fifth of the time of a random float per number. `rate` is rounded to
    1/65536, and the rounded rate is divided by, so that the expectation is exactly x. Raises ValueError for a rate
    outside [0, 1).
    """

    name: ClassVar[str] = "dropout"
    positional: ClassVar[tuple[str, ...]] = ("rate",)
    rate: Annotated[float, FROM_0_BELOW_1]

    @property
    def is_random(self) -> bool:
        """Whether the rate is above 0."""
        return self.rate > 0

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Multiply by 0 or 1 / (1 - rate); return x itself without a key."""
        if key is None or not self.is_random:
            return x, None
        threshold = min(max(round((1 - self.rate) * _STEPS), 1), _STEPS - 1)
        factor = np.empty_like(x)  # in the memory order of x
        factor[...] = _random_bits(key, x.shape) < threshold
        factor *= x.dtype.type(_STEPS / threshold)
        return x * factor, factor

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout times the factors of the forward pass."""
        if not needs_dx:
            return {}, None
        return {}, dout if cache is None else dout * cache


_STEPS = 1 << 16


def _random_bits(key: Key, shape: tuple[int, ...]) -> np.ndarray:
    """Draw 16 random bits per number: uint16 of that shape, images in the memory order of convolutions."""
    size = math.prod(shape)
    # Each 64-bit word of the generator is cut into four: its methods for 16 bits take more than twice as long.
    bits = key.generator().bit_generator.random_raw((size + 3) // 4).view(np.uint16)[:size]
    if len(shape) != 4:
        return bits.reshape(shape)  # (n, d)
    n, h, w, c = shape
    return rows_first(bits.reshape(h, c, w, n))  # (n, h, w, c)
