"""Convert nests of values to bytes and back without a copy of their arrays: blocks, sums, scores, statistics.

    length of the header (8 bytes), header (JSON), array, array, ...      each part at a multiple of ALIGNMENT

A nest is made of None, booleans, numbers, strings, arrays of numbers, lists, tuples, dicts, and NamedTuples of this
package. The header holds the nest with a place in the bytes for each array. Reading imports modules of this package
and builds nothing but the types above, so bytes from elsewhere cannot run code.
"""

from __future__ import annotations

import functools
import json
import math
from importlib import import_module
from typing import Any

import numpy as np

# Bytes: a multiple of every item size, so that arrays of one buffer are aligned as the buffer is.
ALIGNMENT = 64
LENGTH = "<u8"  # of the header's length
PACKAGE = __name__.partition(".")[0]
KINDS = "fiub"  # of arrays: numbers and booleans
# What bytes that are no nest raise.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ImportError, RecursionError, OverflowError)


def to_bytes(nest: Any) -> bytes:
    """Return the bytes of a nest. Raises TypeError for a value of another type."""
    arrays: list[np.ndarray] = []
    plain = _to_plain(nest, arrays)
    places, size = [], 0
    for array in arrays:
        places.append([array.dtype.str, array.shape, size])
        size += _padded(array.nbytes)
    header = json.dumps([places, plain]).encode()
    start = _padded(8 + len(header))
    content = bytearray(start + size)
    content[:8] = np.array(len(header), LENGTH).tobytes()
    content[8 : 8 + len(header)] = header
    for array, (_, shape, offset) in zip(arrays, places, strict=True):
        np.frombuffer(content, array.dtype, array.size, start + offset).reshape(shape)[...] = array
    return bytes(content)


def from_bytes(content: Any) -> Any:
    """Return the nest in a buffer. Its arrays are views of the buffer, and can be written to where the buffer can.

    Raises ValueError for bytes that are no nest.
    """
    view = memoryview(content)
    try:
        length = int(np.frombuffer(view, LENGTH, 1)[0])
        places, plain = json.loads(bytes(view[8 : 8 + length]))
        start = _padded(8 + length)
        arrays = [_array(view, start, *place) for place in places]
        return _from_plain(plain, arrays)
    except UNREADABLE as error:
        raise ValueError(f"expected the bytes of a nest, found others ({str(error)[:100]})") from None


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _array(view: memoryview, start: int, dtype: str, shape: list[int], offset: int) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind not in KINDS or offset < 0 or min(shape, default=0) < 0:
        raise ValueError(f"an array of {dtype}, {shape}")
    return np.frombuffer(view, kind, math.prod(shape), start + offset).reshape(shape)


def _to_plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return a value as JSON holds it, and append its arrays; `{name: items}` stands for what JSON has no form of."""
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind not in KINDS:
            raise TypeError(f"expected an array of numbers, got {value.dtype}")
        arrays.append(np.asarray(value))
        return {"array" if isinstance(value, np.ndarray) else "scalar": len(arrays) - 1}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {"dict": [[_to_plain(item, arrays) for item in pair] for pair in value.items()]}
    if isinstance(value, list):
        return [_to_plain(item, arrays) for item in value]
    if isinstance(value, tuple):
        name = (
            f"{type(value).__module__}:{type(value).__qualname__}" if hasattr(value, "_fields") else "tuple"
        )
        return {name: [_to_plain(item, arrays) for item in value]}
    raise TypeError(f"expected a value of a nest, got {type(value).__name__}")


def _from_plain(plain: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(plain, list):
        return [_from_plain(item, arrays) for item in plain]
    if not isinstance(plain, dict):
        return plain
    ((name, items),) = plain.items()
    if name == "array":
        return arrays[items]
    if name == "scalar":
        return arrays[items][()]
    if name == "dict":
        return {_from_plain(key, arrays): _from_plain(item, arrays) for key, item in items}
    values = [_from_plain(item, arrays) for item in items]
    return tuple(values) if name == "tuple" else _named_tuple(name)._make(values)


@functools.cache
def _named_tuple(name: str) -> Any:
    """Return the NamedTuple `module:name` of this package."""
    module, _, kind = name.partition(":")
    if module.partition(".")[0] != PACKAGE:
        raise ValueError(f"{name} is not of the package {PACKAGE}")
    found = getattr(import_module(module), kind)
    if not (isinstance(found, type) and hasattr(found, "_make")):
        raise ValueError(f"{name} is no NamedTuple")
    return found
