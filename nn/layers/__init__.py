"""The layers by name, and the way from a name to a layer."""

from __future__ import annotations

from typing import Any

from nn import spelling
from nn.layers.activations import Relu, Sigmoid, Tanh
from nn.layers.dense import Dense
from nn.layers.layer import Layer

LAYERS: dict[str, type[Layer]] = {layer.name: layer for layer in (Dense, Sigmoid, Tanh, Relu)}
ACTIVATIONS = ("sigmoid", "tanh", "relu")

__all__ = ["ACTIVATIONS", "LAYERS", "Dense", "Layer", "Relu", "Sigmoid", "Tanh", "layer_from_config"]


def layer_from_config(config: str | dict[str, Any]) -> Layer:
    """Build the layer that `Layer.config()` or a word described.

    Raises ValueError for an unknown name or field.
    """
    return spelling.from_config(config, LAYERS, "layer")
