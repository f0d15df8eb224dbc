"""Summaries of columns: they add up, count distinct values, and tell indices, times, ids and copies of the label."""

import itertools
import re

import numpy as np
import pytest

from nn.data.description import Limits, are_dates, copies, hint_of, row_hashes, summarize
from nn.data.statistics import column_statistics

ROWS = 300


def table(rng):
    """Five columns of numbers, with missing values and bad cells, and one of strings."""
    values = np.column_stack(
        [
            np.arange(ROWS) + 5.0,
            rng.normal(size=ROWS),
            rng.integers(0, 3, ROWS),
            np.where(np.arange(ROWS) % 7, 1.5, np.nan),
            np.where(np.arange(ROWS) % 50, 2.0, -np.inf),
            np.full(ROWS, np.nan),
        ]
    )
    texts = [None if row % 10 == 0 else f"t{row % 4}" for row in range(ROWS)]
    return values, texts


def summary_of(values, texts=None, label=None, start=0, stop=None, limits=None):
    rows = slice(start, stop)
    cells = {column: column_texts[rows] for column, column_texts in (texts or {}).items()}
    inputs = np.arange(values.shape[1])
    return summarize(values[rows], cells, inputs, label, 0, start, limits)


def assert_same(one, other):
    for name in ("filled", "bad", "whole", "starts", "checksums"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    for ours, theirs in zip(one.distinct, other.distinct, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(one.statistics.mean, other.statistics.mean, atol=1e-12)
    assert (one.rows, one.rows_with_missing, one.labels) == (
        other.rows,
        other.rows_with_missing,
        other.labels,
    )


@pytest.mark.parametrize("cuts", [(1,), (100,), (99, 100, 250)])
def test_the_summary_of_pieces_adds_up_to_that_of_all_rows(rng, cuts):
    values, texts = table(rng)
    whole = summary_of(values, {5: texts}, label=2)
    edges = [0, *cuts, ROWS]
    pieces = [summary_of(values, {5: texts}, 2, a, b) for a, b in itertools.pairwise(edges)]
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    assert_same(total, whole)


def test_missing_values_bad_cells_and_values_are_counted(rng):
    values, texts = table(rng)
    summary = summary_of(values, {5: texts}, label=2)
    assert summary.missing_values.tolist() == [0, 0, 0, 43, 0, 30] and summary.bad.tolist() == [
        0,
        0,
        0,
        0,
        6,
        0,
    ]
    assert summary.whole.tolist() == [True, False, True, False, True, True]
    assert summary.rows_with_missing == 43 + 30 - 5  # 0, 70, 140, 210 and 280 have both
    assert [distinct.number for distinct in summary.distinct] == [300, 300, 3, 1, 1, 4]
    assert summary.labels == {str(k): int((values[:, 2] == k).sum()) for k in range(3)}
    numbers = np.where(np.isinf(values), np.nan, values)
    np.testing.assert_array_equal(summary.statistics.high, column_statistics(numbers).high)
    assert summary.firsts[:5].tolist() == [5, values[0, 1], values[0, 2], 1.5, 2.0]


def test_beyond_the_limit_distinct_values_are_estimated(rng):
    limits = Limits(1024, 8)
    values = np.column_stack([np.arange(50_000.0), np.arange(50_000) % 1000, rng.permutation(50_000) // 2])
    total = None
    for start in range(0, len(values), 1000):
        piece = summarize(values[start : start + 1000], {}, np.arange(3), None, 0, start, limits)
        total = piece if total is None else total + piece
    assert [distinct.is_full for distinct in total.distinct] == [True, False, True]
    estimated = [distinct.number for distinct in total.distinct]
    assert estimated[1] == 1000
    assert abs(estimated[0] / 50_000 - 1) < 0.1 and abs(estimated[2] / 25_000 - 1) < 0.1


def test_rows_that_are_seen_twice_stay_estimated_and_both_zeros_are_one_value():
    limits = Limits(16, 8)
    piece = summarize(
        np.array([[0.0], [-0.0], *([k] for k in range(40))]), {}, np.arange(1), None, 0, 0, limits
    )
    twice = (piece + piece).distinct[0]
    assert twice.is_full and twice.number == piece.distinct[0].number
    few = summarize(np.array([[0.0], [-0.0]]), {}, np.arange(1), None, 0, 0, limits)
    assert few.distinct[0].number == 1


def test_rows_with_missing_values_are_counted_by_their_inputs_alone():
    values = np.array([[1, np.nan], [np.nan, 1], [2, np.nan]])
    assert [
        summarize(values, {}, np.array(inputs), None, 0, 0).rows_with_missing for inputs in ([0], [1], [0, 1])
    ] == [1, 2, 3]


def test_wide_tables_in_many_splits_keep_less_of_each_column():
    assert Limits.of(10) == (4096, 1000)
    assert Limits.of(784, 4) == (4096, 1000) > Limits.of(784, 100) > Limits.of(10_000, 1000) == (16, 8)


def test_copies_have_the_partition_of_the_label_whatever_their_values_are(rng):
    label = rng.integers(0, 4, ROWS)
    names = np.array(["a", "b", "c", "d"])
    values = np.column_stack([label, 10.0 - 3 * label, label % 2, label, np.full(ROWS, np.nan), label])
    values[7, 3] = np.nan
    values[11, 5] = (label[11] + 1) % 4
    summary = summary_of(values, {4: names[label].tolist()}, label=0)
    assert copies(summary, None, 0).tolist() == [False, True, False, False, True, False]
    split_in_two = summary_of(values, {4: names[label].tolist()}, 0, 0, 120) + summary_of(
        values, {4: names[label].tolist()}, 0, 120
    )
    assert copies(split_in_two, None, 0).tolist() == [False, True, False, False, True, False]


def test_copies_of_labels_in_a_file_of_their_own_are_found(rng):
    label = rng.integers(0, 3, ROWS)
    sums = np.zeros(3, np.uint64)
    np.add.at(sums, label, row_hashes(0, 0, ROWS))
    summary = summary_of(np.column_stack([label * 2.5, rng.integers(0, 3, ROWS)]))
    assert copies(summary, np.sort(sums), None).tolist() == [True, False]


def test_rows_that_are_a_class_each_make_no_copies_but_equal_targets_do(rng):
    target = rng.normal(size=ROWS)
    summary = summary_of(np.column_stack([target, np.arange(ROWS), target, target + 1]), label=0)
    assert copies(summary, None, 0).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        (np.arange(40), "x", r"index: it counts the rows \(0, 1, 2, \.\.\.\)"),
        (np.arange(1, 41), "x", r"index: it counts the rows \(1, 2, 3, \.\.\.\)"),
        (1.6e9 + np.arange(40) ** 2 * 1e5, "x", "time in seconds since 1970, from 2020-09-13 to 2025-07-09"),
        (1.6e12 + np.arange(40) ** 2 * 1e8, "x", "time in milliseconds since 1970, from 2020-09-13 to"),
        (np.random.default_rng(1).permutation(40), "x", "id: a value of its own"),
        (np.random.default_rng(1).permutation(40) * 12345, "customer_id", "id: a value of its own"),
        (np.random.default_rng(1).permutation(40) * 12345, "income", ""),
        (np.random.default_rng(1).permutation(40) + 0.5, "id", ""),
        (np.arange(10), "x", ""),
        (np.arange(40) // 2, "id", ""),
        (np.full(40, 1.6e9), "x", ""),
    ],
)
def test_what_a_column_looks_like(values, name, expected):
    hint = hint_of(summary_of(values.astype(float)[:, None]), 0, name)
    assert bool(hint) == bool(expected) and re.search(expected, hint), hint


def test_texts_are_dates_if_all_of_them_are():
    assert are_dates(["2016-10-01", "2024/7/5 12:30", "31.12.1999"])
    assert not are_dates([]) and not are_dates(["2016-10-01", "soon"]) and not are_dates(["2016-1001"])
