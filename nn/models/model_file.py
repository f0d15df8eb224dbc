"""A trained network <-> one .npz file: arrays named "layer.parameter" and a JSON text named "config".

Plain NumPy opens it: np.load("model.npz")["0.W"]. Nothing in it is pickled, and reading never unpickles.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

import numpy as np

from nn.core import files, npz
from nn.models.builder import MAX_PARAMETERS
from nn.models.sequential import Params, Sequential

FORMAT = 1
LARGEST = 4 * MAX_PARAMETERS + (64 << 20)  # bytes: all parameters, and room for the description


def to_bytes(model: Sequential, params: Params, about: dict[str, Any] | None = None) -> bytes:
    """The file's content; the same values give the same bytes."""
    config = {
        "format": FORMAT,
        **model.config(),
        "classes": model.classes,
        "about": about or {},
    }
    arrays: dict[str, Any] = {
        f"{index}.{key}": value for index, layer in enumerate(params) for key, value in layer.items()
    }
    return npz.to_bytes({"config": np.array(json.dumps(config, allow_nan=False)), **arrays})


def save(
    path: str | os.PathLike, model: Sequential, params: Params, about: dict[str, Any] | None = None
) -> None:
    """Write a model file, whole or not at all."""
    files.write(path, to_bytes(model, params, about))


class Saved(NamedTuple):
    """What a model file holds."""

    model: Sequential
    params: Params
    about: dict[str, Any]  # what it says of its training


def from_bytes(content: bytes) -> Saved:
    """Read the content of a model file; ValueError says what does not fit."""
    values = npz.from_bytes(content)
    try:
        config = _config(values)
        model = Sequential.from_config(config)
    except RecursionError:
        raise ValueError("expected a description of a network, found brackets nested too deep") from None
    params: Params = []
    for index, (shapes, _) in enumerate(model.shapes()):
        params.append({key: _fitting(values, f"{index}.{key}", shape) for key, shape in shapes.items()})
    if values:
        raise ValueError(f"expected the arrays of its layers, found {min(values)[:80]!a} beside them")
    return Saved(model, params, config.get("about", {}))


def _config(values: dict[str, np.ndarray]) -> dict[str, Any]:
    config = npz.pop_json(values, "config")
    if config.get("format") != FORMAT:
        raise ValueError(f"expected model format {FORMAT}, found {ascii(config.get('format'))[:20]}")
    return config


def _fitting(values: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in values:
        raise ValueError(f"the array {name!r} is missing")
    array = values.pop(name)
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"{name!r}: expected float32 {shape}, found {array.dtype} {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"{name!r}: expected finite numbers, found {array.flat[finite.argmin()]:g}")
    return array
