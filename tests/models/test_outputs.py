"""The outputs that a stage of pyspark.ml adds to rows, without Spark."""

import numpy as np
import pytest

import nn
from nn.models.model_file import to_bytes
from nn.models.outputs import LABEL, OUTPUTS, PREDICTION, PROBABILITY, RAW, OutputScorer

INPUTS = np.random.default_rng(0).normal(size=(60, 2))


@pytest.fixture(scope="module")
def classifier():
    names = np.where(INPUTS[:, 0] > 0, "right", "left")
    return nn.fit(INPUTS, names, loss="cross-entropy", hidden=[3], epochs=20, optimizer="l-bfgs").classifier


def scorer(classifier, outputs=OUTPUTS, thresholds=None):
    return OutputScorer(to_bytes(classifier.model, classifier.params), outputs, thresholds)


def test_outputs_agree_with_each_other(classifier):
    (raw, probability, prediction, label), usable = scorer(classifier).arrays([INPUTS], 60)
    assert usable.all()
    assert raw.shape == probability.shape == (60, 2)
    assert np.allclose(probability, classifier.predict_proba(INPUTS), atol=1e-6)
    assert (prediction == raw.argmax(axis=1)).all() and (label == classifier.predict(INPUTS)).all()


@pytest.mark.parametrize("bad", [np.nan, 1e38, -1e38])
def test_rows_without_a_prediction_are_named_and_the_others_are_as_before(bad):
    options = {"hidden": [8], "activation": "relu", "loss": "cross-entropy", "scale": "none"}
    relu = nn.fit(INPUTS, INPUTS[:, 0] > 0, **options, epochs=1).classifier
    steep = nn.Classifier(relu.model, [{key: v * 1e3 for key, v in p.items()} for p in relu.params])
    rows = INPUTS.copy()
    rows[7] = bad
    few = scorer(steep, (PREDICTION, PROBABILITY))
    (prediction, probability), usable = few.arrays([rows], 60)
    assert np.flatnonzero(~usable).tolist() == [7]
    (others, _), _ = few.arrays([INPUTS], 60)
    assert np.array_equal(np.delete(prediction, 7), np.delete(others, 7))
    cells = few.predict([rows], 60)
    assert cells[0][7] is None and cells[1][7] is None and None not in cells[0][:7]


@pytest.mark.parametrize("rows", [np.empty((0, 2)), np.full((3, 2), np.nan)])
def test_no_rows_and_no_usable_rows_have_columns_of_the_same_types(classifier, rows):
    columns, usable = scorer(classifier).arrays([rows], len(rows))
    assert not usable.any() and [len(column) for column in columns] == [len(rows)] * 4
    assert [column.dtype.kind for column in columns] == ["f", "f", "f", "O"]
    assert columns[0].shape == columns[1].shape == (len(rows), 2)


def test_thresholds_move_predictions_and_labels_alike(classifier):
    (prediction, label), _ = scorer(classifier, (PREDICTION, LABEL), [1.0, 0.0]).arrays([INPUTS], 60)
    assert set(prediction) == {1.0} and set(label) == {"right"}


def test_columns_have_the_types_of_spark(classifier):
    columns = scorer(classifier, (RAW, PREDICTION, LABEL)).table.columns
    assert [column.type for column in columns] == ["array<double>", "double", "string"]
