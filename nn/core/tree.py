"""Compute with trees of arrays: nested dicts, lists, tuples and NamedTuples whose leaves are NumPy arrays.

Parameters, gradients and optimizer state are such trees (pytrees in JAX). `map_arrays` applies a function of one array
to every leaf. Trees that are combined must have the same structure.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

Tree = Any  # dict[str, Tree] | list[Tree] | tuple[Tree, ...] | np.ndarray
T = TypeVar("T")


def map_arrays(function: Callable, tree: Tree, *others: Tree) -> Tree:
    """Apply `function(leaf, *other_leaves)` to every leaf; return a tree of the results.

    Raises ValueError where lists or tuples have different lengths.
    """
    if isinstance(tree, dict):
        return {key: map_arrays(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, (list, tuple)):
        for other in others:
            if len(other) != len(tree):
                raise ValueError(f"the trees differ: expected {len(tree)} branches, got {len(other)}")
        branches = zip(tree, *others, strict=True)
        return _sequence(type(tree), [map_arrays(function, *branch) for branch in branches])
    return function(tree, *others)


def arrays(tree: Tree) -> Iterator[np.ndarray]:
    """Yield the leaves in a fixed order: dicts by insertion, lists and tuples by index."""
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from arrays(branch)
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from arrays(branch)
    else:
        yield tree


def add(tree: Tree, other: Tree) -> Tree:
    """Add two trees, leaf by leaf."""
    return map_arrays(np.add, tree, other)


def scale(tree: Tree, factor: float) -> Tree:
    """Multiply every leaf by a number; each leaf keeps its dtype."""
    return map_arrays(lambda leaf: leaf * leaf.dtype.type(factor), tree)


def scale_inplace(tree: Tree, factor: float) -> Tree:
    """Multiply every array by a number in place; return the tree. NumPy scalars are replaced, not changed."""
    return map_arrays(lambda leaf: operator.imul(leaf, leaf.dtype.type(factor)), tree)


def dot(tree: Tree, other: Tree) -> float:
    """Return the inner product of two trees, summed in float64."""
    products = map_arrays(lambda a, b: np.sum(np.multiply(a, b, dtype=np.float64)), tree, other)
    return float(sum(arrays(products)))


def norm(tree: Tree) -> float:
    """Return the Euclidean norm over all leaves: infinity if a square overflows float64, nan if a leaf holds a nan."""
    return math.sqrt(dot(tree, tree))


def copy(tree: Tree) -> Tree:
    """Copy every array."""
    return map_arrays(np.copy, tree)


def count(tree: Tree) -> int:
    """Return the number of elements in all arrays."""
    return sum(leaf.size for leaf in arrays(tree))


def all_finite(tree: Tree) -> bool:
    """Return whether no leaf holds a nan or an infinity."""
    return all(bool(np.isfinite(leaf).all()) for leaf in arrays(tree))


def bytes_of(tree: Tree) -> int:
    """Return the size of all arrays in bytes."""
    return sum(leaf.nbytes for leaf in arrays(tree))


# ---- states <-> values that a file can store ----

_KEYS: dict[type, tuple[str, ...]] = {}  # of the NamedTuples that are stored as dicts


def stored_as(*keys: str) -> Callable[[type[T]], type[T]]:
    """Store a NamedTuple as a dict with these keys, one per field; without this decorator it is stored as a list.

    Keys of files stay valid: where a field was renamed, its key is the name that it had.
    """

    def register(kind: type[T]) -> type[T]:
        _KEYS[kind] = keys
        return kind

    return register


def to_plain(value: Any) -> Any:
    """Return the value with dicts, or lists, in place of its NamedTuples: `read_like` reverses it."""
    if type(value) in _KEYS:
        value = dict(zip(_KEYS[type(value)], value, strict=True))
    if isinstance(value, dict):
        return {key: to_plain(branch) for key, branch in value.items()}
    if isinstance(value, list) or hasattr(value, "_fields"):
        return [to_plain(branch) for branch in value]
    return value


class _Optional(NamedTuple):
    example: Any


class _ListOf(NamedTuple):
    example: Any
    max_length: int


def optional(example: T) -> T | None:
    """Return a part of an example for `read_like`: None or a value like `example`."""
    return cast(T, _Optional(example))


def list_of(example: T, max_length: int) -> list[T]:
    """Return a part of an example for `read_like`: a list of at most `max_length` values like `example`."""
    return cast("list[T]", _ListOf(example, max_length))


def read_like(value: Any, example: Any, where: str) -> Any:
    """Return `value`, read from a file, with the NamedTuples of `example`, each built after its fields are checked.

    A dict must have the same keys in the same order, a list or tuple the same length, an array the same shape and
    dtype, any other value the same type. Raises ValueError with the path below `where` to the first difference.
    """
    if isinstance(example, _Optional):
        return None if value is None else read_like(value, example.example, where)
    if isinstance(example, _ListOf):
        fits = isinstance(value, list) and len(value) <= example.max_length
        _expect(fits, where, f"at most {example.max_length} values", value)
        return [read_like(item, example.example, f"{where}.{index}") for index, item in enumerate(value)]
    if type(example) in _KEYS:
        fields = read_like(value, dict(zip(_KEYS[type(example)], example, strict=True)), where)
        return type(example)(*fields.values())
    if isinstance(example, dict):
        fits = isinstance(value, dict) and list(value) == list(example)
        _expect(fits, where, ", ".join(example) or "nothing", value)
        return {key: read_like(value[key], branch, f"{where}.{key}") for key, branch in example.items()}
    if isinstance(example, (list, tuple)):
        fits = isinstance(value, (list, tuple)) and len(value) == len(example)
        _expect(fits, where, _kind(example), value)
        pairs = enumerate(zip(value, example, strict=True))
        return _sequence(type(example), [read_like(*pair, f"{where}.{index}") for index, pair in pairs])
    if isinstance(example, np.ndarray):
        fits = isinstance(value, np.ndarray) and (value.shape, value.dtype) == (example.shape, example.dtype)
    else:
        fits = type(value) is type(example)
    _expect(fits, where, _kind(example), value)
    return value


def _sequence(kind: Any, items: list[Any]) -> Any:
    """Return a list, tuple or NamedTuple of the items."""
    return kind._make(items) if hasattr(kind, "_make") else kind(items)


def _expect(fits: bool, where: str, expected: str, value: Any) -> None:
    if not fits:
        raise ValueError(f"{where}: expected {expected}, found {_kind(value)}")


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, dict):
        return (", ".join(ascii(key)[1:-1] for key in value) or "nothing")[:80]
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values"
    return "nothing" if value is None else type(value).__name__
