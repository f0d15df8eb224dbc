"""Training on DataFrames with our own Params: columns of all kinds, weights, validation rows, values, summaries."""

import logging
import math

import numpy as np
import pytest

import nn
from nn.core.errors import DataError, DivergenceError, UsageError
from nn.ml import (
    NeuralNetworkClassificationModel,
    NeuralNetworkClassifier,
    NeuralNetworkRegressionModel,
    NeuralNetworkRegressor,
)
from nn.spark.connect.context import is_connect

ADAM = {"layerSpec": "dense:8,tanh", "optimizer": "adam", "batchSize": 50, "learningRate": 0.05, "maxIter": 3}


@pytest.fixture(scope="module")
def people(session):
    """Rows with numbers, a large number, strings, weights, a flag, a class and a value."""
    rng = np.random.default_rng(4)
    rows = []
    for number in range(120):
        age, town = float(rng.integers(20, 60)), ("bern", "rome", "oslo")[number % 3]
        value = 3 * age + 40 * (number % 3) + rng.normal()
        rows.append((age, 1e9 + 7 * age, town, 1.0 + number % 2, number % 5 == 0, float(age > 40), value))
    names = ["age", "since", "town", "weight", "held_out", "label", "value"]
    return session.createDataFrame(rows, names).coalesce(2).cache()


def test_vectors_arrays_and_bytes_give_the_same_model(session):
    rng = np.random.default_rng(1)
    rows = [(int(x.sum() > 400), x.tolist()) for x in rng.integers(0, 200, (60, 4)).astype(np.uint8)]
    from pyspark.ml.linalg import Vectors

    rows = [(label, Vectors.dense(x), [float(v) for v in x], bytes(x)) for label, x in rows]
    frame = session.createDataFrame(rows, ["label", "vector", "array", "bytes"]).coalesce(1).cache()
    models = [
        NeuralNetworkClassifier(**ADAM, featuresCol=name).fit(frame) for name in ("vector", "array", "bytes")
    ]
    assert models[0].weights == models[1].weights == models[2].weights
    predicted = {tuple(model.transform(frame).select("prediction").collect()) for model in models}
    assert len(predicted) == 1
    sparse = session.createDataFrame([(Vectors.sparse(4, [1], [9.0]),)], ["vector"])
    assert models[0].transform(sparse).first().prediction == models[0].predict([0.0, 9.0, 0.0, 0.0])


def test_a_list_of_names_is_encoded_as_in_the_job(people):
    estimator = NeuralNetworkClassifier(**ADAM, featuresCol=["age", "since", "town"])
    model = estimator.fit(people)
    encoder = model.classifier.model.encoder
    assert encoder.names == ("age", "since", "town") and encoder.columns[1].offset > 1e9
    assert encoder.columns[2].values == ("bern", "oslo", "rome")
    rows = people.collect()
    table = {name: np.array([row[name] for row in rows]) for name in encoder.names}
    expected = model.classifier.predict(table)
    assert [row.prediction for row in model.transform(people).collect()] == expected.tolist()
    assert model.predict(rows[0]) == model.predict(
        {"since": 1e9 + 7 * rows[0].age, "age": rows[0].age, "town": "bern"}
    )
    assert model.predict(model.transform(people).first()) == model.predict(
        rows[0]
    )  # beside columns of vectors
    with pytest.raises(DataError, match="featuresCol: expected the columns 'town' too"):
        model.transform(people.drop("town"))


def test_a_list_of_values_is_encoded_as_a_row_is(people):
    codes = people.selectExpr("cast(age % 3 as int) as code", "label")
    options = {**ADAM, "featuresCol": ["code"], "categoricalCols": ["code"], "maxIter": 30}
    model = NeuralNetworkClassifier(**options).fit(codes)
    for code in range(3):
        raw = model.predictRaw({"code": code})
        assert model.predictRaw([code]) == raw
    assert model.predictRaw([0]) != model.predictRaw([1])


def test_a_fit_has_the_bits_of_nn_fit(session, iris):
    """One partition is what nn.fit has; float32 rows in the same order, the same jobs."""
    rows = iris.collect()
    inputs = np.array([row.features.toArray() for row in rows], np.float32)
    labels = np.array([int(row.label) for row in rows])
    options = {"optimizer": "adam", "batch_size": 50, "learning_rate": 0.05, "epochs": 3}
    alone = nn.fit(inputs, labels, layers="dense:8,tanh", loss="cross-entropy", scale="none", **options)
    model = NeuralNetworkClassifier(**ADAM).fit(iris)
    for ours, theirs in zip(model.classifier.params, alone.classifier.params, strict=True):
        assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)
    assert model.summary.objectiveHistory == tuple(line.cost for line in alone.history)


