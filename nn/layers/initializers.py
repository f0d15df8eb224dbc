"""Draw start values for weights: (rng, shape, fan_in, fan_out) -> W of that shape, float32.

fan_in is how many numbers each output is a sum of, fan_out in how many outputs each input takes part. A variance of
1 / fan_in keeps outputs as large as inputs; the families differ in what else they keep even.

glorot    2 / (fan_in + fan_out)    outputs forward and gradients back (Glorot and Bengio, 2010)
he        2 / fan_in                outputs behind relu, which halves their squares (He et al., 2015)
lecun     1 / fan_in                outputs forward (LeCun et al., 1998; selu's: Klambauer et al., 2017)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

Shape = tuple[int, ...]
Initializer = Callable[[np.random.Generator, Shape, int, int], np.ndarray]


def glorot_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Uniform within +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    return _uniform(rng, shape, np.sqrt(6.0 / (fan_in + fan_out)))


def glorot_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return _normal(rng, shape, 2.0 / (fan_in + fan_out))


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Uniform within +-sqrt(6 / fan_in), made for relu (He et al., 2015)."""
    return _uniform(rng, shape, np.sqrt(6.0 / fan_in))


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Normal with variance 2 / fan_in, made for relu (He et al., 2015)."""
    return _normal(rng, shape, 2.0 / fan_in)


def lecun_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Uniform within +-sqrt(3 / fan_in) (LeCun et al., 1998)."""
    return _uniform(rng, shape, np.sqrt(3.0 / fan_in))


def lecun_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Normal with variance 1 / fan_in (LeCun et al., 1998; in use again since Klambauer et al., 2017)."""
    return _normal(rng, shape, 1.0 / fan_in)


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """All zero; behind a hidden layer's weights all units would stay alike, so it suits a last layer alone."""
    return np.zeros(shape, np.float32)


def original(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Uniform within +-0.5 whatever the shape, as in the tutorial that this project grew from."""
    return _uniform(rng, shape, 0.5)


INITIALIZERS: dict[str, Initializer] = {
    function.__name__: function
    for function in (
        glorot_uniform,
        glorot_normal,
        he_uniform,
        he_normal,
        lecun_uniform,
        lecun_normal,
        zeros,
        original,
    )
}


def check_start(initializer: str | None, gain: float) -> None:
    """ValueError unless `draw` knows the initializer, or is left the choice by None, and the gain is above 0."""
    if initializer is not None and (not isinstance(initializer, str) or initializer not in INITIALIZERS):
        raise ValueError(f"unknown initializer {initializer!r}; known: {', '.join(INITIALIZERS)}")
    if isinstance(gain, bool) or not isinstance(gain, (int, float)) or not 0 < gain < math.inf:
        raise ValueError(f"the start values' gain must be a finite number above 0, got {gain!r}")


def draw(
    initializer: str | None, gain: float, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int
) -> np.ndarray:
    """A layer's start values, float32: what the named function draws, times the gain; None is glorot_uniform."""
    return INITIALIZERS[initializer or "glorot_uniform"](rng, shape, fan_in, fan_out) * np.float32(gain)


def _uniform(rng: np.random.Generator, shape: Shape, limit: float) -> np.ndarray:
    return rng.uniform(-limit, limit, size=shape).astype(np.float32)


def _normal(rng: np.random.Generator, shape: Shape, variance: float) -> np.ndarray:
    return (rng.standard_normal(shape) * np.sqrt(variance)).astype(np.float32)
