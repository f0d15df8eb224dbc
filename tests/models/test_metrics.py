"""Confusion matrices and ratios agree with numbers computed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.models import metrics

MATRIX = np.array([[3, 1, 0], [2, 4, 0], [0, 5, 0]])


def test_confusion_counts_truth_in_rows_and_predictions_in_columns():
    matrix = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_metrics_match_counting_by_hand():
    zero, one, two = metrics.per_class(MATRIX)
    assert zero == pytest.approx((3 / 5, 3 / 4, 6 / 9, 4))
    assert one == pytest.approx((4 / 10, 4 / 6, 8 / 16, 6))
    assert two == (0.0, 0.0, 0.0, 5)  # never predicted: its precision is undefined and counts as 0
    assert metrics.accuracy(MATRIX) == 7 / 15
    assert metrics.macro([zero, one, two])[0] == pytest.approx((3 / 5 + 4 / 10) / 3)


def test_metrics_of_no_rows_are_zero():
    nothing = np.zeros((2, 2), int)
    assert metrics.accuracy(nothing) == 0
    assert metrics.per_class(nothing)[0] == (0, 0, 0, 0)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_metrics_agree_with_counting_pairs_one_by_one(pairs):
    labels, predictions = np.array(pairs).T
    matrix = metrics.confusion(labels, predictions, 5)
    assert matrix.sum() == len(pairs)
    assert metrics.accuracy(matrix) == pytest.approx(np.mean(labels == predictions))
    for number, found in enumerate(metrics.per_class(matrix)):
        hit = sum(a == b == number for a, b in pairs)
        assert found.support == sum(a == number for a, _ in pairs)
        assert found.recall == pytest.approx(hit / max(found.support, 1))
