"""Work on nests of arrays: dicts, lists and tuples whose leaves are NumPy arrays.

Parameters, gradients and optimiser state are such nests. A function written for one array is lifted
to the whole nest with `map_arrays`; nests of the same shape walk in step.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Tree = Any  # dict[str, Tree] | list[Tree] | tuple[Tree, ...] | np.ndarray


def map_arrays(function: Callable, tree: Tree, *others: Tree) -> Tree:
    """Apply `function(array, *arrays)` leaf by leaf; the result has the first nest's shape."""
    if isinstance(tree, dict):
        return {key: map_arrays(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, (list, tuple)):
        for other in others:
            if len(other) != len(tree):
                raise ValueError(f"nests differ: expected {len(tree)} branches, got {len(other)}")
        return type(tree)(map_arrays(function, *branches) for branches in zip(tree, *others, strict=True))
    return function(tree, *others)


def arrays(tree: Tree) -> Iterator[np.ndarray]:
    """Walk the leaves in a fixed order: dicts by insertion, sequences by index."""
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from arrays(branch)
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from arrays(branch)
    else:
        yield tree


def add(tree: Tree, other: Tree) -> Tree:
    """Sum two nests of the same shape, leaf by leaf."""
    return map_arrays(np.add, tree, other)


def scale(tree: Tree, factor: float) -> Tree:
    """Multiply every leaf by a number, keeping each leaf's dtype."""
    return map_arrays(lambda leaf: leaf * leaf.dtype.type(factor), tree)


def scale_inplace(tree: Tree, factor: float) -> Tree:
    """Multiply every leaf by a number, in place where it is an array and no lone number."""
    return map_arrays(lambda leaf: operator.imul(leaf, leaf.dtype.type(factor)), tree)


def dot(tree: Tree, other: Tree) -> float:
    """Inner product of two nests, summed in float64."""
    products = map_arrays(lambda a, b: np.sum(np.multiply(a, b, dtype=np.float64)), tree, other)
    return float(sum(arrays(products)))


def norm(tree: Tree) -> float:
    """Euclidean norm of all leaves together; infinite where a square overflows float64, nan where a leaf has one."""
    return math.sqrt(dot(tree, tree))


def copy(tree: Tree) -> Tree:
    """The same nest with arrays of its own."""
    return map_arrays(np.copy, tree)


def count(tree: Tree) -> int:
    """How many numbers the nest holds."""
    return sum(leaf.size for leaf in arrays(tree))


def all_finite(tree: Tree) -> bool:
    """Whether no leaf holds a nan or an infinity."""
    return all(bool(np.isfinite(leaf).all()) for leaf in arrays(tree))


def bytes_of(tree: Tree) -> int:
    """How many bytes the nest's arrays take."""
    return sum(leaf.nbytes for leaf in arrays(tree))
