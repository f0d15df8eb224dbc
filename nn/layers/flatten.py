"""Lay an image's numbers out in a row: (h, w, c) -> (h w c,), in C order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape


@dataclass(frozen=True)
class Flatten(Layer):
    """Rows of any shape become rows of numbers; a dense layer after a convolution needs it."""

    name: ClassVar[str] = "flatten"

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """No parameters; the product of the sizes."""
        return {}, (math.prod(input_shape),)

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """(n, ...) -> (n, d); a view where x lies in C order, else a copy with the rows of the batch innermost."""
        width = math.prod(x.shape[1:])
        return np.moveaxis(x, 0, -1).reshape(width, len(x)).T, x.shape

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """The same numbers in the image's shape."""
        grads: Params = {}
        return grads, dout.reshape(cache) if needs_dx else None
