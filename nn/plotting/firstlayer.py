"""Read the weights of the first layer from model.npz.

Those of a unit are a column of a dense layer's W (d, units), those of a filter a slice of a convolution's
W (kh, kw, c, f).
"""

from __future__ import annotations

import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.plotting.results import Json, parse_json
from nn.plotting.textfiles import NotDrawableError, bad_file, unreadable

# Layers that keep the position of every input value, so that the weights after them are weights of pixels.
IN_PLACE = ("flatten", "dropout", "identity")


@dataclass(frozen=True)
class FirstLayer:
    """W (d, units) of a dense layer, and the shape of the inputs."""

    weights: NDArray[np.float64]
    input_shape: tuple[int, ...]


@dataclass(frozen=True)
class Filters:
    """W (kh, kw, c, f) of a convolution, and the shape (h, w, c) of the inputs."""

    weights: NDArray[np.float64]
    input_shape: tuple[int, ...]


def read_first_layer(path: Path) -> FirstLayer | Filters:
    """Read the first layer with weights from model.npz.

    Raises BadFileError for a file that is no model, NotDrawableError if the layer is neither dense nor conv2d.
    """
    arrays = open_arrays(path)
    with arrays:
        config = config_of(path, arrays)
        shape = tuple(size.count() for size in config["input_shape"].items())
        index, layer = _first_with_weights(config)
        is_dense = layer["name"].value == "dense"
        expected = (math.prod(shape), layer["units"].count()) if is_dense else _filters_shape(config, layer)
        weights = array_of(path, arrays, f"{index}.W")
    _check_shape(path, f"{index}.W", weights, expected)
    return (FirstLayer if is_dense else Filters)(weights.astype(np.float64), shape)


def open_arrays(path: Path) -> Any:
    """Open an .npz file without reading its arrays. Raises BadFileError for another kind of file."""
    try:
        arrays = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile):
        raise bad_file(path, "NumPy arrays in an .npz file", "another kind of file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    if not isinstance(arrays, np.lib.npyio.NpzFile):
        raise bad_file(path, "NumPy arrays in an .npz file", "a single array")
    members = arrays.zip.infolist() if arrays.zip else []
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise bad_file(path, "arrays without compression", "compressed ones, whose size has no limit")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise bad_file(path, "arrays of at most the file's size", "headers that claim more")
    return arrays


def array_of(path: Path, arrays: Any, name: str) -> NDArray[Any]:
    """Read one array of an open file. Raises BadFileError where it is missing or damaged."""
    if name not in arrays.files:
        raise bad_file(path, f"an array named {name!r}", ", ".join(arrays.files[:6]) or "none")
    try:
        return arrays[name]
    except (ValueError, OSError, EOFError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        pickled = "Object arrays" in str(error)
        found = "pickled objects, which are never loaded" if pickled else "a damaged one"
        raise bad_file(path, f"a plain array {name!r}", found) from None


def config_of(path: Path, arrays: Any) -> Json:
    """Read the description of the network in an open model file."""
    config = array_of(path, arrays, "config")
    if config.ndim != 0 or config.dtype.kind != "U":
        raise bad_file(path, "JSON text in 'config'", f"{config.dtype} of shape {config.shape}")
    return parse_json(path, str(config[()]))


def _first_with_weights(config: Json) -> tuple[int, Json]:
    flat = False
    for index, layer in enumerate(config["layers"].items()):
        name = layer["name"].text()
        if name == "conv2d" and flat:
            raise layer["name"].invalid("a layer that takes rows, after flatten")
        if name in ("dense", "conv2d"):
            return index, layer
        if name not in IN_PLACE:
            raise NotDrawableError(f"the network begins with a {name} layer, not with dense or conv2d")
        flat = flat or name == "flatten"
    raise NotDrawableError("the network has no dense or conv2d layer")


def _filters_shape(config: Json, layer: Json) -> tuple[int, ...]:
    """Return the shape (kh, kw, c, f) that the configuration gives."""
    sizes, kernel = config["input_shape"].items(), layer["kernel"].items()
    if len(sizes) != 3:
        raise config["input_shape"].invalid("height, width and channels for a conv2d layer")
    if len(kernel) != 2:
        raise layer["kernel"].invalid("a height and a width")
    return (*(size.count() for size in kernel), sizes[2].count(), layer["filters"].count())


def _check_shape(path: Path, name: str, weights: NDArray[Any], shape: tuple[int, ...]) -> None:
    if weights.dtype.kind not in "fiu":
        raise bad_file(path, f"numbers in {name!r}", f"{weights.dtype}")
    if weights.shape != shape:
        raise bad_file(path, f"{name!r} of shape {shape} as its config says", f"{weights.shape}")
