"""Statistics of columns add up to those of all rows, and keep their digits where a mean is large."""

import numpy as np
import pytest

from nn.data.block import Block
from nn.data.statistics import column_statistics, partition_statistics


def test_statistics_are_those_of_numpy_without_the_missing_values(rng):
    values = rng.normal(3, 2, (50, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    found, expected = column_statistics(values), values.astype(np.float64)
    assert found.rows == 50 and np.array_equal(found.missing_values, np.isnan(values).sum(axis=0))
    assert np.allclose(found.mean, np.nanmean(expected, axis=0), rtol=1e-14)
    assert np.allclose(found.deviation, np.nanstd(expected, axis=0), rtol=1e-14)
    assert np.array_equal(found.low, np.nanmin(expected, axis=0))
    assert np.array_equal(found.high, np.nanmax(expected, axis=0))


@pytest.mark.parametrize("cut", [0, 1, 7, 29, 30])
def test_statistics_of_parts_add_up(rng, cut):
    values = rng.normal(1e6, 1, (30, 3))
    values[0, 1] = np.nan
    parts, whole = (
        column_statistics(values[:cut]) + column_statistics(values[cut:]),
        column_statistics(values),
    )
    assert parts.rows == 30 and np.array_equal(parts.counts, whole.counts)
    for one, other in zip(parts[2:], whole[2:], strict=True):
        assert np.allclose(one, other, rtol=1e-9)


def test_statistics_of_a_column_without_values():
    found = column_statistics(np.full((4, 1), np.nan))
    assert found.mean[0] == 0 and found.deviation[0] == 0 and found.missing_values[0] == 4
    assert found.low[0] == np.inf and found.high[0] == -np.inf


def test_statistics_keep_the_deviation_of_values_with_a_large_mean():
    values = np.array([[1e9 + 1], [1e9 + 2], [1e9 + 3]])
    total = column_statistics(values[:1]) + column_statistics(values[1:])
    assert total.deviation[0] == pytest.approx(np.sqrt(2 / 3), rel=1e-9)


def test_statistics_leave_validation_rows_out():
    block = Block(np.arange(2), np.ones((2, 3)), np.zeros(2, int))
    held_out = block._replace(inputs=np.zeros((2, 3)), validation=True)
    (found,) = partition_statistics([held_out, block, held_out, block])
    assert found.rows == 4 and found.mean.tolist() == [1, 1, 1]
    assert not list(partition_statistics([held_out])) and not list(partition_statistics([]))
