"""Validation rows depend on the seed and the row alone; all other rows are numbered without gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data.block import Block
from nn.data.hold_out import HoldOut, stratified

TOTAL = 5000
ROWS = np.arange(TOTAL)


def block_of(rows, weights=None):
    rows = np.asarray(rows)
    return Block(rows, rows[:, None] % 251, rows % 7, weights)


def test_hold_out_takes_about_its_fraction_and_depends_on_the_seed():
    taken = HoldOut(1, 0.2, TOTAL).mask(ROWS)
    assert 0.17 < taken.mean() < 0.23 and taken.sum() == HoldOut(1, 0.2, TOTAL).rows
    assert not np.array_equal(taken, HoldOut(2, 0.2, TOTAL).mask(ROWS))


@given(st.lists(st.integers(1, TOTAL - 1), max_size=6), st.floats(0.01, 0.99))
def test_hold_out_does_not_depend_on_the_blocks(cuts, fraction):
    split_rows = HoldOut(3, fraction, TOTAL)
    parts = [part for rows in np.split(ROWS, sorted(set(cuts))) for part in split_rows.split(block_of(rows))]
    train = [part for part in parts if not part.validation]
    validation = [part for part in parts if part.validation]
    assert np.concatenate([part.rows for part in train]).tolist() == list(range(split_rows.train_rows))
    assert np.concatenate([part.rows for part in validation]).tolist() == list(range(split_rows.rows))
    originals = np.concatenate([part.inputs[:, 0] for part in train])
    assert np.array_equal(originals, ROWS[~split_rows.mask(ROWS)] % 251)
    assert np.array_equal(
        np.concatenate([part.labels for part in validation]), ROWS[split_rows.mask(ROWS)] % 7
    )


def test_hold_out_renumbers_rows_that_are_not_consecutive():
    split_rows, rows = HoldOut(3, 0.5, TOTAL), np.array([4, 1030, 1031, 4999])
    whole = split_rows.split(block_of(ROWS))
    numbers = {True: {}, False: {}}
    for part in whole:
        originals = ROWS[split_rows.mask(ROWS) == part.validation]
        numbers[part.validation] = dict(zip(originals.tolist(), part.rows.tolist(), strict=True))
    for part in split_rows.split(block_of(rows)):
        originals = rows[split_rows.mask(rows) == part.validation]
        assert part.rows.tolist() == [numbers[part.validation][row] for row in originals.tolist()]


def test_hold_out_keeps_the_weights_of_rows():
    for part in HoldOut(3, 0.5, 100).split(block_of(range(100), np.arange(100) / 10)):
        assert np.array_equal(part.weights * 10, part.inputs[:, 0])


@pytest.mark.parametrize(("fraction", "total", "split_rows"), [(0.001, 5, "none"), (0.999, 3, "all")])
def test_hold_out_refuses_none_or_all(fraction, total, split_rows):
    with pytest.raises(ValueError, match=f"holds out {split_rows} of the {total} training rows"):
        HoldOut(0, fraction, total)


def test_a_mask_says_which_rows_are_held_out():
    mask = ROWS % 7 == 3
    held = HoldOut.of_mask(mask)
    assert np.array_equal(held.mask(ROWS), mask) and held.rows == mask.sum()
    parts = [part for rows in np.split(ROWS, [1000, 1024, 4999]) for part in held.split(block_of(rows))]
    for validation in (False, True):
        own = [part for part in parts if part.validation == validation]
        assert np.concatenate([part.rows for part in own]).tolist() == list(range((mask == validation).sum()))
        assert np.array_equal(
            np.concatenate([part.inputs[:, 0] for part in own]), ROWS[mask == validation] % 251
        )
    with pytest.raises(ValueError, match="validation_column: it holds out none of the 3 training rows"):
        HoldOut.of_mask(np.zeros(3, bool))


@given(st.floats(0, 0.99), st.integers(0, 9))
def test_a_stratified_mask_takes_the_share_of_each_class(fraction, seed):
    labels = np.repeat([0, 1, 3], [10, 33, 1])[np.random.default_rng(0).permutation(44)]
    mask = stratified(labels, fraction, seed)
    for label, count in ((0, 10), (1, 33), (3, 1)):
        assert mask[labels == label].sum() == min(round(fraction * count), count - 1)  # a row to learn from
    assert not np.array_equal(stratified(labels, 0.5, seed), stratified(labels, 0.5, seed + 1))