def test_weights_count_rows_and_class_weights_classes(session, vectors):
    rows = [(0.0, [0.0]), (1.0, [0.0]), (1.0, [0.0]), (1.0, [0.0])]
    frame = vectors(rows).selectExpr("label", "features", "case label when 0 then 3 else 1 end as weight")
    even = [0.5, 0.5]
    options = {"layers": [1, 2], "maxIter": 30}
    weighted = NeuralNetworkClassifier(**options, weightCol="weight").fit(frame)
    assert weighted.predictProbability([0.0]).toArray() == pytest.approx(even, abs=1e-3)
    balanced = NeuralNetworkClassifier(**options, classWeights="balanced").fit(frame)
    assert balanced.predictProbability([0.0]).toArray() == pytest.approx(even, abs=1e-3)
    plain = NeuralNetworkClassifier(**options).fit(frame)
    assert plain.predictProbability([0.0]).toArray() == pytest.approx([0.25, 0.75], abs=1e-3)


def test_validation_rows_stop_training_and_are_not_learned_from(people):
    options = {**ADAM, "featuresCol": ["age", "town"], "maxIter": 40}
    estimator = NeuralNetworkClassifier(**options, validationIndicatorCol="held_out", patience=1)
    model = estimator.fit(people)
    summary = model.summary
    assert len(summary.validationHistory) == summary.totalIterations + 1 < 40
    assert "1 epochs did not lower" in summary.stopReason or summary.stopReason.startswith("1 epoch")
    assert sum(map(sum, summary.confusionMatrix)) == people.filter("not held_out").count()
    halves = NeuralNetworkClassifier(**{**options, "maxIter": 1}, validationFraction=0.5).fit(people)
    assert len(halves.summary.validationHistory) == 1


def test_a_regressor_predicts_values_in_their_unit(people):
    options = {**ADAM, "featuresCol": ["age", "town"], "labelCol": "value", "maxIter": 20}
    model = NeuralNetworkRegressor(**options).fit(people)
    summary = model.evaluate(people)
    assert summary.r2 > 0.9 and summary.numInstances == 120
    assert summary.rootMeanSquaredError == pytest.approx(model.summary.rootMeanSquaredError, rel=1e-4)
    assert summary.meanAbsoluteError == pytest.approx(model.summary.meanAbsoluteError, rel=1e-4)
    assert summary.r2 == pytest.approx(model.summary.r2, abs=1e-4)
    from pyspark.ml.evaluation import RegressionEvaluator

    scored = model.transform(people)
    rmse = RegressionEvaluator(labelCol="value", metricName="rmse").evaluate(scored)
    assert rmse == pytest.approx(summary.rootMeanSquaredError)
    constant = people.selectExpr("age", "town", "1D as value")
    assert model.evaluate(constant).r2 == 0  # as of scikit-learn, where all values are equal
    vectors = NeuralNetworkRegressor(layers=[1, 3, 1], maxIter=2, labelCol="value", featuresCol="one")
    model = vectors.fit(people.selectExpr("array(age) as one", "value"))
    assert math.isfinite(model.predict([30.0]))


def test_measures_by_label_are_those_of_spark(session, iris):
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator

    model = NeuralNetworkClassifier(layers=[4, 3], maxIter=2).fit(iris)
    scored, summary = model.transform(iris), model.evaluate(iris)
    for metric, found in {
        "accuracy": summary.accuracy,
        "weightedPrecision": summary.weightedPrecision,
        "weightedFMeasure": summary.weightedFMeasure(),
        "weightedFalsePositiveRate": summary.weightedFalsePositiveRate,
    }.items():
        assert MulticlassClassificationEvaluator(metricName=metric).evaluate(scored) == pytest.approx(found)
    for metric, values in {
        "precisionByLabel": summary.precisionByLabel,
        "recallByLabel": summary.recallByLabel,
        "fMeasureByLabel": summary.fMeasureByLabel(),
        "falsePositiveRateByLabel": summary.falsePositiveRateByLabel,
    }.items():
        theirs = MulticlassClassificationEvaluator(metricName=metric, metricLabel=1.0).evaluate(scored)
        assert theirs == pytest.approx(values[1]), metric
    assert model.summary.confusionMatrix == summary.confusionMatrix
    for one in (model.summary, summary):
        assert one.predictions.columns == scored.columns and one.predictions.count() == scored.count()


