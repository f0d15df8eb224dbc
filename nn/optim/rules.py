"""Update rules: one step along a gradient, for one array; first_order.py applies a rule to all parameters.

sgd        W <- W - r g                                                                      (Robbins and Monro, 1951)
momentum   v <- m v + g,                   W <- W - r v                                      (Polyak, 1964)
nesterov   v <- m v + g,                   W <- W - r (g + m v)           (Nesterov, 1983; Sutskever et al., 2013)
adagrad    s <- s + g^2,                   W <- W - r g / (sqrt(s) + e)                      (Duchi et al., 2011)
rmsprop    s <- d s + (1 - d) g^2,         W <- W - r g / (sqrt(s) + e)                      (Tieleman and Hinton, 2012)
adam       m <- b1 m + (1 - b1) g,  s <- b2 s + (1 - b2) g^2,
           W <- W - r (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + e)                          (Kingma and Ba, 2015)
adamw      W <- (1 - r weight_decay) W, then adam                                          (Loshchilov and Hutter, 2019)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nn.core.constraints import FROM_0_BELOW_1, NON_NEGATIVE, POSITIVE, check_fields

Slot = dict[str, np.ndarray]


@dataclass(frozen=True)
class Rule:
    """Base class of the first-order update rules, which work in place: `update` overwrites w, the slot and g.

    nn.optim.contract.check_rule checks a rule.
    """

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()
    default_learning_rate: ClassVar[float] = 0.1  # where the user names none
    weight_decay: ClassVar[float] = 0.0
    needs_exact_cost: ClassVar[bool] = False  # False: the cost of a sample of the rows is enough
    elementwise: ClassVar[bool] = False  # True: each number of w depends on its own g and slot alone

    def __post_init__(self) -> None:
        check_fields(self)

    def start(self, w: np.ndarray) -> Slot:
        """Return the state that the rule keeps for one array: here none.

        Every 64 steps, denormal numbers in an array of floats are set to zero (nn.optim.first_order.flush_denormal).
        """
        return {}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """Take one step for one array. w, g and the slot are overwritten."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Rule):
    """Plain gradient descent (Robbins and Monro, 1951)."""

    name: ClassVar[str] = "sgd"
    elementwise: ClassVar[bool] = True

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """W <- W - r g."""
        g *= w.dtype.type(rate)
        w -= g


