"""Layer normalization: out = gain (x - mean) / sqrt(variance + epsilon) + bias, over the last axis of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nn.core.constraints import POSITIVE
from nn.core.random import Key
from nn.layers.base import Layer, Params, Shape, describe_shape


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalization over the last axis, with a learned gain and bias (Ba, Kiros and Hinton, 2016).

    A row (d,) is normalized over its d features, an image (h, w, c) over the channels of each pixel. Regularization
    does not apply to gain and bias. Raises ValueError for an epsilon that is not above 0. `shapes` raises ValueError
    for a last axis of size 1, where every output would be the bias.

    There is no batch normalization, on purpose. Rows are spread over machines: either each machine would normalize by
    the mean and variance of its own rows, so that results would depend on the partitioning, or each such layer would
    need a job to gather them first. Layer normalization needs one row at a time.
    """

    name: ClassVar[str] = "layernorm"
    epsilon: Annotated[float, POSITIVE] = 1e-5

    def shapes(self, input_shape: Shape) -> tuple[dict[str, Shape], Shape]:
        """Return gain (c,), bias (c,) and the input shape; c is the size of the last axis."""
        features = input_shape[-1]
        if features < 2:
            raise ValueError(f"needs at least 2 features in the last axis, got {describe_shape(input_shape)}")
        return {"gain": (features,), "bias": (features,)}, input_shape

    def build(self, input_shape: Shape, rng: np.random.Generator) -> tuple[Params, Shape]:
        """Set gain to 1 and bias to 0."""
        shapes, output_shape = self.shapes(input_shape)
        params = {"gain": np.ones(shapes["gain"], np.float32), "bias": np.zeros(shapes["bias"], np.float32)}
        return params, output_shape

    def forward(self, params: Params, x: np.ndarray, key: Key | None = None) -> tuple[np.ndarray, Any]:
        """Normalize, scale and shift; the cache is (normal, 1 / standard deviation)."""
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
        self, params: Params, cache: Any, dout: np.ndarray, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """With dnormal = dout gain, dx = scale (dnormal - mean(dnormal) - normal mean(dnormal normal))."""
        normal, scale = cache
        axes = list(range(dout.ndim))
        grads = {
            "gain": np.einsum(dout, axes, normal, axes, axes[-1:]),  # (c,)
            "bias": np.einsum(dout, axes, axes[-1:]),  # (c,)
        }
        if not needs_dx:
            return grads, None
        dx = dout * params["gain"]  # dnormal
        along = _mean(dx, normal)
        dx -= _mean(dx)
        dx -= normal * along
        dx *= scale
        return grads, dx


def _mean(x: np.ndarray, other: np.ndarray | None = None) -> np.ndarray:
    """Return the mean of x, or of x times another array, over the last axis, (n, ..., 1).

    np.einsum takes a third of the time of np.mean, and needs no array for the product.
    """
    total = np.einsum("...c->...", x) if other is None else np.einsum("...c,...c->...", x, other)
    total /= x.shape[-1]
    return total[..., None]