def test_labels_have_the_names_that_stringindexer_gave_them(session, people):
    from pyspark.ml.feature import StringIndexer

    indexed = StringIndexer(inputCol="town", outputCol="class").fit(people).transform(people)
    options = {**ADAM, "featuresCol": ["age", "value"], "labelCol": "class", "predictedLabelCol": "named"}
    model = NeuralNetworkClassifier(**options).fit(indexed)
    names = indexed.schema["class"].metadata["ml_attr"]["vals"]
    assert model.classifier.class_names == tuple(names)
    for row in model.transform(indexed).collect():
        assert row.named == names[int(row.prediction)]


def test_names_go_with_unknown_labels_that_are_kept_and_a_warning_says_where_they_do_not(people, caplog):
    from pyspark.ml.feature import StringIndexer

    indexer = StringIndexer(inputCol="town", outputCol="class", handleInvalid="keep")
    indexed = indexer.fit(people).transform(people)
    options = {"featuresCol": ["age", "value"], "labelCol": "class", "maxIter": 0}
    with caplog.at_level(logging.WARNING, logger="nn.ml"):
        model = NeuralNetworkClassifier(**options, layers=[2, 3]).fit(indexed)
        names = indexed.schema["class"].metadata["ml_attr"]["vals"]
        assert names[-1] == "__unknown" and model.classifier.class_names == tuple(names[:-1])
        assert "names" not in caplog.text
        model = NeuralNetworkClassifier(**options, layers=[2, 5]).fit(indexed)
    assert model.classifier.class_names == tuple("01234")
    assert "labelCol: column 'class' has the names of 4 classes, the network has 5" in caplog.text


def test_an_output_column_is_left_out_or_refused(xor, caplog):
    model = NeuralNetworkClassifier(layers=[2, 2], maxIter=1).fit(xor)
    model.setRawPredictionCol("").setProbabilityCol("")
    assert model.transform(xor).columns == ["label", "features", "prediction"]
    with caplog.at_level(logging.WARNING, logger="nn.ml"):
        assert model.setPredictionCol("").transform(xor).columns == ["label", "features"]
    assert "nothing is predicted" in caplog.text
    with pytest.raises(DataError, match="expected a new column for predictions, found 'label'"):
        model.setPredictionCol("label").transform(xor)
    with pytest.raises(UsageError, match="thresholds: expected one for each of the 2 classes, found 3"):
        model.setPredictionCol("p").setThresholds([1.0, 1.0, 1.0]).transform(xor)


def test_rows_without_values_get_null(session, xor):
    from pyspark.ml.linalg import Vectors

    model = NeuralNetworkClassifier(layers=[2, 2], maxIter=1, predictedLabelCol="named").fit(xor)
    rows = [(Vectors.dense([1.0, float("nan")]),), (None,), (Vectors.dense([1.0, 0.0]),)]
    frame = session.createDataFrame(rows, xor.select("features").schema)
    found = model.transform(frame).collect()
    assert [row.prediction is None for row in found] == [True, True, False]
    assert [row.probability is None for row in found] == [True, True, False]


@pytest.mark.parametrize("way", ["arrow_udf", "pandas_udf", "udf"])
def test_all_ways_to_the_executors_give_the_same(session, iris, way, monkeypatch):
    from pyspark.sql import functions

    from nn.spark.frames.classic import ClassicSession

    options = {"layers": [4, 3], "maxIter": 1, "predictedLabelCol": "named"}
    model = NeuralNetworkClassifier(**options).fit(iris)
    expected = model.predictProbability(iris.first().features)
    if way != "arrow_udf":
        monkeypatch.delattr(functions, "arrow_udf", raising=False)
    if way == "udf":
        monkeypatch.setattr(ClassicSession, "has_arrow", lambda self: False)
    rows = model.transform(iris).collect()
    assert len(rows) == 150 and rows[0].named == str(int(rows[0].prediction))
    assert rows[0].probability.toArray() == pytest.approx(expected.toArray(), rel=1e-6)


