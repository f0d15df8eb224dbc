"""Sums of partitions: in their order, flat or in groups, by number and size alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.spark import aggregate
from nn.training.records import Measures, Sums, Times


def tally_of(number):
    """A tally whose sum depends on the order that it is taken in."""
    value = np.float32((-1) ** number * 3.7 ** (number % 23))
    grads = [{"W": np.array([value], np.float32)}]
    return Sums(
        Measures(1, 1.0, float(value), 0), sampled=1, weight=1.0, grads=grads, times=Times(1.0, 2.0, 0.0)
    )


def folded(partial_sums):
    (total,) = aggregate.partition_sum(partial_sums)
    return total


@pytest.mark.spark
@pytest.mark.parametrize("partitions", [1, 3, 10])
def test_a_flat_sum_is_the_sum_in_order(spark, partitions):
    rdd = spark.parallelize(list(map(tally_of, range(40))), partitions)
    total = aggregate.ordered_sum(rdd, 4)
    expected = folded(
        folded(map(tally_of, part)) for part in spark.parallelize(range(40), partitions).glom().collect()
    )
    assert total.grads[0]["W"].tobytes() == expected.grads[0]["W"].tobytes()
    assert total.train.loss == expected.train.loss and total.weight == 40


@pytest.mark.spark
def test_a_sum_in_groups_is_that_of_neighbours_in_order(spark, monkeypatch):
    monkeypatch.setattr(aggregate, "FLAT", 100)
    rdd = spark.parallelize(list(map(tally_of, range(23))), 23)
    totals = [aggregate.ordered_sum(rdd, 50) for _ in range(2)]
    groups = aggregate.group_count(23, 50)
    assert groups == 4
    members = [
        [n for n in range(23) if aggregate.group_of(23, groups, n) == group] for group in range(groups)
    ]
    assert [n for group in members for n in group] == list(range(23)) and max(map(len, members)) - min(
        map(len, members)
    ) <= 1
    expected = folded(folded(map(tally_of, group)) for group in members)
    in_line = folded(map(tally_of, range(23)))
    assert expected.grads[0]["W"].tobytes() != in_line.grads[0]["W"].tobytes()  # so the grouping shows
    for total in totals:
        assert total.grads[0]["W"].tobytes() == expected.grads[0]["W"].tobytes()
        assert total.train == expected.train and total.weight == 23


@pytest.mark.spark
def test_empty_partitions_send_nothing(spark, monkeypatch):
    rdd = spark.parallelize(list(map(tally_of, [1, 2])), 9)
    assert aggregate.ordered_sum(rdd, 4).weight == 2
    monkeypatch.setattr(aggregate, "FLAT", 10)
    assert aggregate.ordered_sum(rdd, 4).weight == 2
    assert aggregate.ordered_sum(spark.parallelize([], 9), 4)[:5] == Sums()[:5]


@pytest.mark.spark
def test_seconds_of_tasks_side_by_side_count_once(spark):
    total = aggregate.ordered_sum(
        spark.parallelize(list(map(tally_of, range(8))), 8), 4
    )  # eight tasks on two slots
    assert (total.times.read, total.times.compute) == (4.0, 8.0)
    alone = aggregate.ordered_sum(
        spark.parallelize(list(map(tally_of, range(8))), 1), 4
    )  # one task: the other slot is idle
    assert (alone.times.read, alone.times.compute) == (8.0, 16.0)


def test_tallies_that_fit_the_driver_are_summed_there():
    assert aggregate.group_count(2, aggregate.FLAT) == 0  # two partitions: a group could only hold both
    assert aggregate.group_count(64, aggregate.FLAT // 64) == 0
    assert aggregate.group_count(64, aggregate.FLAT // 64 + 1) == 8
    assert aggregate.group_count(256, 7 << 20) == 16


@given(st.integers(1, 20_000), st.integers(1, 1 << 31))
def test_groups_never_drown_the_driver(partitions, size):
    groups = aggregate.group_count(partitions, size)
    assert 0 <= groups <= max(partitions, 1)
    if groups > 1:
        assert groups * size <= aggregate.AT_ONCE
        assert {aggregate.group_of(partitions, groups, n) for n in range(partitions)} == set(range(groups))
    if groups == 0 and partitions >= 4:
        assert partitions * size <= aggregate.FLAT


@pytest.mark.spark
def test_the_driver_s_own_adding_counts_once_and_in_full(spark, monkeypatch):
    """Tasks' seconds are parted among the slots, the driver's are not."""
    clock = iter(range(0, 1000, 10))
    rdd = spark.parallelize(list(map(tally_of, range(4))), 4)
    monkeypatch.setattr(aggregate, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert aggregate.ordered_sum(rdd, 4).times.sum == pytest.approx(10, abs=1)


@pytest.mark.spark
def test_sums_beyond_the_finite_numbers_are_no_warning(spark, recwarn):
    huge = [Sums(weight=1.0, grads=[{"W": np.array([value], np.float32)}]) for value in (3e38, 3e38)]
    total = aggregate.ordered_sum(spark.parallelize(huge, 2), 4)
    assert np.isinf(total.grads[0]["W"]).all()
    assert not [each for each in recwarn if issubclass(each.category, RuntimeWarning)]
