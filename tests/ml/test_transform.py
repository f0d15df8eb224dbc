"""Columns that transform takes: strings as fit has them, of types that it can use, under any names."""

import numpy as np
import pytest

from nn.core.errors import DataError, UsageError
from nn.ml import NeuralNetworkClassifier

WORDS = ("", "NA", "NaN", "nan", "?", "null", "NULL", "bern")
SPEC = {"layerSpec": "dense:4,tanh", "maxIter": 2}


@pytest.fixture(scope="module")
def towns(session):
    """Rows with a number and a text, of which some are words that CSV files have for missing values."""
    rows = [(20 + n, WORDS[n % 8], float(n % 2)) for n in range(48)]
    return session.createDataFrame(rows, "age int, town string, label double").coalesce(1).cache()


@pytest.fixture(scope="module")
def model(towns):
    """A network for both columns."""
    return NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"]).fit(towns)


def probabilities(model, frame):
    """The probabilities of all rows, (n, k)."""
    return np.array([row.probability.toArray() for row in model.transform(frame).collect()])


def test_a_text_of_a_dataframe_is_a_text(towns, model):
    """Also a word that stands for a missing value in a CSV file: null alone is a missing value."""
    assert model.classifier.model.encoder.columns[1].values == tuple(sorted(WORDS))
    assert model.evaluate(towns).accuracy == model.summary.accuracy
    missing_value = towns.selectExpr("age", "nullif(town, 'bern') as town", "label")
    with pytest.raises(DataError, match="column 'town': expected a value in each row, found 6 rows .* null"):
        NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"]).fit(missing_value)
    assert model.transform(missing_value).filter("prediction is null").count() == 6
    filled = NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"], missing="mean").fit(missing_value)
    assert filled.evaluate(missing_value).accuracy == filled.summary.accuracy


def test_texts_under_a_number_are_numbers_or_have_no_prediction(towns, model):
    expected = pytest.approx(probabilities(model, towns), rel=1e-6)
    assert probabilities(model, towns.withColumn("age", towns.age.cast("string"))) == expected
    assert probabilities(model, towns.withColumn("age", towns.age.cast("decimal(9,2)"))) == expected
    filling = NeuralNetworkClassifier(**SPEC, featuresCol=["age", "town"], missing="mean").fit(towns)
    for each in (model, filling):
        spoiled = towns.selectExpr(
            "case age when 20 then 'NA' when 21 then '1e99' else string(age) end age", "town"
        )
        rows = each.transform(spoiled).select("age", "prediction", "probability").collect()
        assert {row.age for row in rows if row.prediction is None} == {"NA", "1e99"}


@pytest.mark.parametrize(
    ("age", "town", "names", "expected"),
    [
        (
            "timestamp('2020-01-01')",
            "town",
            ["age", "town"],
            "column 'age': expected numbers or strings .* found timestamp",
        ),
        ("age", "array(1D)", ["age", "town"], "column 'town': expected numbers or strings .*, found array"),
        ("age", "town", ["age", "label"], "^featuresCol: expected the columns 'town' too$"),
    ],
)
def test_columns_that_the_model_cannot_take_are_named_by_the_driver(towns, model, age, town, names, expected):
    frame = towns.selectExpr(f"{age} age", f"{town} town", "label")
    with pytest.raises(DataError, match=expected):
        model.copy({model.featuresCol: names}).transform(frame)


def test_a_list_of_names_is_no_vector(xor):
    vectors = NeuralNetworkClassifier(layers=[2, 2], maxIter=0).fit(xor)
    columns = xor.selectExpr("0D as a", "1D as b")
    with pytest.raises(DataError, match="expected one column of 2 values, as the model takes, found a list"):
        vectors.setFeaturesCol(["a", "b"]).transform(columns)


def test_other_columns_may_have_any_names(session, towns, model):
    other = towns.selectExpr("age as years", "label", "label as `a.b`")
    joined = towns.join(other, towns.age == other.years)
    predicted = model.transform(joined)
    added = ["rawPrediction", "probability", "prediction"]
    assert predicted.columns == [*joined.columns, *added] and predicted.count() == 48
    with pytest.raises(DataError, match="expected a new column for predictions, found 'Label', which exists"):
        model.copy({model.predictionCol: "Label"}).transform(towns)
    session.conf.set("spark.sql.caseSensitive", "true")
    try:
        both = model.copy({model.predictionCol: "Label"}).transform(towns)
        assert both.select("label", "Label").count() == 48
    finally:
        session.conf.unset("spark.sql.caseSensitive")


def test_thresholds_of_one_row_are_checked_as_those_of_a_dataframe(xor):
    model = NeuralNetworkClassifier(layers=[2, 2], maxIter=0).fit(xor).setThresholds([1.0])
    for predict in (lambda: model.predict([0.0, 1.0]), lambda: model.transform(xor)):
        with pytest.raises(UsageError, match="thresholds: expected one for each of the 2 classes, found 1"):
            predict()
