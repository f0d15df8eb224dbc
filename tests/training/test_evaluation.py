"""Scores add up in row order, and mistakes come first."""

import numpy as np

from nn.data.local_rdd import LocalBroadcast, local_rdd
from nn.models import ranking
from nn.training import evaluation
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron

INPUTS, LABELS = blobs(200)
MODEL = multilayer_perceptron(16, 3, (4,), "tanh", "mse", scale=255.0)
PARAMS = MODEL.init(1)


def test_score_counts_what_the_model_predicts():
    score = evaluation.evaluate(local_rdd(INPUTS, LABELS, block_rows=33), MODEL, LocalBroadcast(PARAMS))
    predictions = MODEL.predict(PARAMS, INPUTS)
    assert score.rows == 200
    assert score.accuracy == np.mean(predictions == LABELS)
    assert score.confusion[2, 1] == np.sum((LABELS == 2) & (predictions == 1))
    assert score.first == tuple(zip(predictions[:15].tolist(), LABELS[:15].tolist(), strict=True))


def test_score_does_not_depend_on_the_blocks():
    whole = evaluation.evaluate(local_rdd(INPUTS, LABELS), MODEL, LocalBroadcast(PARAMS))
    parts = evaluation.evaluate(local_rdd(INPUTS, LABELS, block_rows=7), MODEL, LocalBroadcast(PARAMS))
    assert np.array_equal(whole.confusion, parts.confusion)
    assert whole.first == parts.first
    assert [e.row for e in whole.examples] == [e.row for e in parts.examples]


def test_two_classes_are_ranked_exactly_up_to_a_number_of_rows(monkeypatch):
    labels = np.minimum(LABELS, 1)
    model = multilayer_perceptron(16, 2, (4,), "tanh", "cross-entropy", scale=255.0)
    params, blocks = model.init(1), local_rdd(INPUTS, labels, block_rows=33)
    ones = model.predict_proba(params, INPUTS)[:, 1]
    wins = ones[labels == 1][:, None] - ones[labels == 0]
    exact = evaluation.evaluate(blocks, model, LocalBroadcast(params), 200).ranking
    assert exact.roc_auc == np.mean((wins > 0) + 0.5 * (wins == 0)) and exact.counts is None
    monkeypatch.setattr(ranking, "MOST_RANKED", 199)
    binned = evaluation.evaluate(blocks, model, LocalBroadcast(params), 200).ranking
    assert abs(binned.roc_auc - exact.roc_auc) < 0.01 and binned.counts.sum() == 200
    assert evaluation.evaluate(local_rdd(INPUTS, LABELS), MODEL, LocalBroadcast(PARAMS)).ranking is None


def test_a_score_of_sums_alone_has_no_rows():
    labels = np.minimum(LABELS, 1)
    model = multilayer_perceptron(16, 2, (4,), "tanh", "cross-entropy", scale=255.0)
    params, blocks = LocalBroadcast(model.init(1)), local_rdd(INPUTS, labels, block_rows=33)
    whole, sums = (evaluation.evaluate(blocks, model, params, with_rows=flag) for flag in (True, False))
    assert np.array_equal(sums.confusion, whole.confusion) and sums.loss == whole.loss
    assert whole.examples and whole.first and whole.ranking
    assert (sums.examples, sums.first, sums.ranking) == ((), (), None)


def test_examples_show_mistakes_first_with_their_inputs():
    score = evaluation.evaluate(local_rdd(INPUTS, LABELS, block_rows=50), MODEL, LocalBroadcast(PARAMS))
    wrong = [e.prediction != e.label for e in score.examples]
    assert len(wrong) == evaluation.EXAMPLES and sorted(wrong, reverse=True) == wrong
    assert 0 < sum(wrong) < len(wrong)
    for example in score.examples:
        assert np.array_equal(example.inputs, INPUTS[example.row])
        assert example.label == LABELS[example.row] and 0 < example.probability <= 1


def test_examples_fill_up_where_there_are_few_of_one_kind():
    score = evaluation.evaluate(local_rdd(INPUTS[:10], LABELS[:10]), MODEL, LocalBroadcast(PARAMS))
    assert sorted(e.row for e in score.examples) == list(range(10))


def test_bins_of_probabilities_add_up_whatever_the_blocks_are():
    blocks = local_rdd(INPUTS, LABELS, block_rows=33)
    rows, hits, total = evaluation.evaluate(blocks, MODEL, LocalBroadcast(PARAMS)).reliability
    probabilities = MODEL.predict_proba(PARAMS, INPUTS)
    predictions = MODEL.predict(PARAMS, INPUTS)
    shares = probabilities[np.arange(200), predictions].astype(float)
    inside = (shares >= 0.3) & (shares < 0.4)
    assert rows.sum() == 200 and hits.sum() == np.sum(predictions == LABELS)
    assert rows[3] == inside.sum() > 0 and hits[3] == (predictions == LABELS)[inside].sum()
    assert np.isclose(total[3], shares[inside].sum())