@dataclass(frozen=True)
class Momentum(Rule):
    """Gradient descent with a velocity that decays by the factor `momentum` at each step (Polyak, 1964).

    The rate multiplies the velocity, not the gradient, so that halving the rate halves the next step.
    """

    name: ClassVar[str] = "momentum"
    elementwise: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ("momentum",)
    momentum: Annotated[float, FROM_0_BELOW_1] = 0.9

    def start(self, w: np.ndarray) -> Slot:
        """Return a velocity of zero."""
        return {"velocity": np.zeros_like(w)}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """v <- m v + g, W <- W - r v."""
        velocity = slot["velocity"]
        velocity *= w.dtype.type(self.momentum)
        velocity += g
        w -= np.multiply(velocity, w.dtype.type(rate), out=g)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks one step of the velocity ahead (Nesterov, 1983; Sutskever et al., 2013)."""

    name: ClassVar[str] = "nesterov"

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """v <- m v + g, W <- W - r (g + m v)."""
        velocity, keep = slot["velocity"], w.dtype.type(self.momentum)
        velocity *= keep
        velocity += g
        g += keep * velocity
        g *= w.dtype.type(rate)
        w -= g


@dataclass(frozen=True)
class Adagrad(Rule):
    """Divide the step of each parameter by the root of the sum of its squared gradients (Duchi et al., 2011)."""

    name: ClassVar[str] = "adagrad"
    elementwise: ClassVar[bool] = True
    default_learning_rate: ClassVar[float] = 0.01
    epsilon: Annotated[float, POSITIVE] = 1e-8

    def start(self, w: np.ndarray) -> Slot:
        """Return a sum of squares of zero."""
        return {"squares": np.zeros_like(w)}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """s <- s + g^2, W <- W - r g / (sqrt(s) + e)."""
        slot["squares"] += g * g
        _divided_step(w, g, slot["squares"], rate, self.epsilon)


@dataclass(frozen=True)
class RMSProp(Rule):
    """Divide the step of each parameter by the root of a running mean of its squared gradients.

    (Tieleman and Hinton, 2012.)
    """

    name: ClassVar[str] = "rmsprop"
    elementwise: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ("decay",)
    default_learning_rate: ClassVar[float] = 0.001
    decay: Annotated[float, FROM_0_BELOW_1] = 0.9
    epsilon: Annotated[float, POSITIVE] = 1e-8

    def start(self, w: np.ndarray) -> Slot:
        """Return a mean of squares of zero."""
        return {"squares": np.zeros_like(w)}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """s <- d s + (1 - d) g^2, W <- W - r g / (sqrt(s) + e)."""
        _run_mean(slot["squares"], g * g, self.decay)
        _divided_step(w, g, slot["squares"], rate, self.epsilon)


@dataclass(frozen=True)
class Adam(Rule):
    """Running mean of gradients divided by the root of the running mean of their squares (Kingma and Ba, 2015)."""

    name: ClassVar[str] = "adam"
    elementwise: ClassVar[bool] = True
    default_learning_rate: ClassVar[float] = 0.001
    beta1: Annotated[float, FROM_0_BELOW_1] = 0.9
    beta2: Annotated[float, FROM_0_BELOW_1] = 0.999
    epsilon: Annotated[float, POSITIVE] = 1e-8

    def start(self, w: np.ndarray) -> Slot:
        """Return means of zero and a step count of zero."""
        return {"mean": np.zeros_like(w), "squares": np.zeros_like(w), "steps": np.zeros((), np.int64)}

    def update(self, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
        """Correct the bias of both means, which start at zero, by 1 - beta^t.

        With c = sqrt(1 - b2^t) the step is r c / (1 - b1^t) m / (sqrt(s) + c e): the corrections become two numbers.
        """
        slot["steps"] += 1
        steps = int(slot["steps"])
        squared = np.multiply(g, g, out=np.empty_like(g))  # an array also where g has no axes
        _run_mean(slot["mean"], g, self.beta1)
        _run_mean(slot["squares"], squared, self.beta2)
        correction = math.sqrt(1 - self.beta2**steps)
        np.sqrt(slot["squares"], out=squared)
        squared += w.dtype.type(correction * self.epsilon)
        np.divide(slot["mean"], squared, out=squared)
        squared *= w.dtype.type(rate * correction / (1 - self.beta1**steps))
        w -= squared


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: weights, not biases, shrink by rate * `weight_decay` at each step.

    (Loshchilov and Hutter, 2019.)
    """

    name: ClassVar[str] = "adamw"
    positional: ClassVar[tuple[str, ...]] = ("weight_decay",)
    weight_decay: Annotated[float, NON_NEGATIVE] = 0.01  # type: ignore[misc]  # a constant in the base, a field here


RULES: dict[str, type[Rule]] = {
    rule.name: rule for rule in (SGD, Momentum, Nesterov, Adagrad, RMSProp, Adam, AdamW)
}


def _run_mean(mean: np.ndarray, new: np.ndarray, keep: float) -> None:
    """mean <- keep mean + (1 - keep) new, in place; `new` is overwritten."""
    mean *= mean.dtype.type(keep)
    new *= mean.dtype.type(1 - keep)
    mean += new


def _divided_step(w: np.ndarray, g: np.ndarray, squares: np.ndarray, rate: float, epsilon: float) -> None:
    root = np.sqrt(squares)
    root += w.dtype.type(epsilon)
    g /= root
    g *= w.dtype.type(rate)
    w -= g
