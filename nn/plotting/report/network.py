"""The network in model.npz as the page shows it and computes with it."""

from __future__ import annotations

import base64
import json
import math
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nn.plotting.firstlayer import Filters, FirstLayer, array_of, config_of, open_arrays
from nn.plotting.report.layers import shapes_of
from nn.plotting.results import Json
from nn.plotting.shapes import image_shape
from nn.plotting.textfiles import NotDrawableError, bad_file

LARGEST_MODEL = 5_000_000  # bytes of a model file with which the page computes
LOSSES = ("mse", "cross-entropy", "binary-cross-entropy")  # those of classes that forward.js knows
MOST_FIELDS = 200  # of a form
MOST_COLUMNS = 500  # that are listed
FEWEST_PIXELS = 64  # from which a row of numbers without an image's shape is taken for one
MOST_PICTURES = 100
PICTURE_BYTES = 300_000  # of all pictures of weights
# Fields of a layer that forward.js reads.
FIELDS = ("name", "units", "filters", "kernel", "size", "stride", "padding", "slope", "alpha")
HIDDEN = ("name", "initializer", "gain")  # fields of a layer that its word leaves out


class _Model(NamedTuple):
    path: Path
    config: Json
    arrays: Any
    shape: tuple[int, ...]  # of an input


def network_of(path: Path, is_table: bool) -> dict[str, Any]:
    """Return the network in a model file as plain JSON values. Raises BadFileError for a file that is no model."""
    with open_arrays(path) as arrays:
        config = config_of(path, arrays)
        shape = tuple(size.count() for size in config["input_shape"].items())
        model = _Model(path, config, arrays, shape)
        layers, unknown = _layers(model)
        columns = _columns(config)
        result: dict[str, Any] = {
            "layers": layers,
            "parameters": sum(layer["parameters"] for layer in layers),
            "columns": columns,
            "table": columns and {"columns": len(columns), "inputs": math.prod(shape)},
        }
        try:
            return {**result, "live": _live(model, unknown, is_table), "reason": None}
        except NotDrawableError as reason:
            shown = columns and columns[:MOST_COLUMNS]
            return {**result, "columns": shown, "live": None, "reason": str(reason)}


def _layers(model: _Model) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the layers with their shapes, and the names of those that the page does not compute."""
    shape: tuple[int, ...] | None = model.shape
    layers, unknown = [], []
    for index, layer in enumerate(model.config["layers"].items()):
        name, sizes = layer["name"].text(), None
        found = None if shape is None else shapes_of(layer, shape)
        if found is None and shape is not None:
            unknown.append(name)
        else:
            sizes = found
        shape = None if sizes is None else sizes[1]
        parameters = _parameters(model, index, sizes[0] if sizes else None)
        layers.append({"word": _word(layer), "parameters": parameters, "output": shape and list(shape)})
    return layers, unknown


def _parameters(model: _Model, index: int, expected: dict[str, tuple[int, ...]] | None) -> int:
    """Return the number of a layer's parameters. Raises BadFileError where an array has not the expected shape."""
    names = [name for name in model.arrays.files if name.startswith(f"{index}.")]
    if expected is None:
        return sum(int(array_of(model.path, model.arrays, name).size) for name in names)
    return sum(math.prod(shape) for shape in expected.values())


