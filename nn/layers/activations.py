"""Bend each number by itself: out = f(x), dx = dout f'(x).

Each class caches the array in which its slope is cheapest to write, mostly its output. None overflows, and all keep
the order in which their inputs lie in memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nn.core.random import Key
from nn.layers.base import Layer, Params


@dataclass(frozen=True)
class Sigmoid(Layer):
    """out = 1 / (1 + exp(-x)), slope out (1 - out).

    Written with tanh, 1/(1+exp(-x)) = (1 + tanh(x/2)) / 2, which overflows for no x.
    """

    name: ClassVar[str] = "sigmoid"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map to (0, 1)."""
        out = x * x.dtype.type(0.5)
        np.tanh(out, out=out)
        out += 1
        out *= x.dtype.type(0.5)
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout out (1 - out)."""
        if not needs_dx:
            return {}, None
        dx = 1 - cache
        dx *= cache
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class Tanh(Layer):
    """out = tanh(x), slope 1 - out^2."""

    name: ClassVar[str] = "tanh"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Map to (-1, 1)."""
        out = np.tanh(x)
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout (1 - out^2)."""
        if not needs_dx:
            return {}, None
        dx = cache * cache
        np.subtract(1, dx, out=dx)
        dx *= dout
        return {}, dx


# np.clip against an infinity takes a third of the time of np.maximum against a number.


@dataclass(frozen=True)
class Relu(Layer):
    """out = max(x, 0), slope 1 where x > 0 and 0 elsewhere (Nair and Hinton, 2010)."""

    name: ClassVar[str] = "relu"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Cut off below zero."""
        out = np.clip(x, 0, np.inf)
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout where out > 0."""
        if not needs_dx:
            return {}, None
        dx = _is_above_zero(cache)
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class LeakyRelu(Layer):
    """out = x above 0 and slope x below, slope 1 or `slope` (Maas, Hannun and Ng, 2013).

    Raises ValueError for a slope outside [0, 1).
    """

    name: ClassVar[str] = "leaky_relu"
    positional: ClassVar[tuple[str, ...]] = ("slope",)
    slope: float = 0.01

    def __post_init__(self) -> None:
        if not (_is_number(self.slope) and 0 <= self.slope < 1):
            raise ValueError(f"LeakyRelu slope must be in [0, 1), got {self.slope!r}")

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Flatten below zero."""
        out = x * x.dtype.type(self.slope)
        np.maximum(x, out, out=out)
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout where out > 0, slope dout elsewhere."""
        if not needs_dx:
            return {}, None
        dx = _is_above_zero(cache)
        np.clip(dx, self.slope, 1, out=dx)
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class Elu(Layer):
    """out = x above 0 and alpha (exp(x) - 1) below, slope 1 or out + alpha (Clevert et al., 2016).

    Raises ValueError for an alpha that is not above 0.
    """

    name: ClassVar[str] = "elu"
    positional: ClassVar[tuple[str, ...]] = ("alpha",)
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not (_is_number(self.alpha) and 0 < self.alpha < math.inf):
            raise ValueError(f"Elu alpha must be a finite number above 0, got {self.alpha!r}")

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Bend towards -alpha below zero."""
        below = np.clip(x, -np.inf, 0)
        np.expm1(below, out=below)
        below *= x.dtype.type(self.alpha)
        out = np.clip(x, 0, np.inf)
        out += below
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout where out > 0, dout (out + alpha) elsewhere."""
        if not needs_dx:
            return {}, None
        dx = np.clip(cache, -np.inf, 0)
        dx += dx.dtype.type(self.alpha)
        if self.alpha != 1:
            above = _is_above_zero(cache)
            above *= above.dtype.type(1 - self.alpha)
            dx += above
        dx *= dout
        return {}, dx


@dataclass(frozen=True)
class Gelu(Layer):
    """out = x p, p = (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel, 2016).

    This is the authors' tanh form, within 0.0005 of x times the normal distribution's share below x: that one
    needs erf, which NumPy lacks. Caches p and x cut to +-10, beyond which p is exactly 0 or 1 and a cube may overflow.
    """

    name: ClassVar[str] = "gelu"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Weigh x by the share p."""
        near = np.clip(x, -10, 10)
        p = near * near
        p *= x.dtype.type(_ROOT * _CUBE)
        p += x.dtype.type(_ROOT)
        p *= near
        np.tanh(p, out=p)
        p += 1
        p *= x.dtype.type(0.5)
        return x * p, (near, p)

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout (p + x p'), p' = 2 p (1 - p) sqrt(2/pi) (1 + 3 0.044715 x^2)."""
        if not needs_dx:
            return {}, None
        near, p = cache
        dx = near * near
        dx *= dx.dtype.type(6 * _ROOT * _CUBE)
        dx += dx.dtype.type(2 * _ROOT)
        dx *= near
        dx *= p
        dx *= 1 - p
        dx += p
        dx *= dout
        return {}, dx


_ROOT, _CUBE = math.sqrt(2 / math.pi), 0.044715


@dataclass(frozen=True)
class Softplus(Layer):
    """out = log(1 + exp(x)), slope 1 - exp(-out) (Dugas et al., 2001).

    Written as max(x, 0) + log1p(exp(-|x|)), which overflows for no x.
    """

    name: ClassVar[str] = "softplus"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Round off relu's corner."""
        out = np.abs(x)
        np.negative(out, out=out)
        np.exp(out, out=out)
        np.log1p(out, out=out)
        out += np.clip(x, 0, np.inf)
        return out, out

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout (1 - exp(-out))."""
        if not needs_dx:
            return {}, None
        dx = np.negative(cache)
        np.expm1(dx, out=dx)
        dx *= dout
        np.negative(dx, out=dx)
        return {}, dx


@dataclass(frozen=True)
class Identity(Layer):
    """out = x, for a place where a name is asked for and nothing should bend."""

    name: ClassVar[str] = "identity"

    def forward(self, params: Params, x: np.ndarray, training: Key | None = None) -> tuple[np.ndarray, Any]:
        """Hand x on."""
        return x, None

    def backward(
        self, params: Params, cache: Any, dout: np.ndarray, want_grads: bool = True, needs_dx: bool = True
    ) -> tuple[Params, np.ndarray | None]:
        """dx = dout."""
        return {}, dout if needs_dx else None


def _is_above_zero(x: np.ndarray) -> np.ndarray:
    """1 where x > 0, else 0, in x's dtype: a product with that is a third cheaper than one with booleans."""
    return (x > 0).astype(x.dtype)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
