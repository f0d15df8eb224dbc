"""Columns that transform takes: texts as fit has them, of types that it can use, under any names."""

import pytest

from nn.core.errors import DataError
from nn.ml import NeuralNetworkClassifier

WORDS = ("", "NA", "NaN", "nan", "?", "null", "NULL", "bern")
SPEC = {"layerSpec": "dense:4,tanh", "maxIter": 2}


@pytest.fixture(scope="module")
def towns(session):
    """Rows with a number and a text, of which some are words that CSV files have for gaps."""
    rows = [(20 + n, WORDS[n % 8], float(n % 2)) for n in range(48)]
    return session.createDataFrame(rows, "age int, town string, label double").coalesce(1).cache()


@pytest.fixture(scope="module")
def model(towns):
    """A network for both columns."""
    return NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"]).fit(towns)


def test_a_text_of_a_dataframe_is_a_text(towns, model):
    """Also a word that stands for a gap in a CSV file: null alone is a gap."""
    assert model.classifier.model.encoder.columns[1].values == tuple(sorted(WORDS))
    assert model.evaluate(towns).accuracy == model.summary.accuracy
    gap = towns.selectExpr("age", "nullif(town, 'bern') as town", "label")
    with pytest.raises(DataError, match="column 'town': expected a value in each row, found 6 rows .* null"):
        NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"]).fit(gap)
    assert model.transform(gap).filter("prediction is null").count() == 6
    filled = NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"], missing="mean").fit(gap)
    assert filled.evaluate(gap).accuracy == filled.summary.accuracy
