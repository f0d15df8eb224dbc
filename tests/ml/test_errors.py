"""Rows that cannot be learned from: one line with the Param, the column, what was expected, and a row."""

import logging

import pytest

from nn.core.errors import DataError, UsageError
from nn.ml import NeuralNetworkClassifier, NeuralNetworkRegressor
from nn.spark.frames.blocks import BlockFrame

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def rows(session):
    """Six good rows, of which tests spoil one."""
    cells = [(float(n % 2), [float(n), 1.0], 1.0, n == 5, f"t{n}", float(n)) for n in range(6)]
    return session.createDataFrame(
        cells, ["label", "features", "weight", "held_out", "text", "number"]
    ).coalesce(1)


def fit(frame, **params):
    """Train a classifier for a step."""
    return NeuralNetworkClassifier(**{"layers": [2, 2], "maxIter": 1, **params}).fit(frame)


@pytest.mark.parametrize(
    ("column", "value", "params", "expected"),
    [
        (
            "label",
            "cast(null as double)",
            {},
            r"labelCol: column 'label': expected whole numbers in 0..1, found 1 row",
        ),
        ("label", "double('NaN')", {}, r"found 1 row with other values, such as nan .*StringIndexer"),
        ("label", "2.5D", {}, "such as 2.5 in the row with"),
        (
            "features",
            "cast(null as array<double>)",
            {},
            "featuresCol: column 'features': expected 2 finite numbers",
        ),
        ("features", "array(1D, double('NaN'))", {}, r"such as \[1.0, nan\] in the row with .*label=1.0"),
        ("features", "array(1D, 1e300D)", {}, r"within float32 .* such as \[1.0, 1e\+300\]"),
        (
            "features",
            "array(1D, 2D, 3D)",
            {},
            r"expected 2 finite .* such as \[1.0, 2.0, 3.0\]",
        ),
        (
            "weight",
            "-2D",
            {"weightCol": "weight"},
            "weightCol: column 'weight': expected weights from 0 to 1e",
        ),
        (
            "held_out",
            "cast(null as boolean)",
            {"validationIndicatorCol": "held_out"},
            "validationIndicatorCol: column",
        ),
        (
            "number",
            "double('NaN')",
            {"featuresCol": ["number"], "layers": [1, 2]},
            "column 'number': expected finite",
        ),
        (
            "text",
            "cast(null as string)",
            {"featuresCol": ["text", "number"]},
            "column 'text': expected a value",
        ),
        (
            "weight",
            "double('NaN')",
            {"featuresCol": ["weight", "number"], "categoricalCols": ["weight"]},
            "column 'weight': expected a value in each row, found 1 row with other values, such as nan in the row",
        ),
    ],
)
def test_a_row_that_is_wrong_is_named(rows, column, value, params, expected):
    spoiled = rows.selectExpr(
        *(f"if(number = 3, {value}, {name}) as {name}" if name == column else name for name in rows.columns)
    )
    if len(params.get("featuresCol", "")) == 2:
        params = {**params, "layers": None, "layerSpec": "dense:2"}
    with pytest.raises(DataError, match=expected) as raised:
        fit(spoiled, **params)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "params", "expected"),
    [
        (lambda f: f.filter("number > 10"), {}, "expected rows, found none"),
        (lambda f: f.filter("label = 1"), {}, "expected at least 2 classes, found class 1 alone"),
        (lambda f: f.drop("label"), {}, "expected a column 'label'; the DataFrame has 'features'"),
        (lambda f: f, {"featuresCol": "text"}, "expected vectors, arrays of numbers or bytes, found string"),
        (lambda f: f, {"featuresCol": ["number", "label"]}, "found 'label' twice"),
        (
            lambda f: f,
            {"featuresCol": ["number", "features"]},
            "expected numbers or strings in a list of names",
        ),
        (
            lambda f: f,
            {"featuresCol": ["number"]},
            "layers: expected 1 inputs first, as the columns give, found 2",
        ),
        (lambda f: f, {"labelCol": "text"}, "labelCol: column 'text': expected numbers, found string"),
        (
            lambda f: f,
            {"layers": [3, 2]},
            "expected 3 finite numbers within float32 in each row, found 6 rows",
        ),
        (lambda f: f, {"initialWeights": [1.0]}, "expected 6 initial weights for these layers, found 1"),
        (lambda f: f.withColumn("weight", f.weight * 0), {"weightCol": "weight"}, "total weight above 0"),
    ],
)
def test_columns_and_params_that_do_not_fit_are_named(rows, change, params, expected):
    with pytest.raises((DataError, UsageError), match=expected) as raised:
        fit(change(rows), **params)
    assert "\n" not in str(raised.value)


