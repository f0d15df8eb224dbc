"""Learning rate schedules: rate(t) = learning_rate * factor(t), with t in epochs since the start.

constant       1                                  step            factor^floor(t / every)
exponential    decay^t                            inverse-time    1 / (1 + decay t)
cosine         final + (1 - final) (1 + cos(pi t / end)) / 2                              (Loshchilov and Hutter, 2017)
one-cycle      up along a half cosine for `rise` of the run, then down along another      (Smith and Topin, 2018)
plateau        shrinks when the cost has not fallen for `patience` epochs
bold-driver    grows while the cost falls; rejects steps that raise it, and shrinks        (Vogl et al., 1988)

The first six are functions of time. The last two depend on costs: the memory of plateau is passed in and returned, and
bold-driver is given the cost of each trial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from nn.core.constraints import (
    ABOVE_0_BELOW_1,
    ABOVE_0_TO_1,
    AT_LEAST_ONE,
    FROM_0_TO_1,
    POSITIVE,
    Interval,
    check_fields,
)
from nn.core.tree import stored_as


@stored_as("best", "waited", "scale")
class Memory(NamedTuple):
    """The costs that a schedule has seen."""

    best: float = math.inf  # the lowest cost
    waited: int = 0  # epochs since then
    scale: float = 1.0  # the factor of the learning rate from now on


@dataclass(frozen=True)
class Schedule:
    """Base class: the same learning rate at every step. Schedules override what differs."""

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()
    can_reject: ClassVar[bool] = False  # it may reject the step that led to a trial
    needs_end: ClassVar[bool] = False  # a longer run has other rates from the start
    needs_costs: ClassVar[bool] = False  # the rates depend on the costs of the epochs before

    def __post_init__(self) -> None:
        check_fields(self)

    def factor(self, time: float, end: float) -> float:
        """Return the factor of the learning rate `time` epochs after the start of a run of `end` epochs."""
        return 1.0

    def accept_or_reject(self, rate: float, cost: float, best: float | None) -> tuple[bool, float]:
        """Return (accepted, next rate) of a trial reached with `rate`; `best` is the cost of the last accepted one."""
        return True, rate

    def watch(self, memory: Memory | None, cost: float) -> Memory | None:
        """Return the memory after an epoch with that cost. Its `scale` multiplies the rate from then on."""
        return memory


@dataclass(frozen=True)
class Constant(Schedule):
    """Keep the learning rate."""

    name: ClassVar[str] = "constant"


@dataclass(frozen=True)
class Step(Schedule):
    """Multiply the rate by `drop` every `every` epochs."""

    name: ClassVar[str] = "step"
    positional: ClassVar[tuple[str, ...]] = ("every",)
    every: Annotated[float, POSITIVE]
    drop: Annotated[float, ABOVE_0_TO_1] = 0.1

    def factor(self, time: float, end: float) -> float:
        """Return drop^floor(time / every). A time that is below a boundary by a rounding error counts as on it."""
        return self.drop ** math.floor(time / self.every + 1e-9)


@dataclass(frozen=True)
class Exponential(Schedule):
    """Multiply the rate by `decay` per epoch, evenly over its steps."""

    name: ClassVar[str] = "exponential"
    positional: ClassVar[tuple[str, ...]] = ("decay",)
    decay: Annotated[float, ABOVE_0_TO_1] = 0.95

    def factor(self, time: float, end: float) -> float:
        """Return decay^time."""
        return self.decay**time


@dataclass(frozen=True)
class InverseTime(Schedule):
    """Divide the rate by 1 + decay t, as in stochastic approximation (Robbins and Monro, 1951)."""

    name: ClassVar[str] = "inverse-time"
    positional: ClassVar[tuple[str, ...]] = ("decay",)
    decay: Annotated[float, POSITIVE] = 0.1

    def factor(self, time: float, end: float) -> float:
        """Return 1 / (1 + decay time)."""
        return 1 / (1 + self.decay * time)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along a half cosine to the factor `final` at the end of the run (Loshchilov and Hutter, 2017)."""

    name: ClassVar[str] = "cosine"
    positional: ClassVar[tuple[str, ...]] = ("final",)
    needs_end: ClassVar[bool] = True
    final: Annotated[float, FROM_0_TO_1] = 0.0

    def factor(self, time: float, end: float) -> float:
        """Return a factor that falls from 1 to `final`."""
        return _half_cosine(1.0, self.final, time / end if end > 0 else 1.0)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise from the factor `start` to 1 in the first fraction `rise` of the run, then fall to `final`.

    (Smith and Topin, 2018; with cosines instead of straight lines.) The learning rate is the peak. Momentum is not
    changed.
    """

    name: ClassVar[str] = "one-cycle"
    positional: ClassVar[tuple[str, ...]] = ("rise",)
    needs_end: ClassVar[bool] = True
    rise: Annotated[float, ABOVE_0_BELOW_1] = 0.3
    start: Annotated[float, ABOVE_0_TO_1] = 0.04
    final: Annotated[float, FROM_0_TO_1] = 0.0001

    def factor(self, time: float, end: float) -> float:
        """Return a factor that rises from `start` to 1 and then falls to `final`."""
        done = time / end if end > 0 else 1.0
        if done < self.rise:
            return _half_cosine(self.start, 1.0, done / self.rise)
        return _half_cosine(1.0, self.final, (done - self.rise) / (1 - self.rise))


@dataclass(frozen=True)
class Plateau(Schedule):
    """Multiply the rate by `drop` after `patience` epochs without a lower cost, down to the factor `lowest`.

    The cost is that of the validation rows, where there are some.
    """

    name: ClassVar[str] = "plateau"
    positional: ClassVar[tuple[str, ...]] = ("patience",)
    needs_costs: ClassVar[bool] = True
    patience: Annotated[int, AT_LEAST_ONE] = 5
    drop: Annotated[float, ABOVE_0_BELOW_1] = 0.5
    lowest: Annotated[float, FROM_0_TO_1] = 0.001

    def watch(self, memory: Memory | None, cost: float) -> Memory:
        """Return the lowest cost, the epochs since then, and the factor of the rate from now on."""
        memory = memory or Memory()
        if cost < memory.best:
            return memory._replace(best=cost, waited=0)
        if memory.waited + 1 < self.patience:
            return memory._replace(waited=memory.waited + 1)
        return memory._replace(waited=0, scale=max(memory.scale * self.drop, self.lowest))


@dataclass(frozen=True)
class BoldDriver(Schedule):
    """Grow the rate after a step that did not raise the cost; else reject the step and shrink the rate.

    (Vogl et al., 1988; Battiti, 1989.) `growth` was measured on MNIST, see benchmarks/results/README.md.
    """

    name: ClassVar[str] = "bold-driver"
    positional: ClassVar[tuple[str, ...]] = ("growth",)
    can_reject: ClassVar[bool] = True
    needs_costs: ClassVar[bool] = True
    growth: Annotated[float, Interval(float, 1)] = 1.2
    shrink: Annotated[float, ABOVE_0_BELOW_1] = 0.5
    lowest: Annotated[float, POSITIVE] = 1e-8
    highest: Annotated[float, POSITIVE] = 1e3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lowest > self.highest:
            raise ValueError(
                f"BoldDriver lowest must be at most highest, got {self.lowest!r} and {self.highest!r}"
            )

    def accept_or_reject(self, rate: float, cost: float, best: float | None) -> tuple[bool, float]:
        """Return (accepted, next rate) of a trial reached with `rate`; `best` is the cost of the last accepted one.

        The first trial is the initial weights: no step led there, so the rate stays. After it, a cost that is not
        finite is rejected.
        """
        if best is None:
            return True, rate
        if math.isfinite(cost) and cost <= best:
            return True, max(rate, min(rate * self.growth, self.highest))
        return False, min(rate, max(rate * self.shrink, self.lowest))


SCHEDULES: dict[str, type[Schedule]] = {
    schedule.name: schedule
    for schedule in (Constant, BoldDriver, Step, Exponential, InverseTime, Cosine, OneCycle, Plateau)
}


def warm_up(time: float, epochs: float) -> float:
    """Return the factor of a linear warm-up over the first `epochs`, from 1/25 to 1 (Goyal et al., 2017)."""
    return 1.0 if time >= epochs else 0.04 + 0.96 * time / epochs


def _half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2
