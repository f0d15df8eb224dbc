"""What every layer is: an immutable description with a forward and a backward rule, and no arrays in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np

Params = dict[str, np.ndarray]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer without parameters whose output has its input's shape; others override what differs.

    Parameters are passed in and gradients handed back, so that an executor holds no state and a task
    can run twice with the same result.
    """

    name: ClassVar[str]

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw the start values; shapes leave out the rows.

        Raises ValueError where the layer cannot take `input_shape`.
        """
        return {}, input_shape

    def forward(self, params: Params, x: np.ndarray, training: Any = None) -> tuple[np.ndarray, Any]:
        """Map (n, *input_shape) to (n, *output_shape); the cache is what `backward` needs.

        `training` is None when predicting, else what a random layer draws its key from.
        """
        raise NotImplementedError

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, want_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """Map d loss / d out to (gradients summed over the rows, d loss / d x).

        A part that is not wanted is not computed: the first layer is asked for no dx, a frozen one
        for no gradients.
        """
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Enough to build the layer again: its registered name and its fields."""
        return {"name": self.name, **asdict(self)}
