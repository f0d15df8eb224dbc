"""The base class of all layers: an immutable description with `forward` and `backward`. It holds no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core import spec
from nn.core.constraints import check_fields
from nn.core.random import Key

Params = dict[str, np.ndarray]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """Base class: a layer without parameters whose output has the shape of its input. Layers override what differs.

    Parameters are passed in and gradients are returned, so that executors hold no state and a task can run twice with
    the same result. Parameters named W are weights: regularization and weight decay apply to them alone, not to biases
    and gains. nn.layers.contract.check_layer checks a layer.
    """

    name: ClassVar[str]
    # The fields that the first value of its word gives (nn.core.spec).
    positional: ClassVar[tuple[str, ...]] = ()
    wants_image: ClassVar[bool] = False  # whether inputs must be images (h, w, c)

    @property
    def is_random(self) -> bool:
        """Whether `forward` draws random numbers in training."""
        return False

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return (the shape of each parameter, the output shape) for inputs of `input_shape`, without the rows n.

        Raises ValueError if the layer does not accept `input_shape`.
        """
        return {}, input_shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Return (initial parameters, float32, with the names and shapes of `shapes`; the output shape)."""
        return {}, self.shapes(input_shape)[1]

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Return (outputs (n, *output_shape), cache for `backward`) for inputs x (n, *input_shape).

        `key` is None when predicting; in training it seeds all random numbers of a random layer. x is not changed.
        """
        raise NotImplementedError

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """Return (gradients by parameter, summed over the rows; dx = d loss / d x) for dout = d loss / d out.

        dx is None unless `needs_dx`: nothing reads it before the first trainable layer. dout and the cache are not
        changed.
        """
        raise NotImplementedError

    def __post_init__(self) -> None:
        """Check the fields that declare which values they may have. Raises ValueError for others."""
        check_fields(self)

    def config(self) -> dict[str, Any]:
        """Return the layer as plain JSON values: its name and its fields."""
        return spec.config(self)

    def __str__(self) -> str:
        return spec.to_text(self)

    @property
    def short_name(self) -> str:
        """The word of the layer without initializer and gain, for tables and messages."""
        return spec.to_text(self, without=("initializer", "gain"))


def is_weight(key: str) -> bool:
    """Return whether a parameter of this name is a weight, to which decay and penalties apply."""
    return key.rpartition(".")[2] == "W"


def image_shape(input_shape: Shape) -> Shape:
    """Return the shape of an image, (h, w, c). Raises ValueError for any other shape."""
    if len(input_shape) != 3:
        raise ValueError(
            f"needs an image (h, w, c), got {describe_shape(input_shape)}; put it before flatten"
        )
    return input_shape


def row_width(input_shape: Shape) -> int:
    """Return the width d of a row of numbers, (d,). Raises ValueError for any other shape."""
    if len(input_shape) != 1:
        raise ValueError(f"needs a row of numbers, got {describe_shape(input_shape)}; put flatten before it")
    return input_shape[0]


def describe_shape(shape: Shape) -> str:
    """Return a shape in words."""
    if len(shape) == 1:
        return f"a row of {shape[0]}"
    return f"an image of {'x'.join(map(str, shape))}"