def test_a_network_that_has_learned_nothing_is_a_warning(xor, caplog):
    network = NeuralNetworkClassifier(layerSpec="dense:4,tanh", optimizer="sgd", batchSize=4, maxIter=1)
    with caplog.at_level(logging.WARNING, logger="nn.ml"):
        network.copy({network.learningRate: 1e-9}).fit(xor)
    assert (
        "always predicting the most frequent class" in caplog.text and "averaging='parameters'" in caplog.text
    )


def test_progress_goes_to_a_callback_and_a_logger(xor, caplog, capsys):
    lines = []
    with caplog.at_level(logging.INFO, logger="nn.ml"):
        estimator = NeuralNetworkClassifier(layers=[2, 2], optimizer="adam", maxIter=2)
        estimator.setCallback(lines.append).fit(xor)
    assert [line.epoch for line in lines] == [1, 2]
    assert "epoch 2: cost" in caplog.text and capsys.readouterr().out == ""


def test_training_that_diverges_says_what_to_try(vectors):
    frame = vectors([(float(row % 2), [1e30 * row, 1.0]) for row in range(8)])
    with pytest.raises(DivergenceError, match="try learningRate="):
        NeuralNetworkClassifier(
            layers=[2, 2], optimizer="sgd", learningRate=1e30, schedule="constant", maxIter=5
        ).fit(frame)


def test_empty_partitions_and_partitions_of_validation_rows_are_trained_on(session, people):
    spread = people.repartition(6).withColumn("held_out", people.age < 30)
    options = {**ADAM, "featuresCol": ["age"], "averaging": "parameters", "batchSize": 8, "maxIter": 1}
    model = NeuralNetworkClassifier(**options, validationIndicatorCol="held_out").fit(spread)
    assert len(model.summary.validationHistory) == 1
    few = people.filter("label = 0").limit(3).unionAll(people.filter("label = 1").limit(2)).repartition(8)
    assert NeuralNetworkClassifier(**options).fit(few).numClasses == 2
    assert NeuralNetworkClassifier(**options, numPartitions=2).fit(few).numClasses == 2


def test_models_go_to_files_and_come_from_them(session, iris, people, tmp_path):
    model = NeuralNetworkClassifier(layers=[4, 3], maxIter=1).fit(iris)
    path = str(tmp_path / "deep" / "model.npz")
    model.write_npz(path)
    assert np.array_equal(nn.load(path).params[-1]["W"], model.classifier.params[-1]["W"])
    again = NeuralNetworkClassificationModel.from_npz(path)
    assert again.transform(iris).first() == model.transform(iris).first() and not again.hasSummary
    with pytest.raises(DataError, match="expected a regressor, found a classifier"):
        NeuralNetworkRegressionModel.from_npz(path)
    with pytest.raises(DataError, match="no such file"):
        NeuralNetworkClassificationModel.from_npz(str(tmp_path / "no.npz"))
    rows = people.collect()
    table = {name: np.array([row[name] for row in rows]) for name in ("age", "town")}
    fit = nn.fit(table, np.array([row["value"] for row in rows]), task="regression", epochs=1)
    fit.classifier.save(tmp_path / "values.npz")
    frame = NeuralNetworkRegressionModel.from_npz(str(tmp_path / "values.npz")).transform(people)
    expected = fit.classifier.predict(table)
    assert [row.prediction for row in frame.collect()] == pytest.approx(expected.tolist(), rel=1e-6)


def test_a_stream_gets_predictions(session, iris, tmp_path, caplog):
    model = NeuralNetworkClassifier(layers=[4, 3], maxIter=1).fit(iris)
    iris.select("features").write.parquet(str(tmp_path / "in"))
    stream = session.readStream.schema(iris.select("features").schema).parquet(str(tmp_path / "in"))
    predicted = model.transform(stream)
    assert predicted.isStreaming
    with pytest.raises(DataError, match="fit: expected a DataFrame of stored rows, found a stream"):
        NeuralNetworkClassifier(layers=[4, 3]).fit(stream)
    is_told = "Spark Connect does not give streams what a session has sent" in caplog.text
    assert is_told == is_connect(session)
    if is_told:
        return  # its server has no nn
    query = predicted.writeStream.format("memory").queryName("predicted").trigger(availableNow=True).start()
    query.awaitTermination(60)
    assert session.table("predicted").filter("prediction is not null").count() == 150
