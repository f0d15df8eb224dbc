"""A network as a stack of layers: an immutable description that computes outputs from inputs and parameters.

rows (n, ...) -> encoder -> x_0 (n, *input_shape) -> layer 0 -> ... -> layer L-1 -> outputs (n, units)
outputs -> loss.probabilities -> (n, k);  outputs -> loss.predict -> decoder -> labels or values of the user's data (n,)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.core import spec
from nn.core.constraints import AT_LEAST_ONE
from nn.data.decoding import ClassLabels, Decoder, TargetScale, decoder_from_config
from nn.data.encoding import Encoder, SharedScale, TableEncoder, encoder_from_config, names_from_config
from nn.layers import Layer, layer_from_config
from nn.layers.base import describe_shape
from nn.models.losses import LOSSES, CrossEntropy, Loss
from nn.models.regression_losses import REGRESSION_LOSSES

# Each map stage of the chain nests one more function in the object that Spark pickles; beyond about 130 that fails.
MAX_LAYERS = 60

Params = list[dict[str, np.ndarray]]


@dataclass(frozen=True)
class Sequential:
    """Layers applied in order, the loss they are trained on, and the encoder and the decoder of the user's rows.

    The encoder is applied before the first layer, in training and in prediction.
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]
    loss: Loss = field(default_factory=CrossEntropy)
    encoder: Encoder = field(default_factory=SharedScale)
    decoder: Decoder = field(default_factory=ClassLabels)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "input_shape", _shape(self.input_shape))
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise ValueError(f"a network must have 1 to {MAX_LAYERS} layers, got {len(self.layers)}")
        if self.loss.is_regression != isinstance(self.decoder, TargetScale):
            raise ValueError(f"expected a decoder that fits the loss {self.loss.name}, found {self.decoder}")
        if isinstance(self.encoder, TableEncoder) and math.prod(self.input_shape) != self.encoder.width:
            width = self.encoder.width
            raise ValueError(
                f"expected an input shape of the encoder's {width} inputs, got {_text(self.input_shape)}"
            )

    def init(self, seed: int) -> Params:
        """Draw the initial parameters: one dict of float32 arrays per layer, a function of the seed and the shapes."""
        self.shapes()  # raises an error with the layer's name if one does not fit
        params, shape = [], self.input_shape
        for index, layer in enumerate(self.layers):
            values, shape = layer.build(shape, np.random.default_rng([_INITIAL_WEIGHTS, seed, index]))
            params.append(values)
        return params

    def shapes(self) -> list[tuple[dict[str, tuple[int, ...]], tuple[int, ...]]]:
        """Return (the shapes of the parameters, the output shape) of each layer, without the rows n.

        Raises ValueError, with the layer's number from 1, if a layer does not accept the output of the one before.
        """
        shapes, shape = [], self.input_shape
        for number, layer in enumerate(self.layers, 1):
            try:
                param_shapes, shape = layer.shapes(shape)
            except ValueError as error:
                raise ValueError(f"layer {number} {layer.short_name}: {error}") from None
            shapes.append((param_shapes, shape))
        if len(shape) != 1:
            last = f"layer {len(self.layers)} {self.layers[-1].short_name}"
            raise ValueError(f"{last}: the last layer must give a row, got {describe_shape(shape)}")
        return shapes

    def first_trainable(self, frozen: int = 0) -> int:
        """Return the index of the first layer with parameters, the first `frozen` layers left out.

        No layer before it needs d loss / d x.
        """
        with_params = (index for index, (param_shapes, _) in enumerate(self.shapes()) if param_shapes)
        return next((index for index in with_params if index >= frozen), len(self.layers))

    @property
    def is_plain(self) -> bool:
        """Whether rows are numbers without names, divided by one scale, and classes have no labels."""
        return (
            isinstance(self.encoder, SharedScale) and not self.encoder.names and self.decoder == ClassLabels()
        )

    @property
    def columns(self) -> int:
        """The number of columns c of the rows, before they are encoded."""
        return (
            len(self.encoder.columns)
            if isinstance(self.encoder, TableEncoder)
            else math.prod(self.input_shape)
        )

    @property
    def classes(self) -> int:
        """The number of classes k, or of the targets of a regression."""
        return self.loss.classes(self.output_shapes()[-1][0])

    def prepare(self, inputs: np.ndarray) -> np.ndarray:
        """Encode rows of a block (n, ...) of any numeric dtype as float32 (n, *input_shape).

        Raises ValueError for rows of another width, and for values that the encoder does not accept.
        """
        if inputs.ndim < 2 or math.prod(inputs.shape[1:]) != self.columns:
            raise ValueError(f"expected rows of {self.columns} values, got an array of shape {inputs.shape}")
        rows = inputs.reshape(len(inputs), self.columns) if isinstance(self.encoder, TableEncoder) else inputs
        return self.encoder.encode(rows).reshape(len(inputs), *self.input_shape)

    def targets(self, labels: np.ndarray) -> np.ndarray:
        """Return what the loss compares outputs with: class numbers (n,), or standardized targets (n, 1)."""
        return self.decoder.encode(labels) if isinstance(self.decoder, TargetScale) else labels

    def forward(self, params: Params, inputs: np.ndarray, last: int | None = None) -> np.ndarray:
        """Return the outputs (n, units) for rows of a block (n, ...), as in prediction.

        With `last`, return those of the layer of this number, from 1, (n, *its output shape).
        """
        x = self.prepare(inputs)
        for layer, values in zip(self.layers[:last], params[:last], strict=True):
            x, _ = layer.forward(values, x)
        return x

    def layer_number(self, layer: int | str) -> int:
        """Return the number of a layer, from 1, for its number, its name ("relu") or its word ("dense:64").

        Raises ValueError for a number or a name that no layer has, and for a name that several layers have.
        """
        listed = {n: one.short_name for n, one in enumerate(self.layers, 1)}
        if isinstance(layer, str):
            found = [n for n, one in enumerate(self.layers, 1) if layer in (one.name, one.short_name)]
        else:
            found = [n for n in listed if n == layer]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(f"{n} ({listed[n]})" for n in found)
            raise ValueError(f"expected one layer called {layer!r}, found {numbers}; give its number")
        known = ", ".join(f"{n} {name}" for n, name in listed.items())
        raise ValueError(f"expected a layer of the network ({known}), found {layer!r}")

    def predict_proba(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """Return the class probabilities for rows of a block, (n, k); each row sums to 1."""
        return self.loss.probabilities(self.forward(params, inputs))

    def predict(self, params: Params, inputs: np.ndarray) -> np.ndarray:
        """Return the class number of each row of a block, (n,) int64, or its standardized targets (n, m)."""
        return self.loss.predict(self.forward(params, inputs))

    def output_shapes(self) -> list[tuple[int, ...]]:
        """Return the output shape of each layer, without the rows n."""
        return [shape for _, shape in self.shapes()]

    def summary(self) -> str:
        """Return a table of layers, output shapes and numbers of parameters."""
        rows = [("layer", "output", "parameters"), ("input", _text(self.input_shape), "")]
        total = 0
        for number, (layer, (param_shapes, shape)) in enumerate(
            zip(self.layers, self.shapes(), strict=True), 1
        ):
            count = sum(map(math.prod, param_shapes.values()))
            total += count
            rows.append((f"{number:<3}{layer.short_name}", _text(shape), f"{count:,}"))
        rows.append(("total", "", f"{total:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = (f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows)
        return "\n".join(line.rstrip() for line in lines)

    def config(self) -> dict[str, Any]:
        """Return the network as plain JSON values, which `from_config` reads."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [layer.config() for layer in self.layers],
            "loss": spec.config(self.loss),
            **(
                self.encoder.config()
                if isinstance(self.encoder, SharedScale)
                else {"encoder": self.encoder.config()}
            ),
            **self.decoder.config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Sequential:
        """Build a network from the result of `config()`. Raises ValueError for missing or unknown entries."""
        try:
            layers, shape, loss = config["layers"], config["input_shape"], config["loss"]
        except KeyError as error:
            raise ValueError(f"the network's description lacks {error}") from None
        if not isinstance(layers, list):
            raise ValueError(f"the network's layers: expected a list, found {type(layers).__name__}")
        built = tuple(map(layer_from_config, layers))
        encoder: Encoder
        if "encoder" in config:
            encoder = encoder_from_config(config["encoder"])
        else:
            encoder = SharedScale(config.get("scale", 1.0), names_from_config(config.get("names", [])))
        decoder = decoder_from_config(config)
        losses = REGRESSION_LOSSES if isinstance(decoder, TargetScale) else LOSSES
        model = cls(built, shape, spec.from_config(loss, losses, "loss"), encoder, decoder)
        if isinstance(decoder, ClassLabels) and decoder.labels and len(decoder.labels) != model.classes:
            raise ValueError(f"expected labels of {model.classes} classes, found {len(decoder.labels)}")
        return model


_INITIAL_WEIGHTS = 1  # the purpose number of nn.core.random for initial weights


def _shape(sizes: Any) -> tuple[int, ...]:
    """Return an input shape as a tuple. Raises ValueError unless it is one to three integers above 0."""
    numbers = sizes if isinstance(sizes, (tuple, list)) else ()
    numbers = tuple(size.item() if isinstance(size, np.integer) else size for size in numbers)
    if not 1 <= len(numbers) <= 3 or not all(size in AT_LEAST_ONE for size in numbers):
        raise ValueError(f"the input shape must be one to three whole numbers above 0, got {sizes!r}")
    return numbers


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
