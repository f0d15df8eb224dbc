"""Compute with trees of arrays: nested dicts, lists and tuples whose leaves are NumPy arrays.

Parameters, gradients and optimizer state are such trees (pytrees in JAX). `map_arrays` applies a function of one array
to every leaf. Trees that are combined must have the same structure.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Tree = Any  # dict[str, Tree] | list[Tree] | tuple[Tree, ...] | np.ndarray


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
        return type(tree)(map_arrays(function, *branches) for branches in zip(tree, *others, strict=True))
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


class Optional(NamedTuple):
    """Part of an example for `check_like`: None or a value like `example`."""

    example: Any


class ListOf(NamedTuple):
    """Part of an example for `check_like`: a list of at most `max_length` values like `example`."""

    example: Any
    max_length: int


def check_like(value: Any, example: Any, where: str) -> None:
    """Check that `value`, read from a file, has the structure, shapes and types of `example`.

    A dict must have the same keys in the same order, a list or tuple the same length, an array the same shape and
    dtype, any other value the same type. Raises ValueError with the path below `where` to the first difference.
    """
    if isinstance(example, Optional):
        if value is not None:
            check_like(value, example.example, where)
    elif isinstance(example, ListOf):
        fits = isinstance(value, list) and len(value) <= example.max_length
        _expect(fits, where, f"at most {example.max_length} values", value)
        for index, item in enumerate(value):
            check_like(item, example.example, f"{where}.{index}")
    elif isinstance(example, dict):
        fits = isinstance(value, dict) and list(value) == list(example)
        _expect(fits, where, ", ".join(example) or "nothing", value)
        for key, branch in example.items():
            check_like(value[key], branch, f"{where}.{key}")
    elif isinstance(example, (list, tuple)):
        fits = isinstance(value, (list, tuple)) and len(value) == len(example)
        _expect(fits, where, _kind(example), value)
        for index, (item, branch) in enumerate(zip(value, example, strict=True)):
            check_like(item, branch, f"{where}.{index}")
    elif isinstance(example, np.ndarray):
        fits = isinstance(value, np.ndarray) and (value.shape, value.dtype) == (example.shape, example.dtype)
        _expect(fits, where, _kind(example), value)
    else:
        _expect(type(value) is type(example), where, _kind(example), value)


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
