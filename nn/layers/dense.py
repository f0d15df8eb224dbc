"""Connect every input with every unit: out = x W + b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, row_width
from nn.layers.initializers import check_start, draw


@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer of `units` units.

    `initializer` None leaves the choice to nn/models/builder.py, which sees what follows; alone it is Glorot's uniform
    draw. `gain` multiplies the drawn start values: a sigmoid's slope is at most 1/4, so layers around one start
    larger. Biases start at zero.
    """

    name: ClassVar[str] = "dense"
    positional: ClassVar[tuple[str, ...]] = ("units",)
    units: int
    initializer: str | None = None
    gain: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.units, bool) or not isinstance(self.units, int) or self.units < 1:
            raise ValueError(f"Dense units must be a whole number of at least 1, got {self.units!r}")
        check_start(self.initializer, self.gain)

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """W (d, units), b (units,)."""
        return {"W": (row_width(input_shape), self.units), "b": (self.units,)}, (self.units,)

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw W, with the biases at zero."""
        shapes, output_shape = self.shapes(input_shape)
        W = draw(self.initializer, self.gain, rng, shapes["W"], *shapes["W"])  # (d, units)
        return {"W": W, "b": np.zeros(self.units, np.float32)}, output_shape

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Return x W + b, and x for the way back."""
        out = x @ params["W"]  # (n, units)
        out += params["b"]
        return out, x

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dW = x^T dout, db = the column sums of dout, dx = dout W^T."""
        grads: Params = {}
        if want_grads:
            grads = {"W": cache.T @ dout, "b": dout.sum(axis=0)}  # (d, units), (units,)
        dx = dout @ params["W"].T if needs_dx else None  # (n, d)
        return grads, dx
