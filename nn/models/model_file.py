"""Model files: an .npz file with arrays named "layer.parameter" and a JSON text named "config".

NumPy reads it too: np.load("model.npz")["0.W"]. Nothing is pickled or unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, NamedTuple

import numpy as np

from nn.core import files, npz
from nn.models.builder import MAX_PARAMETERS
from nn.models.sequential import Params, Sequential

# 1: one scale for all inputs, class numbers; read by version 0.1.0 too. 2: with an encoder or a decoder.
PLAIN, ENCODED = FORMATS = (1, 2)
LARGEST = 4 * MAX_PARAMETERS + (64 << 20)  # bytes: all parameters and the description


def to_bytes(model: Sequential, params: Params, about: dict[str, Any] | None = None) -> bytes:
    """Return the content of a model file. The same values give the same bytes."""
    config = {
        "format": PLAIN if model.is_plain else ENCODED,
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
    """Write a model file atomically."""
    files.write(path, to_bytes(model, params, about))


class SavedModel(NamedTuple):
    """The content of a model file."""

    model: Sequential
    params: Params
    about: dict[str, Any]  # how it was trained

    @property
    def fingerprint(self) -> str:
        """Return a hash of the network and its weights. It finds mistakes, not manipulation."""
        digest = hashlib.sha256(json.dumps(self.model.config()).encode())
        for values in self.params:
            for array in values.values():
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def from_bytes(content: bytes) -> SavedModel:
    """Read the content of a model file. Raises ValueError that says what does not fit."""
    values = npz.from_bytes(content)
    try:
        config = _pop_config(values)
        model = Sequential.from_config(config)
    except RecursionError:
        raise ValueError("expected a description of a network, found brackets nested too deep") from None
    params: Params = []
    for index, (shapes, _) in enumerate(model.shapes()):
        params.append({key: _pop_array(values, f"{index}.{key}", shape) for key, shape in shapes.items()})
    if values:
        raise ValueError(f"expected only the arrays of its layers, found {min(values)[:80]!a} too")
    return SavedModel(model, params, config.get("about", {}))


def _pop_config(values: dict[str, np.ndarray]) -> dict[str, Any]:
    config = npz.pop_json(values, "config")
    if config.get("format") not in FORMATS or isinstance(config["format"], bool):
        raise ValueError(
            f"expected model format {PLAIN} or {ENCODED}, found {ascii(config.get('format'))[:20]}"
        )
    return config


def _pop_array(values: dict[str, np.ndarray], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in values:
        raise ValueError(f"the array {name!r} is missing")
    array = values.pop(name)
    if array.shape != shape or array.dtype != np.float32:
        raise ValueError(f"{name!r}: expected float32 {shape}, found {array.dtype} {array.shape}")
    finite = np.isfinite(array)
    if not finite.all():
        raise ValueError(f"{name!r}: expected finite numbers, found {array.flat[finite.argmin()]:g}")
    return array
