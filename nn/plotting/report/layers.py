"""The shapes of the layers that the page computes with forward.js, checked before their weights go into it."""

from __future__ import annotations

import math
from collections.abc import Callable

from nn.plotting.results import Json

Shape = tuple[int, ...]
Shapes = tuple[dict[str, Shape], Shape]  # of the parameters, and of the output

ELEMENTWISE = (
    *("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "softplus", "identity"),
    "dropout",  # the identity when predicting
)
LARGEST_OUTPUT = 1 << 24  # numbers that a layer gives


def shapes_of(layer: Json, shape: Shape) -> Shapes | None:
    """Return the shapes of a layer for inputs of a shape; None for a layer that the page does not compute.

    Raises BadFileError for a layer that does not accept such inputs, and for sizes that are none.
    """
    name = layer["name"].text()
    if name in ELEMENTWISE:
        for field in ("slope", "alpha"):
            if field in layer:
                layer[field].number()
        return {}, shape
    if name not in LAYERS:
        return None
    needed, function = LAYERS[name]
    if needed and len(shape) != needed:
        kind = "an image" if needed == 3 else "a row"
        raise layer["name"].invalid(f"a layer that does not take {kind}")
    params, output = function(layer, shape)
    if math.prod(output) > LARGEST_OUTPUT:
        raise layer["name"].invalid(f"a layer of at most {LARGEST_OUTPUT:,} outputs")
    return params, output


def _dense(layer: Json, shape: Shape) -> Shapes:
    units = layer["units"].count()
    return {"W": (shape[0], units), "b": (units,)}, (units,)


def _conv2d(layer: Json, shape: Shape) -> Shapes:
    kernel, filters = pair_of(layer["kernel"]), layer["filters"].count()
    sizes = _windows(layer, shape, kernel, pair_of(layer["stride"]))
    return {"W": (*kernel, shape[2], filters), "b": (filters,)}, (*sizes, filters)


def _pool(layer: Json, shape: Shape) -> Shapes:
    size = pair_of(layer["size"])
    has_stride = "stride" in layer and layer["stride"].value is not None
    sizes = _windows(layer, shape, size, pair_of(layer["stride"]) if has_stride else size)
    return {}, (*sizes, shape[2])


def _global_pool(layer: Json, shape: Shape) -> Shapes:
    return {}, shape[2:]


def _flatten(layer: Json, shape: Shape) -> Shapes:
    return {}, (math.prod(shape),)


# Name: (number of axes of its inputs, 0 for any; the function that gives its shapes).
LAYERS: dict[str, tuple[int, Callable[[Json, Shape], Shapes]]] = {
    "dense": (1, _dense),
    "conv2d": (3, _conv2d),
    "maxpool2d": (3, _pool),
    "averagepool2d": (3, _pool),
    "globalaveragepool2d": (3, _global_pool),
    "flatten": (0, _flatten),
}


def pair_of(value: Json) -> tuple[int, int]:
    """Return (height, width) for one number or two."""
    sizes = [value, value] if isinstance(value.value, int) else value.items()
    if len(sizes) != 2:
        raise value.invalid("a height and a width")
    return sizes[0].count(), sizes[1].count()


def _windows(layer: Json, shape: Shape, kernel: tuple[int, int], stride: tuple[int, int]) -> Shape:
    """Return how many windows there are down and along an image, as nn/layers/windows.py places them."""
    padding = layer["padding"].text()
    if padding == "same":
        return tuple(-(-size // step) for size, step in zip(shape, stride, strict=False))
    if padding != "valid" or any(size < width for size, width in zip(shape, kernel, strict=False)):
        raise layer["padding"].invalid('"same", or "valid" and an image that is no smaller than the window')
    return tuple((size - width) // step + 1 for size, width, step in zip(shape, kernel, stride, strict=False))
