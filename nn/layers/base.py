"""What every layer is: an immutable description with a forward and a backward rule, and no arrays in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core import spec
from nn.core.random import Key

Params = dict[str, np.ndarray]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A layer without parameters whose output has its input's shape; others override what differs.

    Parameters are passed in and gradients handed back, so that an executor holds no state and a task
    can run twice with the same result. Parameters named W are weights, which penalties and weight decay
    shrink; all others (biases, scales) are left out of these.
    """

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()  # the fields that nn.core.spec reads from the first value
    wants_image: ClassVar[bool] = False  # whether rows must be images (h, w, c)

    @property
    def is_random(self) -> bool:
        """Whether training draws random numbers here."""
        return False

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """(the parameters' shapes, the output's shape) for rows of `input_shape`; shapes leave out the rows.

        Raises ValueError where the layer cannot take `input_shape`.
        """
        return {}, input_shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """(start values, float32, with the names and shapes that `shapes` gives; the output's shape)."""
        return {}, self.shapes(input_shape)[1]

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map (n, *input_shape) to (n, *output_shape); the cache is what `backward` needs.

        `key` is None when predicting, else the source of all random numbers of a random layer. x is not changed.
        """
        raise NotImplementedError

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """Map dout = d loss / d out to (gradients, summed over the rows; dx = d loss / d x).

        dx is None unless `needs_dx`: the first layer that learns needs none. dout and the cache are not changed.
        """
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Enough to build the layer again: its registered name and its fields."""
        return spec.config(self)

    def __str__(self) -> str:
        return spec.to_text(self)

    @property
    def short_name(self) -> str:
        """Its word without its start values, for tables and messages."""
        return spec.to_text(self, without=("initializer", "gain"))


class WrongKindError(ValueError):
    """A layer that wants images got plain rows, or the other way round, whatever their size."""


def is_weight(key: str) -> bool:
    """Whether a parameter of this name is a weight, which decay and penalties shrink."""
    return key.rpartition(".")[2] == "W"


def image_shape(input_shape: Shape) -> Shape:
    """The shape, if it is an image's (h, w, c); else a ValueError that says what is needed."""
    if len(input_shape) != 3:
        raise WrongKindError(
            f"needs an image (h, w, c), got {describe_shape(input_shape)}; put it before flatten"
        )
    return input_shape


def row_width(input_shape: Shape) -> int:
    """The width, if the shape is a plain row's (d,); else a ValueError that says what is needed."""
    if len(input_shape) != 1:
        raise WrongKindError(
            f"needs a row of numbers, got {describe_shape(input_shape)}; put flatten before it"
        )
    return input_shape[0]


def describe_shape(shape: Shape) -> str:
    """A shape in words."""
    if len(shape) == 1:
        return f"a row of {shape[0]}"
    return f"an image of {'x'.join(map(str, shape))}"
