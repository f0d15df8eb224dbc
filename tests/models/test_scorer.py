"""A saved model as a function of columns: loaded once, with None for rows that it cannot predict."""

import pickle

import numpy as np
import pytest

import nn
from nn.models import scorer
from nn.models.model_file import to_bytes
from nn.models.scorer import Scorer


@pytest.fixture(scope="module")
def classifier():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 3))
    return nn.fit(inputs, np.where(inputs[:, 0] > 0, "up", "down"), hidden=3, epochs=3).classifier


@pytest.fixture
def content(classifier):
    return to_bytes(classifier.model, classifier.params, classifier.about)


def test_one_array_and_several_columns_are_the_same_rows(classifier, content):
    inputs = np.random.default_rng(1).normal(size=(2_500, 3))
    expected = classifier.predict(inputs).tolist()
    assert Scorer(content).values([inputs], 2_500) == expected
    assert Scorer(content).values(list(inputs.T), 2_500) == expected
    both = Scorer(content, "all").values([inputs], 2_500)
    assert [label for label, _ in both] == expected
    np.testing.assert_allclose([p for _, p in both], classifier.predict_proba(inputs), atol=1e-6)


def test_rows_with_gaps_are_none(content):
    rows = np.array([[1, 2, 3], [1, np.nan, 3], [np.inf, 0, 0]])
    assert [value is None for value in Scorer(content).values([rows], 3)] == [False, True, True]
    assert [value is None for value in Scorer(content, "probabilities").values([rows], 3)] == [
        False,
        True,
        True,
    ]


def test_a_process_loads_a_model_once(content, monkeypatch):
    scorer._loaded.clear()
    loaded = []
    read = scorer.model_file.from_bytes
    monkeypatch.setattr(scorer.model_file, "from_bytes", lambda bytes: loaded.append(1) or read(bytes))
    for _ in range(3):
        pickle.loads(pickle.dumps(Scorer(content))).values([np.zeros((1, 3))], 1)
    assert len(loaded) == 1


def test_a_process_keeps_the_last_models_alone(classifier):
    scorer._loaded.clear()
    scorers = [
        Scorer(to_bytes(classifier.model, classifier.params, {"n": n})) for n in range(scorer.MODELS + 2)
    ]
    for each in scorers:
        each.values([np.zeros((1, 3))], 1)
    assert list(scorer._loaded) == [each.digest for each in scorers[2:]]


def test_a_damaged_model_is_told(content):
    damaged = Scorer(content)
    damaged.content = content[:-1] + bytes([content[-1] ^ 1])
    scorer._loaded.clear()
    with pytest.raises(ValueError, match="damaged"):
        damaged.values([np.zeros((1, 3))], 1)


@pytest.mark.parametrize(
    ("arguments", "returns", "message"),
    [
        ([np.zeros((2, 4))], "prediction", "expected 3 numbers per row, found 4"),
        ([], "labels", "returns: expected one of"),
    ],
)
def test_what_does_not_fit_is_told(content, arguments, returns, message):
    with pytest.raises(ValueError, match=message):
        Scorer(content, returns).values(arguments, 2)