def _word(layer: Json) -> str:
    """Return a layer in words: conv2d, filters 16, kernel 5 x 5."""
    values = [
        f"{name} {_text(value)}"
        for name, value in layer.value.items()
        if name not in HIDDEN and value is not None
    ]
    return ", ".join([layer["name"].text(), *values])


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, int) for part in value):
        return " x ".join(map(str, value))
    if isinstance(value, list):
        return ", ".join(str(part.get("name")) if isinstance(part, dict) else str(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value)


def _columns(config: Json) -> list[dict[str, Any]] | None:
    """Return the columns of a table with what the model does to them; None where inputs share one scale."""
    if "encoder" not in config:
        return None
    columns = []
    for column in config["encoder"]["columns"].items():
        kind, name = column["kind"].text(), column["name"].text()
        about = {"kind": kind, "name": name, "indicator": column["indicator"].value is True}
        if kind == "number":
            about |= {key: column[key].number() for key in ("offset", "center", "scale")}
            about["fill"] = None if column["fill"].value is None else column["fill"].number()
        elif kind == "category":
            values = column["values"].items() if column["values"].value else []
            about |= {"values": [value.text() for value in values]}
            about |= {key: column[key].value is True for key in ("other", "fill")}
        else:
            raise column["kind"].invalid("number or category")
        columns.append(about)
    return columns


def _live(model: _Model, unknown: list[str], is_table: bool) -> dict[str, Any]:
    """Return all that forward.js needs. Raises NotDrawableError where the page does not compute the network."""
    config, size = model.config, model.path.stat().st_size
    if unknown:
        raise NotDrawableError(f"the page does not compute the layer {unknown[0]}")
    loss = config["loss"].value if isinstance(config["loss"].value, str) else config["loss"]["name"].text()
    is_regression = "target" in config
    if loss.partition(":")[0] not in LOSSES and not is_regression:
        raise NotDrawableError(f"the page does not know the loss {loss}")
    if size >= LARGEST_MODEL:
        raise NotDrawableError(
            f"the model has {size / 1e6:.1f} MB, and the page computes with at most {LARGEST_MODEL / 1e6:.0f}"
        )
    names, weights = _weights(model)
    scale = config["scale"].number() if "scale" in config else 1.0
    target = config["target"] if is_regression else None
    return {
        "inputs": _inputs(model, is_table),
        "shape": list(model.shape),
        "layers": [{key: layer[key] for key in FIELDS if key in layer} for layer in config["layers"].value],
        "loss": loss.partition(":")[0],
        "scale": scale,
        "names": [name.text() for name in config["names"].items()] if "names" in config else None,
        "target": target and {key: target[key].number() for key in ("mean", "scale")},
        "arrays": names,
        "weights": weights,
    }


def _inputs(model: _Model, is_table: bool) -> str:
    """Return "image" for a square gray image, which can be drawn, and "form" for columns.

    Raises NotDrawableError for other images, and for too many columns.
    """
    shape, count = model.shape, math.prod(model.shape)
    side = math.isqrt(count)
    if len(shape) == 1 and not is_table and count >= FEWEST_PIXELS and side * side == count:
        return "image"
    if len(shape) > 1:
        if shape[0] == shape[1] and shape[2:] in ((), (1,)):
            return "image"
        raise NotDrawableError(
            f"images of {' x '.join(map(str, shape))} cannot be drawn here: only gray squares"
        )
    columns = model.config["encoder"]["columns"].value if "encoder" in model.config else range(count)
    if len(columns) > MOST_FIELDS:
        raise NotDrawableError(f"a form has at most {MOST_FIELDS} columns, the model has {len(columns):,}")
    return "form"


def _weights(model: _Model) -> tuple[list[list[Any]], str]:
    """Return [layer, name, shape] of each array, and all numbers as `packed` gives them."""
    shape, names, parts = model.shape, [], []
    for index, layer in enumerate(model.config["layers"].items()):
        found = shapes_of(layer, shape)
        assert found is not None  # else the layer is unknown
        for name, expected in found[0].items():
            array = array_of(model.path, model.arrays, f"{index}.{name}")
            if array.shape != expected or array.dtype.kind != "f":
                kind = f"{array.dtype} of shape {array.shape}"
                raise bad_file(model.path, f"numbers of shape {expected} in '{index}.{name}'", kind)
            if not np.isfinite(array).all():
                raise NotDrawableError("its weights are not finite: the run diverged")
            names.append([index, name, list(expected)])
            parts.append(array.astype("<f4").ravel())
        shape = found[1]
    return names, packed(np.concatenate(parts) if parts else np.zeros(0, "<f4"))


def packed(numbers: NDArray[np.float32]) -> str:
    """Return float32 numbers as base85 of zlib of all their first bytes, then all second bytes, and so on.

    Sign and exponent are alike in most weights: apart from the other bytes they take a third of their room. The three
    characters of base85 that HTML uses are replaced by others.
    """
    planes = numbers.astype("<f4").view(np.uint8).reshape(-1, 4).T
    return base64.b85encode(zlib.compress(planes.tobytes(), 9)).decode().translate(_WITHOUT_MARKUP)


_WITHOUT_MARKUP = str.maketrans("<>&", ",./")


def pictures_of(layer: FirstLayer | Filters, declared: tuple[int, ...] | None) -> dict[str, Any]:
    """Return the weights of the first layer as small images of whole numbers from -127 to 127, on one scale.

    Raises NotDrawableError where they are none.
    """
    weights = layer.weights
    channels = "" if isinstance(layer, FirstLayer) or weights.shape[2] == 1 else "the first channel"
    if isinstance(layer, FirstLayer):
        shape = image_shape(len(weights), declared or layer.input_shape)
        if len(shape) > 2:
            raise NotDrawableError("weights of color images have no single shade")
    else:
        weights = weights[:, :, 0]
        shape = weights.shape[:2]
    units = weights.shape[-1]
    images = weights.reshape(-1, units).T[: max(1, min(MOST_PICTURES, PICTURE_BYTES // math.prod(shape)))]
    if not np.isfinite(weights).all():
        raise NotDrawableError("the weights are not finite: the run diverged")
    limit = float(np.quantile(np.abs(weights), 0.995)) or 1.0
    levels = np.round(np.clip(images / limit, -1, 1) * 127).astype(np.int8)
    return {
        "noun": "unit" if isinstance(layer, FirstLayer) else "filter",
        "channels": channels,
        "shape": list(shape),
        "units": units,
        "count": len(images),
        "limit": limit,
        "data": base64.b64encode(levels.tobytes()).decode(),
    }
