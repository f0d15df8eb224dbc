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


def test_rows_with_missing_values_are_none(content):
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


CODES = {"code": [1, 2, 3] * 20, "city": ["Rome", "Oslo", "Bern"] * 20, "member": [True, False, True] * 20}


@pytest.fixture(scope="module")
def of_categories():
    labels = ["no", "yes", "no"] * 20
    return nn.fit(CODES, labels, categorical=["code"], missing="indicator", hidden=3, epochs=3).classifier


def test_columns_are_encoded_as_in_a_table_also_beside_missing_values(of_categories):
    scorer = Scorer(to_bytes(of_categories.model, of_categories.params, of_categories.about), "probabilities")
    rows = {"code": [2, None, 3], "city": ["Oslo", "Rome", None], "member": [True, None, False]}
    expected = of_categories.predict_proba(rows)
    columns = [np.array(column, object) for column in rows.values()]
    np.testing.assert_allclose(scorer.values(columns, 3), expected, atol=1e-6)
    none = scorer.values([np.array([None, None])], 2)
    everything_missing = {name: [None, None] for name in rows}
    np.testing.assert_allclose(none, of_categories.predict_proba(everything_missing), atol=1e-6)


def test_rows_of_which_none_has_a_value_are_none(content):
    assert Scorer(content).values([np.array([None, None])], 2) == [None, None]
    assert Scorer(content).values([np.array([None])] * 3, 1) == [None]


def test_an_infinite_number_of_a_table_makes_no_other_row_fail():
    table = {"a": [1.0, 2.0, 3.0, 4.0], "b": ["x", "y", "x", "y"]}
    found = nn.fit(table, [0, 0, 1, 1], hidden=2, epochs=2).classifier
    scorer = Scorer(to_bytes(found.model, found.params, found.about))
    rows = {"a": np.array([1.0, np.inf, 1e300, 4.0]), "b": np.array(["x", "y", "x", "y"], object)}
    assert [value is None for value in scorer.values([rows], 4)] == [False, True, True, False]
