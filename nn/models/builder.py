"""Complete a stack of hidden layers to a network: start values by what follows, the output layer by loss and classes.

Start values where a layer names none: He's before relu and its kin, else Glorot's, times a gain that was measured on
MNIST (docs/benchmarks.md): a sigmoid's slope is at most 1/4 and its output is not centred, so plain Glorot values make
the first Bold Driver steps crawl.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from nn.core import spec
from nn.layers import ACTIVATIONS, Dense, Layer, Residual, Sigmoid, layer_from_config
from nn.models.losses import LOSSES, HalfSquaredError, Loss
from nn.models.sequential import Sequential

HE = ("relu", "leaky_relu", "elu", "gelu", "softplus")
HIDDEN_GAIN = {"sigmoid": 1.5}  # 1 where nothing else was measured
OUTPUT_GAIN = {"sigmoid": 3.0}


def perceptron(hidden: tuple[int, ...], activation: str) -> tuple[Layer, ...]:
    """The hidden layers of a multilayer perceptron: dense layers with an activation after each."""
    return tuple(
        layer for units in hidden for layer in (Dense(units), layer_from_config({"name": activation}))
    )


def network(
    layers: tuple[Layer, ...],
    input_shape: tuple[int, ...],
    classes: int,
    loss: Loss,
    scale: float = 1.0,
    initializer: str | None = None,
) -> Sequential:
    """Hidden layers with the output layer that `loss` needs: dense, and with mse a sigmoid after it.

    `initializer` draws the start values of every layer that names none of its own. Raises ValueError, with the layer's
    number, where shapes do not fit.
    """
    last = next((layer.name for layer in reversed(layers) if layer.name in ACTIVATIONS), "")
    start = initializer or "glorot_uniform"
    gain = OUTPUT_GAIN.get(last, 1.0) if loss.name == HalfSquaredError.name and not initializer else 1.0
    output: list[Layer] = [Dense(loss.units(classes), start, gain)]
    if loss.name == HalfSquaredError.name:
        output.append(Sigmoid())
    model = Sequential((*_started(layers, initializer), *output), input_shape, loss, scale)
    _refuse_misfits(model, len(layers))
    return model


MAX_PARAMETERS = 500_000_000  # 2 GB of float32, which the driver holds several times


def _refuse_misfits(model: Sequential, hidden: int) -> None:
    """Raise ValueError, with the layer's number, where shapes do not fit or there would be too many parameters."""
    try:
        shapes = model.shapes()
    except ValueError as error:
        own = f"layer {hidden + 1} "  # nobody asked for the output layer by name or number
        raise type(error)(re.sub(f"^{own}", "the output layer ", str(error))) from None
    counts = [sum(map(math.prod, needed.values())) for needed, _ in shapes]
    if sum(counts) > MAX_PARAMETERS:
        largest = counts.index(max(counts))
        raise ValueError(
            f"layer {largest + 1} {model.layers[largest].short_name}: "
            f"expected at most {MAX_PARAMETERS:,} parameters in all, found {sum(counts):,}"
        )


def input_shape_of(layers: tuple[Layer, ...], width: int, wanted: bool = False) -> tuple[int, ...]:
    """The shape in which rows of `width` values enter: a row, or a square grey image where one is wanted.

    A layer may want one, or what comes before the layers (`wanted`).
    """
    side = math.isqrt(width)
    if (wanted or any(layer.wants_image for layer in layers)) and side * side == width:
        return (side, side, 1)
    return (width,)


def multilayer_perceptron(
    width: int, classes: int, hidden: tuple[int, ...], activation: str, loss: str, scale: float = 1.0
) -> Sequential:
    """Dense layers with an activation after each hidden one: width -> hidden... -> classes; words for the rest."""
    found = spec.parse(loss, LOSSES, "loss")
    return network(perceptron(hidden, activation), (width,), classes, found, scale)


def _started(layers: tuple[Layer, ...], initializer: str | None) -> tuple[Layer, ...]:
    """The layers, each with start values named; a block's inner layers too."""
    started: list[Layer] = []
    for index, layer in enumerate(layers):
        if isinstance(layer, Residual):
            layer = Residual(_started(layer.layers, initializer))
        elif getattr(layer, "initializer", "") is None:
            layer = dataclasses.replace(layer, **_start(layer, _follower(layers[index + 1 :]), initializer))
        started.append(layer)
    return tuple(started)


def _start(layer: Any, activation: str, initializer: str | None) -> dict[str, Any]:
    if initializer is not None:
        return {"initializer": initializer}
    if activation in HE:
        return {"initializer": "he_normal"}
    gain = HIDDEN_GAIN.get(activation, 1.0) if isinstance(layer, Dense) else 1.0
    return {"initializer": "glorot_uniform", "gain": layer.gain if layer.gain != 1.0 else gain}


def _follower(layers: tuple[Layer, ...]) -> str:
    """The activation that the layer before these feeds: the first one, unless another layer that learns comes first."""
    for layer in layers:
        if layer.name in ACTIVATIONS:
            return layer.name
        if hasattr(layer, "initializer"):
            break
    return ""
