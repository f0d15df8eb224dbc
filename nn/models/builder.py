"""Build a network from hidden layers: choose the initializers by activation, the output layer by loss and classes.

A layer without an initializer gets he_normal before relu and similar activations, else glorot_uniform times a gain that
was measured on MNIST (benchmarks/results/README.md): a sigmoid's derivative is at most 1/4 and its outputs are not
centered, so that with a gain of 1 the first Bold Driver steps make little progress.

The output layer of a regression starts at zeros: its first predictions are the mean of the target (docs/tables.md).
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from nn.data.decoding import ClassLabels, Decoder
from nn.data.encoding import Encoder, SharedScale
from nn.layers import ACTIVATIONS, LAYERS, Dense, Layer, Residual, Sigmoid
from nn.models.losses import HalfSquaredError, Loss
from nn.models.sequential import Sequential

HE = ("relu", "leaky_relu", "elu", "gelu", "softplus")
HIDDEN_GAIN = {"sigmoid": 1.5}  # 1 for all others
OUTPUT_GAIN = {"sigmoid": 1.5}


def perceptron_layers(hidden: tuple[int, ...], activation: str) -> tuple[Layer, ...]:
    """Return the hidden layers of a multilayer perceptron: dense layers of these sizes, an activation after each."""
    return tuple(layer for units in hidden for layer in (Dense(units), LAYERS[activation]()))


def build_network(
    layers: tuple[Layer, ...],
    input_shape: tuple[int, ...],
    classes: int,
    loss: Loss,
    encoder: Encoder | None = None,
    initializer: str | None = None,
    decoder: Decoder | None = None,
) -> Sequential:
    """Add the output layer that `loss` needs to hidden layers: dense, and with mse a sigmoid after it.

    `initializer` is used for every layer that has none of its own. Raises ValueError, with the layer's number, if the
    shapes do not fit.
    """
    last = next((layer.name for layer in reversed(layers) if layer.name in ACTIVATIONS), "")
    is_half_squared = isinstance(loss, HalfSquaredError)
    gain = OUTPUT_GAIN.get(last, 1.0) if is_half_squared and not initializer else 1.0
    default = "zeros" if loss.is_regression else "glorot_uniform"
    output: list[Layer] = [Dense(loss.units(classes), initializer or default, gain)]
    if is_half_squared:
        output.append(Sigmoid())
    hidden = _with_initializers(layers, initializer)
    model = Sequential(
        (*hidden, *output), input_shape, loss, encoder or SharedScale(), decoder or ClassLabels()
    )
    _check_shapes(model, len(layers))
    return model


MAX_PARAMETERS = 500_000_000  # 2 GB of float32, of which the driver holds several copies


def _check_shapes(model: Sequential, hidden: int) -> None:
    """Raise ValueError, with the layer's number, if shapes do not fit or there are too many parameters."""
    try:
        shapes = model.shapes()
    except ValueError as error:
        number = f"layer {hidden + 1} "  # the user did not list the output layer, so its number would confuse
        raise ValueError(re.sub(f"^{number}", "the output layer ", str(error))) from None
    counts = [sum(map(math.prod, param_shapes.values())) for param_shapes, _ in shapes]
    if sum(counts) > MAX_PARAMETERS:
        largest = counts.index(max(counts))
        raise ValueError(
            f"layer {largest + 1} {model.layers[largest].short_name}: "
            f"expected at most {MAX_PARAMETERS:,} parameters in all, found {sum(counts):,}"
        )


def infer_input_shape(layers: tuple[Layer, ...], width: int, wants_image: bool = False) -> tuple[int, ...]:
    """Return the input shape for rows of `width` values: (width,), or a square gray image (side, side, 1).

    It is an image if a layer or the augmentation (`wants_image`) needs one and `width` is a square number.
    """
    side = math.isqrt(width)
    if (wants_image or any(layer.wants_image for layer in layers)) and side * side == width:
        return (side, side, 1)
    return (width,)


def _with_initializers(layers: tuple[Layer, ...], initializer: str | None) -> tuple[Layer, ...]:
    """Give an initializer to each layer without one, also inside blocks."""
    complete: list[Layer] = []
    for index, layer in enumerate(layers):
        if isinstance(layer, Residual):
            layer = Residual(_with_initializers(layer.layers, initializer))
        elif getattr(layer, "initializer", "") is None:
            activation = _next_activation(layers[index + 1 :])
            layer = dataclasses.replace(layer, **_initializer_fields(layer, activation, initializer))
        complete.append(layer)
    return tuple(complete)


def _initializer_fields(layer: Any, activation: str, initializer: str | None) -> dict[str, Any]:
    if initializer is not None:
        return {"initializer": initializer}
    if activation in HE:
        return {"initializer": "he_normal"}
    gain = HIDDEN_GAIN.get(activation, 1.0) if isinstance(layer, Dense) else 1.0
    return {"initializer": "glorot_uniform", "gain": layer.gain if layer.gain != 1.0 else gain}


def _next_activation(layers: tuple[Layer, ...]) -> str:
    """Return the first activation among these layers, or "" if a layer with weights comes before it."""
    for layer in layers:
        if layer.name in ACTIVATIONS:
            return layer.name
        if hasattr(layer, "initializer"):
            break
    return ""
