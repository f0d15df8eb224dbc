"""Flatten images to rows: (h, w, c) -> (h w c,), in C order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape


@dataclass(frozen=True)
class Flatten(Layer):
    """Reshape images to rows of numbers, for a dense layer after convolutions."""

    name: ClassVar[str] = "flatten"

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return no parameters and the product of the sizes."""
        return {}, (math.prod(input_shape),)

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, ...) to (n, d): a view if x is in C order, else a copy in Fortran order."""
        width = math.prod(x.shape[1:])
        return np.moveaxis(x, 0, -1).reshape(width, len(x)).T, x.shape

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout in the shape of the images."""
        grads: Params = {}
        return grads, dout.reshape(cache) if needs_dx else None
