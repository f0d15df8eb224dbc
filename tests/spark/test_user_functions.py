"""User-defined functions: the predictions of the model in Python, whatever columns and ways there are."""

import numpy as np
import pytest

import nn
import nn.spark
from nn.core.errors import DataError
from nn.spark import user_functions

pytestmark = pytest.mark.spark


@pytest.fixture
def session(spark):
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


@pytest.fixture(params=["rows", "arrow"])
def way(request, monkeypatch):
    if request.param == "arrow":
        pytest.importorskip("pyarrow")
        pytest.importorskip("pandas")
    monkeypatch.setattr(user_functions, "has_arrow", lambda context: request.param == "arrow")


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(2)
    size = rng.normal(50, 20, 120)
    color = rng.choice(np.array(["red", "green"], object), 120)
    return {"size": size, "color": color}, np.where(size > 50, "large", "small").astype(object)


@pytest.fixture(scope="module")
def classifier(table):
    return nn.fit(*table, hidden=6, epochs=20, missing="mean", optimizer="adam").classifier


@pytest.fixture
def frame(session, table):
    rows = [(number, float(s), c) for number, (s, c) in enumerate(zip(*table[0].values(), strict=True))]
    return session.createDataFrame(rows, "id int, size double, color string").repartition(3)


def test_a_struct_is_predicted_by_the_names_of_its_fields(session, frame, table, classifier, way):
    from pyspark.sql.functions import struct

    predict = nn.spark.udf(session, classifier)
    found = frame.select("id", predict(struct("color", "size", "id")).alias("label"))
    assert dict(found.dtypes)["label"] == "string"
    labels = {row["id"]: row["label"] for row in found.collect()}
    assert [labels[number] for number in range(120)] == classifier.predict(table[0]).tolist()


@pytest.mark.parametrize("returns", ["probabilities", "all"])
def test_probabilities_are_those_of_the_model(session, frame, table, classifier, way, returns):
    from pyspark.sql.functions import struct

    predict = nn.spark.udf(session, classifier, returns)
    rows = {
        row["id"]: row["p"]
        for row in frame.select("id", predict(struct("size", "color")).alias("p")).collect()
    }
    expected = classifier.predict_proba(table[0])
    if returns == "all":
        labels = classifier.predict(table[0])
        assert [rows[number]["prediction"] for number in range(120)] == labels.tolist()
        rows = {number: row["probabilities"] for number, row in rows.items()}
    np.testing.assert_allclose([rows[number] for number in range(120)], expected, atol=1e-6)


def test_sql_takes_arrays_vectors_bytes_and_columns_in_order(session, tmp_path, way):
    from pyspark.ml.linalg import Vectors

    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 256, (40, 4))
    fit = nn.fit(inputs, (inputs[:, 0] > 99).astype(int), hidden=4, epochs=3)
    fit.classifier.save(tmp_path / "model.npz")
    expected = fit.classifier.predict(inputs).tolist()
    rows = [(row.tolist(), bytes(row.tolist()), *row.tolist()) for row in inputs]
    frame = session.createDataFrame(
        rows, "pixels array<int>, packed binary, a int, b int, c int, d int"
    ).coalesce(2)
    frame = frame.selectExpr("*", "cast(pixels as array<float>) as floats")
    frame.createOrReplaceTempView("images")
    nn.spark.register_udf(session, "digit", str(tmp_path / "model.npz"))
    query = "SELECT digit(pixels) p, digit(packed) q, digit(a, b, c, d) r, digit(floats) s FROM images"
    found = session.sql(query).collect()
    for name in "pqrs":
        assert [row[name] for row in found] == expected
    user_functions_rows = user_functions.rows_of([Vectors.dense(row) for row in inputs.tolist()])
    assert np.array_equal(user_functions_rows, inputs)


def test_rows_that_cannot_be_predicted_give_null(session, way):
    inputs = np.random.default_rng(0).normal(size=(30, 2))
    classifier = nn.fit(inputs, (inputs[:, 0] > 0).astype(int), hidden=3, epochs=2).classifier
    rows = [([1.0, 2.0],), ([1.0, None],), (None,), ([float("inf"), 0.0],), ([0.5, -1.0],)]
    frame = session.createDataFrame(rows, "x array<double>").coalesce(1)
    found = [row[0] for row in frame.select(nn.spark.udf(session, classifier)("x")).collect()]
    assert [value is None for value in found] == [False, True, True, True, False]
    assert [found[0], found[4]] == classifier.predict(np.array([[1.0, 2.0], [0.5, -1.0]])).tolist()


