"""Stack layers into a network: an immutable description that turns inputs into outputs with given parameters.

inputs (n, ...) -> prepare -> x_0 (n, *input_shape) -> layer 0 -> ... -> layer L-1 -> outputs (n, k) -> link -> shares
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.core import spec
from nn.layers import Layer, layer_from_config
from nn.layers.base import WrongKindError, describe_shape
from nn.models.losses import LOSSES, CrossEntropy, Loss

# Each map stage of the chain nests one more function in what Spark pickles; beyond about 130 that fails.
MAX_LAYERS = 60

Params = list[dict[str, np.ndarray]]


@dataclass(frozen=True)
class Sequential:
    """Layers applied one after the other, the loss they are trained on, and the scale of their inputs.

    `scale` is what raw inputs are divided by before the first layer, in training and prediction alike.
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]
    loss: Loss = field(default_factory=CrossEntropy)
    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "input_shape", _shape(self.input_shape))
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise ValueError(f"a network must have 1 to {MAX_LAYERS} layers, got {len(self.layers)}")
        is_number = isinstance(self.scale, (int, float)) and not isinstance(self.scale, bool)
        if not (is_number and 0 < self.scale < math.inf):
            raise ValueError(f"the scale of the inputs must be a finite number above 0, got {self.scale!r}")

    def init(self, seed: int) -> Params:
        """Draw start values: one dict of float32 arrays per layer, a function of the seed and the shapes."""
        self.shapes()  # a layer that does not fit is told by name before anything is drawn
        params, shape = [], self.input_shape
        for index, layer in enumerate(self.layers):
            values, shape = layer.build(shape, np.random.default_rng([_START_VALUES, seed, index]))
            params.append(values)
        return params

    def shapes(self) -> list[tuple[dict[str, tuple[int, ...]], tuple[int, ...]]]:
        """(the parameters' shapes, the output's shape) of each layer, without the rows; nothing is drawn.

        Raises ValueError, with the layer's number from 1, where a layer cannot take what comes from the one before.
        """
        found, shape = [], self.input_shape
        for number, layer in enumerate(self.layers, 1):
            try:
                needed, shape = layer.shapes(shape)
            except ValueError as error:
                raise type(error)(f"layer {number} {layer.short_name}: {error}") from None
            found.append((needed, shape))
        if len(shape) != 1:
            last = f"layer {len(self.layers)} {self.layers[-1].short_name}"
            raise WrongKindError(f"{last}: the last layer must give a row, got {describe_shape(shape)}")
        return found

    @property
    def first_trainable(self) -> int:
        """The index of the first layer that learns; no layer before it needs d loss / d x."""
        learning = (index for index, (needed, _) in enumerate(self.shapes()) if needed)
        return next(learning, len(self.layers))

    @property
    def classes(self) -> int:
        """How many classes the outputs tell apart."""
        return self.loss.classes(self.output_shapes()[-1][0])

    def prepare(self, inputs: np.ndarray) -> np.ndarray:
        """Turn raw inputs (n, ...) of any number type into float32 (n, *input_shape), divided by the scale."""
        width = math.prod(self.input_shape)
        if inputs.ndim < 2 or math.prod(inputs.shape[1:]) != width:
            raise ValueError(f"expected rows of {width} values, got an array of shape {inputs.shape}")
        x = inputs.astype(np.float32)
        if self.scale != 1.0:
            x *= np.float32(1.0 / self.scale)
        return x.reshape(len(x), *self.input_shape)

    def forward(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """Outputs (n, k) of raw inputs (n, ...), as in training."""
        x = self.prepare(inputs)
        for layer, values in zip(self.layers, params, strict=True):
            x, _ = layer.forward(values, x)
        return x

    def predict_proba(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """Shares of the classes, (n, k), each row summing to 1."""
        return self.loss.probabilities(self.forward(params, inputs))

    def predict(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """The class that the outputs speak for, (n,)."""
        return self.loss.predict(self.forward(params, inputs))

    def output_shapes(self) -> list[tuple[int, ...]]:
        """The shape that leaves each layer, without the rows."""
        return [shape for _, shape in self.shapes()]

    def summary(self) -> str:
        """A table: layer, output shape, parameters."""
        rows = [("layer", "output", "parameters"), ("input", _text(self.input_shape), "")]
        total = 0
        for number, (layer, (needed, shape)) in enumerate(zip(self.layers, self.shapes(), strict=True), 1):
            count = sum(math.prod(each) for each in needed.values())
            total += count
            rows.append((f"{number:<3}{layer.short_name}", _text(shape), f"{count:,}"))
        rows.append(("total", "", f"{total:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = (f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows)
        return "\n".join(line.rstrip() for line in lines)

    def config(self) -> dict[str, Any]:
        """Enough to build the network again with `from_config`; plain JSON values."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [layer.config() for layer in self.layers],
            "loss": spec.config(self.loss),
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """Build what `config()` described; ValueError names what is missing or unknown."""
        try:
            layers, shape, loss = config["layers"], config["input_shape"], config["loss"]
        except KeyError as error:
            raise ValueError(f"the network's description lacks {error}") from None
        if not isinstance(layers, list):
            raise ValueError(f"the network's layers: expected a list, found {type(layers).__name__}")
        built = tuple(map(layer_from_config, layers))
        return cls(built, shape, spec.from_config(loss, LOSSES, "loss"), config.get("scale", 1.0))


_START_VALUES = 1  # the purpose number that opens the key of every start value


def _shape(sizes: Any) -> tuple[int, ...]:
    """An input shape of whole numbers above 0; ValueError for anything else."""
    whole = isinstance(sizes, (tuple, list)) and all(
        isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size > 0 for size in sizes
    )
    if not whole or not 1 <= len(sizes) <= 3:
        raise ValueError(f"the input shape must be one to three whole numbers above 0, got {sizes!r}")
    return tuple(int(size) for size in sizes)


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
