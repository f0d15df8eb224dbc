"""The layers by name, and the way from a name to a layer."""

from __future__ import annotations

import dataclasses
from typing import Any

from nn.layers.activations import Relu, Sigmoid, Tanh
from nn.layers.dense import Dense
from nn.layers.layer import Layer

LAYERS: dict[str, type[Layer]] = {layer.name: layer for layer in (Dense, Sigmoid, Tanh, Relu)}
ACTIVATIONS = ("sigmoid", "tanh", "relu")

__all__ = ["ACTIVATIONS", "LAYERS", "Dense", "Layer", "Relu", "Sigmoid", "Tanh", "layer_from_config"]


def layer_from_config(config: dict[str, Any]) -> Layer:
    """Build the layer that `Layer.config()` described.

    Raises ValueError for an unknown name or field.
    """
    fields = dict(config)
    name = fields.pop("name", None)
    if name not in LAYERS:
        raise ValueError(f"unknown layer {name!r}; known: {', '.join(LAYERS)}")
    try:
        return LAYERS[name](**fields)
    except TypeError:
        known = ", ".join(field.name for field in dataclasses.fields(LAYERS[name])) or "none"
        raise ValueError(f"layer {name!r} takes the fields {known}; got {', '.join(fields)}") from None
