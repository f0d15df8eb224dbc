"""Draw start values for weights: (rng, shape, fan_in, fan_out) -> W of that shape, float32.

Glorot's uniform draw keeps the variance of outputs and gradients even from layer to layer:
W ~ U(-a, a) with a = sqrt(6 / (fan_in + fan_out))   (Glorot and Bengio, 2010)
"""

from __future__ import annotations

import numpy as np


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> np.ndarray:
    """Uniform within +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010)."""
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, size=shape).astype(np.float32)


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> np.ndarray:
    """Normal with variance 2 / fan_in, made for relu (He et al., 2015)."""
    return (rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32)


INITIALIZERS = {"glorot_uniform": glorot_uniform, "he_normal": he_normal}
