"""Hold a nest that came from a file against one that is as it should be, before anything is made of it.

A model nest is dicts, lists, arrays and plain values; each stands for its like: a dict for one with the same keys, a
list for one of the same length, an array for one of the same shape and type, a number or text for any of its kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Maybe(NamedTuple):
    """Stands for None or what is like this."""

    like: Any


class Many(NamedTuple):
    """Stands for a list of at most so many that are like this."""

    like: Any
    most: int


def check(found: Any, like: Any, where: str) -> None:
    """Raise ValueError, with the place below `where`, unless the one nest is like the other."""
    if isinstance(like, Maybe):
        if found is not None:
            check(found, like.like, where)
    elif isinstance(like, Many):
        _expect(isinstance(found, list) and len(found) <= like.most, where, f"at most {like.most}", found)
        for place, each in enumerate(found):
            check(each, like.like, f"{where}.{place}")
    elif isinstance(like, dict):
        names = ", ".join(like) or "nothing"
        _expect(isinstance(found, dict) and list(found) == list(like), where, names, found)
        for key, branch in like.items():
            check(found[key], branch, f"{where}.{key}")
    elif isinstance(like, (list, tuple)):
        fits = isinstance(found, (list, tuple)) and len(found) == len(like)
        _expect(fits, where, f"{len(like)} values", found)
        for place, (each, branch) in enumerate(zip(found, like, strict=True)):
            check(each, branch, f"{where}.{place}")
    elif isinstance(like, np.ndarray):
        fits = isinstance(found, np.ndarray) and (found.shape, found.dtype) == (like.shape, like.dtype)
        _expect(fits, where, _kind(like), found)
    else:
        _expect(type(found) is type(like), where, _kind(like), found)


def _expect(fits: bool, where: str, expected: str, found: Any) -> None:
    if not fits:
        raise ValueError(f"{where}: expected {expected}, found {_kind(found)}")


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    if isinstance(value, dict):
        return (", ".join(ascii(key)[1:-1] for key in value) or "nothing")[:80]
    if isinstance(value, (list, tuple)):
        return f"{len(value)} values"
    return "nothing" if value is None else type(value).__name__