def test_a_batch_without_any_value_gives_null(session, way):
    inputs = np.random.default_rng(0).normal(size=(30, 2))
    classifier = nn.fit(inputs, (inputs[:, 0] > 0).astype(int), hidden=3, epochs=2).classifier
    frame = session.createDataFrame([(None,), (None,)], "x array<double>").coalesce(1)
    assert [row[0] for row in frame.select(nn.spark.udf(session, classifier)("x")).collect()] == [None] * 2


def test_columns_of_categories_are_encoded_as_those_of_a_struct(session, way):
    from pyspark.sql.functions import struct

    table = {"code": [1, 2, 3] * 20, "city": ["Rome", "Oslo", "Bern"] * 20}
    labels = ["no", "yes", "no"] * 20
    fit = nn.fit(table, labels, categorical=["code"], missing="indicator", hidden=3, epochs=5)
    rows = [(1, "Rome"), (2, None), (None, "Bern"), (3, "Oslo")]
    frame = session.createDataFrame(rows, "code int, city string").coalesce(1)
    predict = nn.spark.udf(session, fit.classifier, "probabilities")
    found = frame.select(predict("code", "city").alias("a"), predict(struct("code", "city")).alias("b"))
    assert all(row["a"] == row["b"] for row in found.collect())


def test_arrays_of_several_lengths_are_refused_whatever_their_sum():
    pa = pytest.importorskip("pyarrow")
    ragged = [[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]]
    for column in (pa.array(ragged), pa.array([*ragged, None])):
        with pytest.raises(ValueError, match="expected arrays of one length, found lengths from 1 to 3"):
            user_functions.arrow_column(column)
    with pytest.raises(ValueError, match="expected arrays of one length"):
        user_functions.rows_of([b"abc", b"d"])


def test_bytes_are_rows_of_numbers_and_nulls_rows_of_missing_values():
    assert user_functions.rows_of([b"\x00\x01", b"\xff\x02"]).tolist() == [[0, 1], [255, 2]]
    found = user_functions.rows_of([b"\x00\x01", None])
    assert found[0].tolist() == [0, 1] and np.isnan(found[1]).all()


def test_a_regression_gives_values(session, way):
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    regressor = nn.fit(inputs, 5 + inputs[:, 0], task="regression", hidden=3, epochs=5).classifier
    frame = session.createDataFrame([(row,) for row in inputs.tolist()], "x array<double>").coalesce(1)
    found = [row[0] for row in frame.select(nn.spark.udf(session, regressor)("x")).collect()]
    np.testing.assert_allclose(found, regressor.predict(inputs), rtol=1e-6)


def test_a_stream_of_files_is_predicted(session, frame, table, classifier, tmp_path, way):
    from pyspark.sql.functions import struct

    frame.coalesce(2).write.parquet(str(tmp_path / "in"))
    predict = nn.spark.udf(session, classifier)
    stream = session.readStream.schema(frame.schema).parquet(str(tmp_path / "in"))
    query = (
        stream.select("id", predict(struct("size", "color")).alias("label"))
        .writeStream.format("parquet")
        .option("checkpointLocation", str(tmp_path / "state"))
        .trigger(availableNow=True)
        .start(str(tmp_path / "out"))
    )
    assert query.awaitTermination(120)
    labels = {row["id"]: row["label"] for row in session.read.parquet(str(tmp_path / "out")).collect()}
    assert [labels[number] for number in range(120)] == classifier.predict(table[0]).tolist()


def test_what_is_no_model_is_one_line(session, tmp_path):
    (tmp_path / "model.npz").write_bytes(b"rubbish")
    with pytest.raises(DataError, match=r"model\.npz: cannot be read as a model"):
        nn.spark.udf(session, tmp_path / "model.npz")
    with pytest.raises(DataError, match="no such file"):
        nn.spark.udf(session, tmp_path / "none.npz")
