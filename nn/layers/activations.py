"""Bend each number by itself: sigmoid, tanh, relu.

Each class caches its output, in which its slope is cheapest to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nn.layers.layer import Layer


@dataclass(frozen=True)
class Sigmoid(Layer):
    """out = 1 / (1 + exp(-x)), slope out (1 - out).

    Written with tanh, 1/(1+exp(-x)) = (1 + tanh(x/2)) / 2, which overflows for no x.
    """

    name: ClassVar[str] = "sigmoid"

    def forward(self, params, x, training=None):
        """Map to (0, 1)."""
        out = np.tanh(x * x.dtype.type(0.5))
        out += 1
        out *= x.dtype.type(0.5)
        return out, out

    def backward(self, params, cache, dout, want_grads=True, want_dx=True):
        """dx = dout out (1 - out)."""
        if not want_dx:
            return {}, None
        dx = 1 - cache
        dx *= cache
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class Tanh(Layer):
    """out = tanh(x), slope 1 - out^2."""

    name: ClassVar[str] = "tanh"

    def forward(self, params, x, training=None):
        """Map to (-1, 1)."""
        out = np.tanh(x)
        return out, out

    def backward(self, params, cache, dout, want_grads=True, want_dx=True):
        """dx = dout (1 - out^2)."""
        if not want_dx:
            return {}, None
        dx = cache * cache
        np.subtract(1, dx, out=dx)
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class Relu(Layer):
    """out = max(x, 0), slope 1 where x > 0 and 0 elsewhere (Nair and Hinton, 2010)."""

    name: ClassVar[str] = "relu"

    def forward(self, params, x, training=None):
        """Cut off below zero."""
        out = np.maximum(x, 0)
        return out, out

    def backward(self, params, cache, dout, want_grads=True, want_dx=True):
        """dx = dout where out > 0."""
        if not want_dx:
            return {}, None
        return {}, dout * (cache > 0)
