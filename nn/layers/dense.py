"""Fully connected layer: out = x W + b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nn.core.constraints import AT_LEAST_ONE, POSITIVE
from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, row_width
from nn.layers.initializers import INITIALIZER, draw_weights


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer of `units` units: out = x W + b.

    `initializer` None: he_normal before relu and functions like it, else glorot_uniform (nn/models/builder.py). `gain`
    multiplies the initial weights: a sigmoid's derivative is at most 1/4, so the layers before and after one start with
    larger weights. Biases start at zero. Raises ValueError for `units` below 1.
    """

    name: ClassVar[str] = "dense"
    positional: ClassVar[tuple[str, ...]] = ("units",)
    units: Annotated[int, AT_LEAST_ONE]
    initializer: Annotated[str, INITIALIZER] | None = None
    gain: Annotated[float, POSITIVE] = 1.0

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return W (d, units), b (units,) and the output shape (units,)."""
        return {"W": (row_width(input_shape), self.units), "b": (self.units,)}, (self.units,)

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw W; set b to zero."""
        shapes, output_shape = self.shapes(input_shape)
        W = draw_weights(self.initializer, self.gain, rng, shapes["W"], *shapes["W"])  # (d, units)
        return {"W": W, "b": np.zeros(self.units, np.float32)}, output_shape

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Return x W + b, and x as the cache."""
        out = x @ params["W"]  # (n, units)
        out += params["b"]
        return out, x

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dW = x^T dout, db = the column sums of dout, dx = dout W^T."""
        grads = {"W": cache.T @ dout, "b": dout.sum(axis=0)}  # (d, units), (units,)
        dx = dout @ params["W"].T if needs_dx else None  # (n, d)
        return grads, dx
