"""Training that starts from a trained model: its columns by their names, of its kinds, and its class numbers."""

import pytest

from nn.core.errors import DataError
from nn.ml import NeuralNetworkClassifier

TOWNS = ("bern", "oslo", "rome")
SPEC = {"layerSpec": "dense:4,tanh", "maxIter": 2}


@pytest.fixture(scope="module")
def people(session):
    """Rows with numbers, a number that is a category, a town, and a class."""
    rows = [(20 + 7 * n % 40, 900.0 + 50 * (n % 11), 3000 + n % 3, TOWNS[n % 3]) for n in range(60)]
    frame = session.createDataFrame(rows, ["age", "income", "zip", "town"])
    return frame.selectExpr("*", "double(age > 40) label").coalesce(1).cache()


@pytest.fixture(scope="module")
def started(people, tmp_path_factory):
    """A function (Params of the first fit, those of the second, rows of the second) -> the second model."""

    def fit(first, second, rows=people, first_rows=people):
        path = str(tmp_path_factory.mktemp("first") / "model.npz")
        NeuralNetworkClassifier(**SPEC, **first).fit(first_rows).write_npz(path)
        return NeuralNetworkClassifier(startFrom=path, maxIter=2, **second).fit(rows)

    return fit


def test_columns_are_those_of_the_model_by_name(started):
    first = {"featuresCol": ["age", "income"]}
    assert started(first, first).weights == started(first, {"featuresCol": ["income", "age"]}).weights
    with pytest.raises(DataError, match="found none called 'income'; 'zip' beside them$"):
        started(first, {"featuresCol": ["age", "zip"]})
    with pytest.raises(
        DataError, match="^featuresCol: expected the columns of the trained model, found 'zip'"
    ):
        started(first, {"featuresCol": ["age", "income", "zip"]})


def test_columns_of_a_model_without_names_are_taken_in_their_order(people, started):
    from pyspark.ml.feature import VectorAssembler

    vectors = VectorAssembler(inputCols=["age", "income"], outputCol="vector").transform(people)
    first = {"featuresCol": "vector"}
    again = started(first, {"featuresCol": ["age", "income"]}, first_rows=vectors)
    assert again.weights == started(first, first, vectors, vectors).weights
    with pytest.raises(DataError, match="expected 2 values per row, as the trained model takes, found 1"):
        started(first, {"featuresCol": ["age"]}, first_rows=vectors)


def test_a_column_is_a_category_where_it_is_one_of_the_model(people, started):
    from pyspark.ml.feature import VectorAssembler

    first = {"featuresCol": ["age", "zip"], "categoricalCols": ["zip"]}
    assert started(first, {"featuresCol": ["age", "zip"]}).weights == started(first, first).weights
    vectors = VectorAssembler(inputCols=["age", "zip"], outputCol="vector").transform(people)
    with pytest.raises(DataError, match="expected the columns of the trained model, found 'vector' alone"):
        started(first, {"featuresCol": "vector"}, vectors)


def test_texts_under_a_number_of_the_model_are_numbers(people, started):
    features = {"featuresCol": ["age", "town"]}
    texts = people.withColumn("age", people.age.cast("string"))
    assert started(features, features, texts).weights == started(features, features).weights
    spoiled = texts.selectExpr("if(income = 950, 'many', age) as age", "town", "label")
    with pytest.raises(DataError, match="column 'age': expected finite numbers .* such as many in the row"):
        started(features, features, spoiled)


def test_class_numbers_are_those_of_the_model(people, started):
    from pyspark.ml.feature import StringIndexer, StringIndexerModel

    def indexed(rows, order="alphabetAsc"):
        indexer = StringIndexer(inputCol="town", outputCol="class", stringOrderType=order)
        return indexer.fit(rows).transform(rows)

    params = {"featuresCol": ["age", "income"], "labelCol": "class"}
    two = people.filter("town != 'bern'")
    for rows in (indexed(two, "alphabetDesc"), indexed(people, "alphabetDesc")):
        with pytest.raises(
            DataError, match="expected 0 for 'bern', as in the trained model, .* 'rome'"
        ) as raised:
            started(params, params, rows, indexed(people))
        assert str(raised.value).endswith(
            "; StringIndexerModel.from_labels(['bern', 'oslo', 'rome']) gives its numbers"
        )
    right = StringIndexerModel.from_labels(list(TOWNS), inputCol="town", outputCol="class").transform(two)
    assert started(params, params, right, indexed(people)).classifier.class_names == TOWNS
    known = two.withColumn("class", two["zip"] - 3000)  # class numbers without names
    assert started(params, params, known, indexed(people)).classifier.class_names == TOWNS
