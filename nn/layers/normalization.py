"""Give each row mean 0 and variance 1 over its features: out = gain (x - mean) / sqrt(variance + epsilon) + bias."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, describe_shape


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalisation over the last axis, with a learned gain and bias (Ba, Kiros and Hinton, 2016).

    A row (d,) is normalised over all its features, an image (h, w, c) over the channels of each place. Gain and bias
    are no weights: penalties leave them out. Raises ValueError for an epsilon that is not above 0, and at build for
    a last axis of 1, whose only number would always become 0.

    Those who look for batch normalisation: it is left out on purpose. A batch's mean and variance do not survive
    rows spread over machines: each machine would normalise by its own rows, so that the result would depend on how
    the data are cut, or a job for each such layer would have to gather them first. This layer needs one row alone.
    """

    name: ClassVar[str] = "layernorm"
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        is_number = isinstance(self.epsilon, (int, float)) and not isinstance(self.epsilon, bool)
        if not (is_number and 0 < self.epsilon < math.inf):
            raise ValueError(f"LayerNorm epsilon must be a finite number above 0, got {self.epsilon!r}")

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """gain (c,), bias (c,), with c the last axis."""
        features = input_shape[-1]
        if features < 2:
            raise ValueError(f"needs at least 2 features in the last axis, got {describe_shape(input_shape)}")
        return {"gain": (features,), "bias": (features,)}, input_shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Start from the normalised row itself: gain 1, bias 0."""
        shapes, output_shape = self.shapes(input_shape)
        params = {"gain": np.ones(shapes["gain"], np.float32), "bias": np.zeros(shapes["bias"], np.float32)}
        return params, output_shape

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Normalise, scale and shift."""
        normal = x - _mean(x)
        scale = _mean(normal, normal)  # (n, ..., 1)
        scale += x.dtype.type(self.epsilon)
        np.sqrt(scale, out=scale)
        np.divide(1, scale, out=scale)
        normal *= scale
        out = normal * params["gain"]
        out += params["bias"]
        return out, (normal, scale)

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """With dnormal = dout gain, dx = scale (dnormal - mean(dnormal) - normal mean(dnormal normal))."""
        normal, scale = cache
        grads: Params = {}
        if want_grads:
            axes = list(range(dout.ndim))
            grads["gain"] = np.einsum(dout, axes, normal, axes, axes[-1:])  # (c,)
            grads["bias"] = np.einsum(dout, axes, axes[-1:])  # (c,)
        if not needs_dx:
            return grads, None
        dx = dout * params["gain"]  # dnormal
        along = _mean(dx, normal)
        dx -= _mean(dx)
        dx -= normal * along
        dx *= scale
        return grads, dx


def _mean(x: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """The mean of x, or of x times another array, over the last axis: (n, ..., 1).

    np.einsum sums the last axis in a third of np.mean's time, and a product without writing it down.
    """
    total = np.einsum("...c->...", x) if other is None else np.einsum("...c,...c->...", x, other)
    total /= x.shape[-1]
    return total[..., None]
