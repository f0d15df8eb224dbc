"""Set the learning rate: constant, or Bold Driver, which grows it while the cost falls and undoes bad steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Constant:
    """The same learning rate at every step; every step stands."""

    name: ClassVar[str] = "constant"
    judges: ClassVar[bool] = False
    learning_rate: float = 0.1

    def __post_init__(self):
        _check_rate(self.learning_rate)

    def judge(self, rate: float, cost: float, best: float | None) -> tuple[bool, float]:
        """Accept whatever came."""
        return True, rate


@dataclass(frozen=True)
class BoldDriver:
    """Grow the rate after a step that did not raise the cost; else undo the step and shrink the rate.

    (Vogl et al., 1988; Battiti, 1989.) `growth` was measured on MNIST, see docs/benchmarks.md.
    """

    name: ClassVar[str] = "bold-driver"
    judges: ClassVar[bool] = True
    learning_rate: float = 0.1
    growth: float = 1.2
    shrink: float = 0.5
    lowest: float = 1e-8
    highest: float = 1e3

    def __post_init__(self):
        _check_rate(self.learning_rate)
        if not (self.growth >= 1 and 0 < self.shrink < 1 and 0 < self.lowest <= self.highest):
            raise ValueError(
                f"Bold Driver needs growth >= 1, 0 < shrink < 1, 0 < lowest <= highest, got {self}"
            )

    def judge(self, rate: float, cost: float, best: float | None) -> tuple[bool, float]:
        """(stands, next rate) for a trial reached with `rate`, whose cost is held against the best that stood.

        The first trial is the start values: no step led there, so the rate stays. A cost that is no finite
        number never stands after it.
        """
        if best is None:
            return True, rate
        if math.isfinite(cost) and cost <= best:
            return True, max(rate, min(rate * self.growth, self.highest))
        return False, min(rate, max(rate * self.shrink, self.lowest))


Schedule = Constant | BoldDriver
SCHEDULES: dict[str, type[Schedule]] = {schedule.name: schedule for schedule in (Constant, BoldDriver)}


def _check_rate(rate: float) -> None:
    if not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"the learning rate must be a finite number above 0, got {rate!r}")
