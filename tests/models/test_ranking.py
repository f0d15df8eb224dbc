"""ROC AUC and log loss: by definition, as scikit-learn has them, in blocks of any size, exact and in bins."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.models import ranking


def probabilities_of(ones):
    ones = np.asarray(ones, np.float32)
    return np.stack([np.float32(1) - ones, ones], axis=1)


def drawn(rows, spread, seed=0):
    """Labels and probabilities (n, 2) of logits that are higher for class 1, rounded so that many are equal."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    logits = np.round(rng.normal(0, spread, rows) + labels * spread, 1)
    small = np.exp(-np.abs(logits)) / (1 + np.exp(-np.abs(logits)))
    ones = np.where(logits > 0, 1 - small, small)
    return labels, np.stack([np.where(logits > 0, small, 1 - small), ones], axis=1).astype(np.float32)


def scored(labels, probabilities, exact=True, block=70):
    parts = [slice(start, start + block) for start in range(0, len(labels), block)]
    return reduce(add, (ranking.ranking(probabilities[part], labels[part], exact) for part in parts))


def by_pairs(labels, ones):
    """The definition: all pairs of a row of each class."""
    wins = ones[labels == 1][:, None] - ones[labels == 0][None, :]
    return float(np.mean((wins > 0) + 0.5 * (wins == 0)))


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), max_size=30))
def test_the_area_is_the_share_of_ordered_pairs(rows):
    labels = np.array([label for label, _ in rows], np.int64)
    ones = np.array([one for _, one in rows], np.float32)
    for exact in (True, False):
        found = ranking.ranking(probabilities_of(ones), labels, exact).roc_auc
        if len(set(labels.tolist())) < 2:
            assert found is None
        else:
            assert found == pytest.approx(by_pairs(labels, ones), abs=1e-12)


@pytest.mark.parametrize("spread", [0.3, 3.0, 12.0])
def test_scores_are_those_of_scikit_learn(spread):
    sklearn = pytest.importorskip("sklearn.metrics")
    labels, probabilities = drawn(5000, spread)
    whole = scored(labels, probabilities)
    assert whole.roc_auc == pytest.approx(sklearn.roc_auc_score(labels, probabilities[:, 1]), abs=1e-12)
    assert whole.loss / 5000 == pytest.approx(sklearn.log_loss(labels, probabilities), rel=1e-6)


@pytest.mark.parametrize("exact", [True, False])
def test_scores_do_not_depend_on_the_blocks(exact):
    labels, probabilities = drawn(1000, 1.0)
    one, many = (scored(labels, probabilities, exact, block) for block in (1000, 7))
    assert one.roc_auc == many.roc_auc and one.loss == pytest.approx(many.loss, rel=1e-12)


@pytest.mark.parametrize("spread", [0.3, 3.0, 12.0])
def test_bins_lose_little_where_most_probabilities_are_near_an_end(spread):
    labels, probabilities = drawn(5000, spread)
    exact, binned = (scored(labels, probabilities, exact) for exact in (True, False))
    assert binned.counts.sum() == 5000 and binned.counts.shape == (2, ranking.BINS)
    assert ranking.BINS < 2**16
    assert binned.roc_auc == pytest.approx(exact.roc_auc, abs=1e-3)


def test_bins_rise_with_the_probability():
    ones = np.sort(np.concatenate([np.geomspace(1e-38, 1, 5000), 1 - np.geomspace(1e-7, 1, 5000), [0, 0.5]]))
    cells = ranking.bins(ones.astype(np.float32))
    assert (np.diff(cells) >= 0).all() and cells[0] == 0 and cells[-1] == ranking.BINS - 1
    assert len(np.unique(cells)) > 4000


def test_a_sure_mistake_has_a_finite_loss():
    assert ranking.ranking(probabilities_of([1.0]), np.array([0]), True).loss == pytest.approx(
        15.94, abs=0.01
    )
