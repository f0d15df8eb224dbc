"""Stack layers into a network: an immutable description that turns inputs into outputs with given parameters.

inputs (n, ...) -> prepare -> x_0 (n, *input_shape) -> layer 0 -> ... -> layer L-1 -> outputs (n, k) -> link -> shares
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn import tree
from nn.layers import Dense, Layer, Sigmoid, layer_from_config
from nn.losses import LOSSES, CrossEntropy, HalfSquaredError, Loss

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

    def __post_init__(self):
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "input_shape", tuple(int(size) for size in self.input_shape))
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise ValueError(f"a network must have 1 to {MAX_LAYERS} layers, got {len(self.layers)}")
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise ValueError(f"the scale of the inputs must be a finite number above 0, got {self.scale!r}")

    def init(self, seed: int) -> Params:
        """Draw start values: one dict of float32 arrays per layer, a function of the seed and the shapes."""
        params, shape = [], self.input_shape
        for index, layer in enumerate(self.layers):
            try:
                values, shape = layer.build(shape, np.random.default_rng([_START_VALUES, seed, index]))
            except ValueError as error:
                raise ValueError(f"layer {index} {layer.name}: {error}") from None
            params.append(values)
        return params

    def prepare(self, inputs: np.ndarray) -> np.ndarray:
        """Turn raw inputs (n, ...) of any number type into float32 (n, *input_shape), divided by the scale."""
        width = int(np.prod(self.input_shape))
        if inputs.ndim < 2 or int(np.prod(inputs.shape[1:])) != width:
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
        return self.loss.link(self.forward(params, inputs))

    def predict(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """The class with the largest output, (n,)."""
        return np.argmax(self.forward(params, inputs), axis=1)

    def output_shapes(self) -> list[tuple[int, ...]]:
        """The shape that leaves each layer, without the rows."""
        shapes, shape = [], self.input_shape
        for layer in self.layers:
            _, shape = layer.build(shape, np.random.default_rng(0))
            shapes.append(shape)
        return shapes

    def summary(self) -> str:
        """A table: layer, output shape, parameters."""
        counts = [tree.count(values) for values in self.init(0)]
        rows = [("layer", "output", "parameters")]
        rows += [
            (f"{index} {layer.name}", "x".join(map(str, shape)), f"{count:,}")
            for index, (layer, shape, count) in enumerate(
                zip(self.layers, self.output_shapes(), counts, strict=True)
            )
        ]
        rows.append(("total", "", f"{sum(counts):,}"))
        return "\n".join(f"{name:<14}{shape:>10}{count:>14}" for name, shape, count in rows)

    def config(self) -> dict[str, Any]:
        """Enough to build the network again with `from_config`; plain JSON values."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [layer.config() for layer in self.layers],
            "loss": self.loss.name,
            "scale": self.scale,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """Build what `config()` described; ValueError names what is missing or unknown."""
        try:
            layers, shape, loss = config["layers"], config["input_shape"], config["loss"]
        except KeyError as error:
            raise ValueError(f"the network's description lacks {error}") from None
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; known: {', '.join(LOSSES)}")
        return cls(tuple(map(layer_from_config, layers)), shape, LOSSES[loss](), config.get("scale", 1.0))


_START_VALUES = 1  # the purpose number that opens the key of every start value


def multilayer_perceptron(
    width: int, classes: int, hidden: tuple[int, ...], activation: str, loss: str, scale: float = 1.0
) -> Sequential:
    """Dense layers with an activation after each hidden one: width -> hidden... -> classes.

    mse ends in sigmoids, cross-entropy in logits. The start values are Glorot's times a gain, measured
    on MNIST (docs/benchmarks.md): a sigmoid's slope is at most 1/4 and its output is not centred, so
    plain Glorot values make the first Bold Driver steps crawl.
    """
    if loss not in LOSSES:
        raise ValueError(f"unknown loss {loss!r}; known: {', '.join(LOSSES)}")
    layers: list[Layer] = []
    for units in hidden:
        layers.append(_hidden_dense(units, activation))
        layers.append(layer_from_config({"name": activation}))
    if loss == HalfSquaredError.name:
        layers += [Dense(classes, gain=OUTPUT_GAIN.get(activation, 1.0)), Sigmoid()]
    else:
        layers.append(Dense(classes))
    return Sequential(tuple(layers), (width,), LOSSES[loss](), scale)


HIDDEN_GAIN = {"sigmoid": 1.5}  # 1 where nothing else was measured
OUTPUT_GAIN = {"sigmoid": 3.0}


def _hidden_dense(units: int, activation: str) -> Dense:
    if activation == "relu":
        return Dense(units, initializer="he_normal")
    return Dense(units, gain=HIDDEN_GAIN.get(activation, 1.0))
