"""Add sums in a fixed order, so that the same rows in the same partitions give the same bits."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from nn.training.records import Sums, Times


def sum_in_order(partial_sums: Any) -> Sums:
    """Add an RDD of sums: within each partition, then over the partitions in their order."""
    with ignore_overflow():
        return partial_sums.reduce(add_sums)


def add_sums(one: Sums, other: Sums) -> Sums:
    """Add two sums, and count the time that it takes."""
    began = time.perf_counter()
    both = one + other
    return both._replace(times=both.times + Times(sum=time.perf_counter() - began))


def ignore_overflow() -> Any:
    """Ignore overflows: a step that is too long overflows, Bold Driver takes such steps, and the cost shows it.

    Map stages run when their sums are added, so it is set there, and not in each stage.
    """
    return np.errstate(over="ignore", invalid="ignore")
