"""All layers by name, and functions to build and to check a layer."""

from __future__ import annotations

from typing import Any

from nn.core import spec
from nn.layers.activations import Elu, Gelu, Identity, LeakyRelu, Relu, Sigmoid, Softplus, Tanh
from nn.layers.base import Layer
from nn.layers.contract import check_layer
from nn.layers.convolution import Conv2D
from nn.layers.dense import Dense
from nn.layers.dropout import Dropout
from nn.layers.flatten import Flatten
from nn.layers.normalization import LayerNorm
from nn.layers.pooling import AveragePool2D, GlobalAveragePool2D, MaxPool2D
from nn.layers.residual import Residual

LAYERS: dict[str, type[Layer]] = {
    layer.name: layer
    for layer in (
        Dense,
        Sigmoid,
        Tanh,
        Relu,
        LeakyRelu,
        Elu,
        Gelu,
        Softplus,
        Identity,
        Dropout,
        LayerNorm,
        Residual,
        Conv2D,
        MaxPool2D,
        AveragePool2D,
        GlobalAveragePool2D,
        Flatten,
    )
}
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "identity")

__all__ = [
    "ACTIVATIONS",
    "LAYERS",
    "AveragePool2D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Elu",
    "Flatten",
    "Gelu",
    "GlobalAveragePool2D",
    "Identity",
    "Layer",
    "LayerNorm",
    "LeakyRelu",
    "MaxPool2D",
    "Relu",
    "Residual",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "check_layer",
    "layer_from_config",
]


def layer_from_config(config: str | dict[str, Any]) -> Layer:
    """Build a layer from `Layer.config()` or from a word. Raises ValueError for an unknown name or field."""
    return spec.from_config(config, LAYERS, "layer")
