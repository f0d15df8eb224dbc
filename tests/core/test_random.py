"""Random numbers are pure functions of (seed, purpose, epoch, row), uniform and independent."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core import random

ROWS = np.arange(60_000)


def test_sample_takes_its_fraction_of_the_rows():
    taken = random.sample(7, 1, ROWS, 0.7).mean()
    assert taken == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / len(ROWS)))


def test_sample_of_a_row_does_not_depend_on_its_neighbours():
    whole = random.sample(7, 3, ROWS, 0.5)
    some = np.array([5, 59_999, 17, 0])
    assert np.array_equal(random.sample(7, 3, some, 0.5), whole[some])


@pytest.mark.parametrize("other", [(8, 2, 3), (7, 3, 3), (7, 2, 4)], ids=["seed", "purpose", "epoch"])
def test_uniform_differs_with_every_part_of_its_key(other):
    a, b = random.uniform(7, 2, 3, ROWS), random.uniform(*other, ROWS)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02
    assert abs(np.corrcoef(a[1:], b[:-1])[0, 1]) < 0.02


def test_uniform_fills_the_interval_evenly():
    counts, _ = np.histogram(random.uniform(0, 2, 1, ROWS), bins=50, range=(0, 1))
    expected = len(ROWS) / 50
    assert (
        (counts - expected) ** 2 / expected
    ).sum() < 100  # chi-square with 49 degrees: 1 in 10,000 above 94


@given(st.integers(1, 3000), st.integers(0, 2**63), st.integers(0, 10_000))
def test_permutation_gives_every_row_its_own_position(total, seed, epoch):
    positions = random.permutation(seed, 3, epoch, np.arange(total), total)
    assert np.array_equal(np.sort(positions), np.arange(total))


def test_permutation_of_a_row_does_not_depend_on_its_neighbours():
    whole = random.permutation(1, 3, 5, np.arange(1000), 1000)
    assert random.permutation(1, 3, 5, np.array([999, 3]), 1000).tolist() == [whole[999], whole[3]]


def test_permutation_is_uncorrelated_with_the_order():
    positions = random.permutation(4, 3, 2, ROWS, len(ROWS))
    assert abs(np.corrcoef(ROWS, positions)[0, 1]) < 0.02
    assert abs(np.corrcoef(positions[1:], positions[:-1])[0, 1]) < 0.02
    other = random.permutation(4, 3, 3, ROWS, len(ROWS))
    assert abs(np.corrcoef(positions, other)[0, 1]) < 0.02


@given(st.integers(1, 3000), st.integers(0, 2**63), st.integers(0, 10_000))
def test_the_row_at_a_position_is_the_one_that_the_permutation_puts_there(total, seed, epoch):
    positions = random.permutation(seed, 3, epoch, np.arange(total), total)
    assert np.array_equal(random.row_at(seed, 3, epoch, positions, total), np.arange(total))


def batch_of_rows(total, batches):
    """The number of the mini-batch of each row."""
    numbers = np.full(total, -1)
    for batch in range(batches):
        rows = random.batch_rows(0, 1, batch, total, batches)
        assert (np.diff(rows) > 0).all() and (numbers[rows] == -1).all()
        numbers[rows] = batch
    return numbers


def test_batches_are_disjoint_full_and_mixed():
    numbers = batch_of_rows(len(ROWS), 60)
    assert np.array_equal(np.bincount(numbers), np.full(60, 1000))
    # From each tenth of the rows a batch should draw about a tenth of its own.
    table = np.histogram2d(numbers, ROWS // 6000, bins=(60, 10))[0]
    assert ((table - 100) ** 2 / 100).sum() < 690  # chi-square with 531 degrees: 1 in 100,000 above 679


@given(st.integers(1, 500), st.integers(1, 60))
def test_batches_are_as_few_as_possible_even_and_consecutive_in_the_permutation(total, size):
    batches = random.batch_count(total, size)
    numbers = batch_of_rows(total, batches)
    sizes = np.bincount(numbers)
    assert len(sizes) == batches == math.ceil(total / size)
    assert sizes.sum() == total and sizes.max() <= size and sizes.max() - sizes.min() <= 1
    positions = random.permutation(0, random.BATCHES, 1, np.arange(total), total)
    assert np.array_equal(numbers, positions * batches // total)


def test_permutation_refuses_a_row_beyond_its_end():
    with pytest.raises(ValueError, match="expected rows from 0 to 9, got 3 to 10"):
        random.permutation(0, random.BATCHES, 1, np.array([3, 10]), 10)


def test_different_keys_give_different_numbers():
    keys = [random.Key((5, 1)), random.Key((5, 1, 0)), random.Key((5,)).child(2), random.Key((1, 5))]
    draws = [tuple(key.generator().random(3)) for key in keys]
    assert len(set(draws)) == 4
    assert tuple(random.Key((5,)).child(1).generator().random(3)) == draws[0]
