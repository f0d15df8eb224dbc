"""The phases of training time, and estimates for other numbers of cores.

time here        schedule + read + compute + sum + update                     as measured, with t tasks at once
in one process   t compute + update                                           nothing to schedule, send or add up
twice the slots  schedule + (read + compute) / 2 + 2 sum + update             as many partitions, twice the sums
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from nn.core.format import duration
from nn.training.records import Epoch

T = TypeVar("T")


class TimedIterator(Generic[T]):
    """An iterator that counts the seconds in which it waits for its elements."""

    def __init__(self, elements: Iterable[T]):
        self._elements = iter(elements)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        began = time.perf_counter()
        try:
            return next(self._elements)
        finally:
            self.seconds += time.perf_counter() - began


class Phases(NamedTuple):
    """Seconds of training by phase: `history.csv` has the same columns for each epoch."""

    schedule: float  # starting jobs and tasks, waiting for the slowest, fetching results
    read: float  # waiting for cached blocks
    compute: float  # packing mini-batches, in the layers, in the replicas' steps
    sum: float  # adding sums
    update: float  # on the driver, between jobs

    @classmethod
    def of(cls, history: Iterable[Epoch]) -> Phases:
        """Add the phases of all epochs."""
        history = list(history)
        return cls(*(sum(getattr(line, name) for line in history) for name in cls._fields))

    @property
    def total(self) -> float:
        """Return the seconds of all phases."""
        return sum(self)

    def in_one_process(self, at_once: int) -> float:
        """Estimate the seconds on one core without Spark, from the computing time of `at_once` parallel tasks."""
        return self.compute * at_once + self.update

    def on_twice_the_slots(self) -> float:
        """Estimate the seconds with twice as many parallel tasks and partitions."""
        return self.schedule + (self.read + self.compute) / 2 + 2 * self.sum + self.update

    def verdict(self, at_once: int) -> str:
        """Return one line for the user: the shares of the phases, and whether Spark is worth it here."""
        if not self.total:
            return "no epoch was trained"
        shares = sorted(
            ((getattr(self, name) / self.total, name) for name in self._fields if name != "compute"),
            reverse=True,
        )
        rest = ", ".join(f"{name} {share:.0%}" for share, name in shares[:2])
        alone, twice = self.in_one_process(at_once), self.on_twice_the_slots()
        if alone < self.total:
            advice = (
                f"one core without Spark (nn.fit) would take about {duration(alone)}: not worth a cluster"
            )
        else:
            advice = f"one core without Spark would take about {duration(alone)}"
        return (
            f"{self.compute / self.total:.0%} of {duration(self.total)} was computing on {at_once} "
            f"core{'s' if at_once > 1 else ''} ({rest}); {advice}; twice the cores: about {duration(twice)}"
        )
