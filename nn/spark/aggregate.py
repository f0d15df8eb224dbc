"""Add up what partitions send, always in their order: at the driver, or in groups on executors first.

    flat        t_0 + t_1 + ... + t_P-1
    in groups   (t_0 + ... + t_g-1) + (t_g + ... + t_2g-1) + ...                groups of neighbours, at most sqrt(P)

Floating-point sums depend on their order, and Spark's treeReduce and treeAggregate add in the order of arrival. Here
the order is the partitions' own, and whether and how they are grouped follows from their number and the bytes of a
tally alone: the same partitions give the same bits. Flat takes one stage less; beyond FLAT bytes it would drown the
driver.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterable, Iterator
from typing import Any

from nn.spark.runtime.workers import tune_worker
from nn.training.chain import add_sums, ignore_overflow
from nn.training.records import Sums, Times

FLAT = 64 << 20  # bytes of all partitions' tallies that the driver adds up by itself
# Bytes of all groups' sums together: below Spark's limit for one job's results (spark.driver.maxResultSize).
AT_ONCE = 512 << 20


def total_of(partial_sums: Any, size: int) -> Sums:
    """The sum of an RDD of tallies, of about `size` bytes a partition; `times` are what the clock saw of the tasks'."""
    partitions, slots = partial_sums.getNumPartitions(), partial_sums.context.defaultParallelism
    sums = partial_sums.mapPartitions(added)
    groups = group_count(partitions, size)
    if groups:
        group = functools.partial(group_of, partitions, groups)
        numbered = sums.mapPartitionsWithIndex(_numbered)
        sums = numbered.repartitionAndSortWithinPartitions(groups, group).values().mapPartitions(added)
    found = sums.collect()
    began = time.perf_counter()
    with ignore_overflow():
        total = functools.reduce(Sums.__add__, found) if found else Sums()
    here = Times(sum=time.perf_counter() - began)
    return total._replace(times=total.times.over(min(slots, partitions)) + here)


def group_count(partitions: int, size: int) -> int:
    """How many groups the tallies of so many partitions are added up in, each of `size` bytes; 0: flat."""
    if partitions * size <= FLAT or partitions < 4:
        return 0
    return max(1, min(math.isqrt(partitions), AT_ONCE // size))


def group_of(partitions: int, groups: int, index: int) -> int:
    """The group of a partition: neighbours share one."""
    return index * groups // partitions


def added(partial_sums: Iterable[Sums]) -> Iterator[Sums]:
    """The sum of the tallies, in the order they come in; nothing for none."""
    total = None
    tune_worker()
    with ignore_overflow():
        for sums in partial_sums:
            total = sums if total is None else add_sums(total, sums)
    if total is not None:
        yield total


def _numbered(index: int, sums: Iterator[Sums]) -> Iterator[tuple[int, Sums]]:
    return ((index, each) for each in sums)
