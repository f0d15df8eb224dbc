"""Add the sums of partitions in their order: on the driver, or first in groups on executors.

    flat        t_0 + t_1 + ... + t_P-1
    in groups   (t_0 + ... + t_g-1) + (t_g + ... + t_2g-1) + ...                groups of neighbors, at most sqrt(P)

Floating-point sums depend on their order, and Spark's treeReduce and treeAggregate add in the order of arrival. Here
the order is the partitions' own, and whether and how they are grouped follows from their number and the bytes of the
sums alone: the same partitions give the same bits. Flat takes one stage less; beyond FLAT bytes it would drown the
driver.
"""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from nn.spark.block_files import FileMissing
from nn.spark.runtime.workers import tune_worker
from nn.training.adding import add_sums, ignore_overflow
from nn.training.records import Sums, Times

FLAT = 64 << 20  # bytes of all partitions' sums that the driver adds up by itself
# Bytes of all groups' sums together: below Spark's limit for one job's results (spark.driver.maxResultSize).
AT_ONCE = 512 << 20


def ordered_sum(partial_sums: Any, size: int) -> Sums:
    """Add an RDD of sums, of about `size` bytes per partition. Their `times` become seconds on the clock."""
    (total,) = ordered_sums(partial_sums.mapPartitions(_first_job), [size])
    return total


def ordered_sums(numbered: Any, sizes: list[int]) -> list[Sums]:
    """Add an RDD of (number of a job, sums), each job as if it were alone; `sizes` are its bytes per partition."""
    partitions, slots = numbered.getNumPartitions(), numbered.context.defaultParallelism
    groups = [group_count(partitions, size) for size in sizes]
    if any(groups):
        numbered = _grouped(numbered, partitions, groups)
    all_sums = numbered.collect()
    return [
        _total([sums for number, sums in all_sums if number == job], min(slots, partitions))
        for job in range(len(sizes))
    ]


def _total(partial_sums: list[Sums], slots: int) -> Sums:
    """Add the sums of partitions, or of groups of them, on the driver."""
    began = time.perf_counter()
    with ignore_overflow():
        total = functools.reduce(Sums.__add__, partial_sums) if partial_sums else Sums()
    earlier = tuple(sums._replace(times=sums.times.over(slots)) for sums in total.earlier)
    times = total.times.over(slots) + Times(sum=time.perf_counter() - began)
    return total._replace(times=times, earlier=earlier)


def _grouped(numbered: Any, partitions: int, groups: list[int]) -> Any:
    """Add the sums of neighboring partitions on executors, in groups of each job's own; 0 groups: each stays alone."""
    counts = [count or partitions for count in groups]
    starts = [sum(counts[:job]) for job in range(len(counts))]
    partitioner = functools.partial(_group_partition, partitions, counts, starts)
    keyed = numbered.mapPartitionsWithIndex(_keyed)
    return (
        keyed.repartitionAndSortWithinPartitions(sum(counts), partitioner)
        .map(_unkeyed)
        .mapPartitions(_sum_of_job)
    )


def _group_partition(partitions: int, counts: list[int], starts: list[int], key: tuple[int, int]) -> int:
    """Return the output partition of a job's sums from a partition."""
    job, index = key
    return starts[job] + group_of(partitions, counts[job], index)


def group_count(partitions: int, size: int) -> int:
    """Return the number of groups for sums of `size` bytes per partition; 0: all are added on the driver."""
    if partitions * size <= FLAT or partitions < 4:
        return 0
    return max(1, min(math.isqrt(partitions), AT_ONCE // size))


def group_of(partitions: int, groups: int, index: int) -> int:
    """Return the group of a partition; neighbors share one."""
    return index * groups // partitions


def partition_sum(partial_sums: Iterable[Sums]) -> Iterator[Sums]:
    """Yield the sum of the sums in their order; nothing for none; sums that say so where the rows are not there."""
    total = None
    tune_worker()
    try:
        with ignore_overflow():
            for sums in partial_sums:
                total = sums if total is None else add_sums(total, sums)
    except FileMissing:
        total = Sums(unread=1)
    if total is not None:
        yield total


def _first_job(partial_sums: Iterable[Sums]) -> Iterator[tuple[int, Sums]]:
    return ((0, sums) for sums in partition_sum(partial_sums))


def _keyed(
    index: int, numbered: Iterator[tuple[int, Sums]]
) -> Iterator[tuple[tuple[int, int], tuple[int, Sums]]]:
    return (((job, index), (job, sums)) for job, sums in numbered)


def _unkeyed(pair: tuple[Any, tuple[int, Sums]]) -> tuple[int, Sums]:
    return pair[1]


def _sum_of_job(numbered: Iterable[tuple[int, Sums]]) -> Iterator[tuple[int, Sums]]:
    """Add the sums of one job; a group holds no other job's."""
    numbered = iter(numbered)
    for job, first in numbered:
        yield from (
            (job, sums) for sums in partition_sum(itertools.chain([first], map(itemgetter(1), numbered)))
        )
