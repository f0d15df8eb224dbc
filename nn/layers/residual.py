"""Add what a block of layers makes of x to x itself: out = x + F(x)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, describe_shape

Value = TypeVar("Value")


@dataclass(frozen=True)
class Residual(Layer):
    """A block with a way around it, along which gradients pass undimmed (He et al., 2015).

    F's output has its input's shape. Parameters are the inner layers', each named by its layer's place in the
    block: "0.W", "0.b", "2.W". Raises ValueError for a block without layers.
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
        """Whether an inner layer wants one: no layer turns a row into an image, so x must be one."""
        return any(layer.wants_image for layer in self.layers)

    @property
    def is_random(self) -> bool:
        """Whether an inner layer is."""
        return any(layer.is_random for layer in self.layers)

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Those of the inner layers, one after the other."""
        shapes: dict[str, Shape] = {}
        shape = input_shape
        for index, layer in enumerate(self.layers):
            try:
                inner, shape = layer.shapes(shape)
            except ValueError as error:
                raise type(error)(f"layer {index + 1} of the block, {layer.short_name}: {error}") from None
            shapes.update(_named(index, inner))
        if shape != input_shape:
            expected, found = describe_shape(input_shape), describe_shape(shape)
            raise ValueError(f"the block's output must have its input's shape {expected}, got {found}")
        return shapes, shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Draw the inner layers' start values in turn."""
        _, output_shape = self.shapes(input_shape)
        params: Params = {}
        shape = input_shape
        for index, layer in enumerate(self.layers):
            inner, shape = layer.build(shape, rng)
            params.update(_named(index, inner))
        return params, output_shape

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Send x through the block and add it to what comes out."""
        out, caches = x, []
        for index, layer in enumerate(self.layers):
            key = None if training is None else training.child(index)
            out, cache = layer.forward(_of(index, params), out, key)
            caches.append(cache)
        return x + out, tuple(caches)

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout + what the block sends back."""
        grads: Params = {}
        if not (want_grads or needs_dx):
            return grads, None
        dx: Any = dout  # None at the end where it is not needed
        for index in reversed(range(len(self.layers))):
            inner, dx = self.layers[index].backward(
                _of(index, params), cache[index], dx, want_grads, needs_dx or index > 0
            )
            grads = {**_named(index, inner), **grads}  # in the order of params
        return grads, dout + dx if needs_dx else None


def _named(index: int, inner: dict[str, Value]) -> dict[str, Value]:
    """An inner layer's values under their names in the block."""
    return {f"{index}.{key}": value for key, value in inner.items()}


def _of(index: int, params: Params) -> Params:
    """One inner layer's parameters, under its own names."""
    start = f"{index}."
    return {key[len(start) :]: value for key, value in params.items() if key.startswith(start)}
