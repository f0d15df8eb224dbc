"""Residual block: out = x + F(x), where F is a stack of layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, describe_shape

Value = TypeVar("Value")


@dataclass(frozen=True)
class Residual(Layer):
    """Layers with a shortcut, out = x + F(x), through which gradients pass unchanged (He et al., 2015).

    The output of F must have the shape of its input. The parameters of the inner layers get the index of their layer as
    a prefix: "0.W", "0.b", "2.W". Raises ValueError for a block without layers.
    """

    name: ClassVar[str] = "residual"
    positional: ClassVar[tuple[str, ...]] = ("layers",)
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        layers = self.layers
        if not (isinstance(layers, tuple) and layers and all(isinstance(layer, Layer) for layer in layers)):
            raise ValueError(f"Residual layers must be a tuple of at least one layer, got {layers!r}")

    @property
    def wants_image(self) -> bool:  # type: ignore[override]  # a constant in every other layer
        """Whether an inner layer does: no layer turns a row into an image, so x must be one."""
        return any(layer.wants_image for layer in self.layers)

    @property
    def is_random(self) -> bool:
        """Whether an inner layer is."""
        return any(layer.is_random for layer in self.layers)

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return the shapes of the inner layers and the input shape. Raises ValueError if a layer does not fit."""
        shapes: dict[str, Shape] = {}
        shape = input_shape
        for index, layer in enumerate(self.layers):
            try:
                inner, shape = layer.shapes(shape)
            except ValueError as error:
                raise ValueError(f"layer {index + 1} of the block, {layer.short_name}: {error}") from None
            shapes.update(_with_prefix(index, inner))
        if shape != input_shape:
            expected, found = describe_shape(input_shape), describe_shape(shape)
            raise ValueError(f"the block's output must have its input's shape {expected}, got {found}")
        return shapes, shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw the initial weights of the inner layers in order."""
        _, output_shape = self.shapes(input_shape)
        params: Params = {}
        shape = input_shape
        for index, layer in enumerate(self.layers):
            inner, shape = layer.build(shape, rng)
            params.update(_with_prefix(index, inner))
        return params, output_shape

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Return x + F(x)."""
        out, caches = x, []
        for index, layer in enumerate(self.layers):
            inner_key = None if key is None else key.child(index)
            out, cache = layer.forward(params_of(index, params), out, inner_key)
            caches.append(cache)
        return x + out, tuple(caches)

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout + the gradient of F."""
        grads: Params = {}
        dx: Any = dout
        for index in reversed(range(len(self.layers))):
            layer, inner_params = self.layers[index], params_of(index, params)
            inner, dx = layer.backward(inner_params, cache[index], dx, needs_dx or index > 0)
            grads = {**_with_prefix(index, inner), **grads}  # in the order of params
        return grads, dout + dx if needs_dx else None


def _with_prefix(index: int, inner: dict[str, Any]) -> dict[str, Any]:
    """Add the prefix of an inner layer to the names of its parameters."""
    return {f"{index}.{key}": value for key, value in inner.items()}


def params_of(index: int, params: Params) -> Params:
    """Return the parameters of an inner layer without its prefix."""
    start = f"{index}."
    return {key[len(start) :]: value for key, value in params.items() if key.startswith(start)}
