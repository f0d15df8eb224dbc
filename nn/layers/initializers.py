"""Draw initial weights: (rng, shape, fan_in, fan_out) -> W of that shape, float32.

fan_in is the number of inputs that each output sums, fan_out the number of outputs that each input contributes to. A
variance of 1 / fan_in gives outputs the variance of the inputs. The families differ in the variance:

glorot    2 / (fan_in + fan_out)    a compromise between outputs and gradients (Glorot and Bengio, 2010)
he        2 / fan_in                for relu, which halves the mean square (He et al., 2015)
lecun     1 / fan_in                for outputs alone (LeCun et al., 1998; for selu: Klambauer et al., 2017)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nn.core.constraints import OneOf

Shape = tuple[int, ...]
Initializer = Callable[[np.random.Generator, Shape, int, int], np.ndarray]


def glorot_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw uniformly from +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    return _uniform(rng, shape, np.sqrt(6.0 / (fan_in + fan_out)))


def glorot_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw from a normal distribution of variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010)."""
    return _normal(rng, shape, 2.0 / (fan_in + fan_out))


def he_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw uniformly from +-sqrt(6 / fan_in), made for relu (He et al., 2015)."""
    return _uniform(rng, shape, np.sqrt(6.0 / fan_in))


def he_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw from a normal distribution of variance 2 / fan_in, made for relu (He et al., 2015)."""
    return _normal(rng, shape, 2.0 / fan_in)


def lecun_uniform(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw uniformly from +-sqrt(3 / fan_in) (LeCun et al., 1998)."""
    return _uniform(rng, shape, np.sqrt(3.0 / fan_in))


def lecun_normal(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw from a normal distribution of variance 1 / fan_in (LeCun et al., 1998; Klambauer et al., 2017)."""
    return _normal(rng, shape, 1.0 / fan_in)


def zeros(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Return zeros: for a last layer only, because the units of a hidden layer would stay equal."""
    return np.zeros(shape, np.float32)


def original(rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int) -> np.ndarray:
    """Draw uniformly from +-0.5 for any shape, as in the tutorial that this project started from."""
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
INITIALIZER = OneOf(tuple(INITIALIZERS))


def draw_weights(
    initializer: str | None, gain: float, rng: np.random.Generator, shape: Shape, fan_in: int, fan_out: int
) -> np.ndarray:
    """Draw a layer's initial weights, float32: the named initializer times the gain; None is glorot_uniform."""
    return INITIALIZERS[initializer or "glorot_uniform"](rng, shape, fan_in, fan_out) * np.float32(gain)


def _uniform(rng: np.random.Generator, shape: Shape, limit: float) -> np.ndarray:
    return rng.uniform(-limit, limit, size=shape).astype(np.float32)


def _normal(rng: np.random.Generator, shape: Shape, variance: float) -> np.ndarray:
    return (rng.standard_normal(shape) * np.sqrt(variance)).astype(np.float32)
