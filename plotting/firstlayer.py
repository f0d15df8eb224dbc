"""The weights next to the input, read from model.npz: a column of W (d, units) is what one unit looks for."""

from __future__ import annotations

import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotting.results import Json, parse_json
from plotting.textfiles import NotDrawableError, complaint, unreadable

# Layers that hand every input value on in its place: the weights after them still are weights of pixels.
IN_PLACE = ("flatten", "dropout")


@dataclass(frozen=True)
class FirstLayer:
    """W (d, units) of the first layer that has weights, and the shape in which the inputs came."""

    weights: NDArray[np.float64]
    input_shape: tuple[int, ...]


def read_first_layer(path: Path) -> FirstLayer:
    """The first layer of model.npz.

    Raises BadFileError for a file that is no such model, NotDrawableError when the first layer is not dense.
    """
    arrays = _open(path)
    with arrays:
        config = _config(path, arrays)
        shape = tuple(size.count() for size in config["input_shape"].items())
        index, layer = _first_with_weights(config)
        weights = _array(path, arrays, f"{index}.W")
    _check_shape(path, f"{index}.W", weights, (math.prod(shape), layer["units"].count()))
    return FirstLayer(weights.astype(np.float64), shape)


def _open(path: Path) -> Any:
    try:
        arrays = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise complaint(path, "NumPy arrays in an .npz file", "another kind of file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    if not isinstance(arrays, np.lib.npyio.NpzFile):
        raise complaint(path, "NumPy arrays in an .npz file", "a single array")
    return arrays


def _array(path: Path, arrays: Any, name: str) -> NDArray[Any]:
    if name not in arrays.files:
        raise complaint(path, f"an array named {name!r}", ", ".join(arrays.files[:6]) or "none")
    try:
        return arrays[name]
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        pickled = "Object arrays" in str(error)
        found = "pickled objects, which are never loaded" if pickled else "a damaged one"
        raise complaint(path, f"a plain array {name!r}", found) from None


def _config(path: Path, arrays: Any) -> Json:
    config = _array(path, arrays, "config")
    if config.ndim != 0 or config.dtype.kind != "U":
        raise complaint(path, "JSON text in 'config'", f"{config.dtype} of shape {config.shape}")
    return parse_json(path, str(config[()]))


def _first_with_weights(config: Json) -> tuple[int, Json]:
    for index, layer in enumerate(config["layers"].items()):
        name = layer["name"].text()
        if name == "dense":
            return index, layer
        if name not in IN_PLACE:
            raise NotDrawableError(f"the network begins with a {name} layer, not with a dense one")
    raise NotDrawableError("the network has no dense layer")


def _check_shape(path: Path, name: str, weights: NDArray[Any], shape: tuple[int, int]) -> None:
    if weights.dtype.kind not in "fiu":
        raise complaint(path, f"numbers in {name!r}", f"{weights.dtype}")
    if weights.shape != shape:
        raise complaint(path, f"{name!r} of shape {shape} as its config says", f"{weights.shape}")