def test_the_target_of_a_regression_is_a_number(rows):
    spoiled = rows.selectExpr("features", "if(number = 3, double('Infinity'), number) as label")
    with pytest.raises(
        DataError, match="labelCol: column 'label': expected finite numbers, found 1 row .* inf"
    ):
        NeuralNetworkRegressor(layers=[2, 1], maxIter=1).fit(spoiled)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ("if(number = 3, null, weight)", "a weight in each row, found null in 1"),
        ("weight * 0", "with a sum above 0, found a least of 0 and a sum of 0"),
        ("if(number = 3, -1D, weight)", "found a least of -1 and a sum of 4"),
        ("if(number = 3, double('NaN'), weight)", "a sum of nan"),
    ],
)
@pytest.mark.parametrize("kind", [NeuralNetworkClassifier, NeuralNetworkRegressor])
def test_rows_cannot_be_measured_with_weights_that_are_no_weights(rows, kind, weight, expected):
    layers = [2, 2] if kind is NeuralNetworkClassifier else [2, 1]
    model = kind(layers=layers, maxIter=1, weightCol="weight").fit(rows)
    with pytest.raises(DataError, match=f"^weightCol: column 'weight': expected .*{expected}"):
        model.evaluate(rows.selectExpr("label", "features", "number", f"{weight} as weight"))


@pytest.mark.parametrize("kind", [NeuralNetworkClassifier, NeuralNetworkRegressor])
def test_texts_and_nan_cannot_be_measured(session, rows, kind):
    model = kind(layers=[2, 2 if kind is NeuralNetworkClassifier else 1], maxIter=1).fit(rows)
    with pytest.raises(DataError, match="^labelCol: column 'text': expected numbers, found string; pyspark"):
        model.copy({model.labelCol: "text"}).evaluate(rows)
    with pytest.raises(DataError, match="^weightCol: column 'text': expected numbers, found string$"):
        model.copy({model.weightCol: "text"}).evaluate(rows)
    for value in ("double('NaN')", "double('Infinity')", "cast(null as double)"):
        spoiled = rows.selectExpr("features", "number", f"if(number = 3, {value}, label) as label")
        with pytest.raises(
            DataError, match="expected whole numbers in 0..1, found|in each row, found null, NaN"
        ):
            model.evaluate(spoiled)


def test_names_of_columns_may_hold_any_character(rows):
    renamed = rows.withColumnRenamed("label", "mc2b$0").withColumnRenamed("features", "a.b `c`")
    model = fit(renamed, labelCol="mc2b$0", featuresCol="a.b `c`")
    assert model.transform(renamed).count() == 6
    assert model.evaluate(renamed).accuracy == model.summary.accuracy


def test_texts_of_numbers_are_categories_with_a_warning(session, caplog):
    frame = session.range(30).selectExpr(
        "cast(id % 2 as double) label", "string(id % 5) size", "id % 3 other"
    )
    for categorical, warned in ((None, True), (["size"], False)):
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="nn.ml"):
            params = {} if categorical is None else {"categoricalCols": categorical}
            NeuralNetworkClassifier(
                featuresCol=["size", "other"], layerSpec="dense:2,relu", maxIter=1, **params
            ).fit(frame)
        assert ("column 'size' has strings of numbers, such as '0'" in caplog.text) == warned


@pytest.mark.parametrize(
    ("text", "advice"), [("string(id)", "cast it to double"), ("concat('t', id)", "leave it out")]
)
def test_texts_that_name_the_rows_are_refused(session, text, advice):
    frame = session.range(30).selectExpr("cast(id % 2 as double) label", f"{text} name", "id % 3 other")
    params = {"featuresCol": ["name", "other"], "layerSpec": "dense:2,relu", "maxIter": 1}
    with pytest.raises(DataError, match=f"column 'name' has 30 different strings in 30 rows.*{advice}"):
        NeuralNetworkClassifier(**params).fit(frame)
    NeuralNetworkClassifier(**params, categoricalCols=["name"]).fit(frame)


def test_freeing_rows_hides_no_error():
    """Where Spark has ended, nothing can be freed, and the error that ended it is what the user is told."""

    class Ended:
        def unpersist(self):
            raise ConnectionError("Spark has ended")

    ended = []
    BlockFrame(None, Ended(), Ended(), False, lambda: ended.append(True)).release()
    assert ended == [True]
