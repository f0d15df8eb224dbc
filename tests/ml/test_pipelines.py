"""Stages in pipelines, tuners and OneVsRest: fitted, copied, saved and loaded."""

import numpy as np
import pytest

import nn
from nn.core.errors import DataError, UsageError
from nn.ml import (
    NeuralNetworkClassificationModel,
    NeuralNetworkClassifier,
    NeuralNetworkRegressionModel,
    NeuralNetworkRegressor,
)

LINEAR = {"layers": [4, 3], "maxIter": 2}


def rows_of(frame):
    """Predictions, to compare."""
    return [(row.prediction, tuple(row.probability.toArray())) for row in frame.collect()]


def test_an_estimator_is_saved_with_its_params(session, tmp_path):
    estimator = NeuralNetworkClassifier(
        layerSpec="dense:8,relu,dropout:0.2",
        optimizer="adam",
        featuresCol=["a", "b"],
        thresholds=[0.5, 1.0],
        initialWeights=[1.0, 2.0],
    )
    estimator.save(str(tmp_path / "estimator"))
    again = NeuralNetworkClassifier.load(str(tmp_path / "estimator"))
    assert again.uid == estimator.uid
    assert {param.name: value for param, value in again._paramMap.items()} == {
        param.name: value for param, value in estimator._paramMap.items()
    }
    with pytest.raises(DataError, match="found an estimator, NeuralNetworkClassifier; load it by"):
        NeuralNetworkClassificationModel.load(str(tmp_path / "estimator"))
    NeuralNetworkRegressor(layers=[1, 1]).write().overwrite().save(str(tmp_path / "estimator"))
    assert NeuralNetworkRegressor.load(str(tmp_path / "estimator")).getLayers() == [1, 1]


def test_params_without_a_value_are_saved_as_not_set(session, xor, tmp_path):
    estimator = NeuralNetworkClassifier(layers=[2, 2], optimizer="adam", weightCol="w", maxIter=1)
    estimator.setWeightCol(None)
    model = estimator.fit(xor, {estimator.layers: None, estimator.layerSpec: "dense:2"})
    for stage, kind in ((estimator, NeuralNetworkClassifier), (model, NeuralNetworkClassificationModel)):
        stage.save(str(tmp_path / stage.uid / kind.__name__))
        again = kind.load(str(tmp_path / stage.uid / kind.__name__))
        assert again._given("weightCol") is None and again._given("optimizer") == "adam"
        assert again._given("layers") == stage._given("layers")


def test_a_model_is_saved_with_its_summary_and_its_model_file(session, iris, tmp_path):
    estimator = NeuralNetworkClassifier(**LINEAR, predictedLabelCol="named")
    model, path = estimator.fit(iris), str(tmp_path / "model")
    assert model.uid == estimator.uid and model.getMaxIter() == 2 and model.getLayers() == [4, 3]
    model.save(path)
    again = NeuralNetworkClassificationModel.load(path)
    assert again.uid == model.uid and again.getPredictedLabelCol() == "named"
    assert again.summary == model.summary and again.weights == model.weights
    with pytest.raises(RuntimeError, match="found a loaded one"):
        _ = again.summary.predictions
    assert rows_of(again.transform(iris)) == rows_of(model.transform(iris))
    assert np.array_equal(nn.load(f"{path}/model.npz").params[-1]["W"], model.classifier.params[-1]["W"])
    with pytest.raises(DataError, match="found a model, NeuralNetworkClassificationModel; load it by"):
        NeuralNetworkClassifier.load(path)
    copied = model.copy({model.predictionCol: "p"})
    assert "p" in copied.transform(iris).columns and "p" not in model.transform(iris).columns
    values = NeuralNetworkRegressor(layers=[4, 1], maxIter=1).fit(iris)
    values.write().overwrite().save(path)
    assert NeuralNetworkRegressionModel.load(path).summary == values.summary


@pytest.mark.parametrize("name", ["model.npz", "summary.json"])
def test_a_stage_does_not_replace_the_files_of_a_run(session, xor, tmp_path, name):
    model = NeuralNetworkClassifier(layers=[2, 2], maxIter=1).fit(xor)
    (tmp_path / name).write_text("of a run")
    for path in (str(tmp_path), f"file:{tmp_path}"):
        with pytest.raises(UsageError, match=f"expected a new folder, found {name} in it; write"):
            model.save(path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "of a run")]
    model.write().overwrite().save(str(tmp_path))
    assert NeuralNetworkClassificationModel.load(str(tmp_path)).weights == model.weights


def test_a_pipeline_with_java_stages_on_both_sides_is_saved_and_loaded(session, iris, tmp_path):
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.feature import IndexToString, StandardScaler, StringIndexer

    named = iris.selectExpr("concat('species', int(label)) as species", "features as raw")
    stages = [
        StringIndexer(inputCol="species", outputCol="label"),
        StandardScaler(inputCol="raw", outputCol="features", withMean=True),
        NeuralNetworkClassifier(**LINEAR),
    ]
    indexer = stages[0].fit(named)
    stages.append(IndexToString(inputCol="prediction", outputCol="predicted", labels=indexer.labels))
    pipeline = Pipeline(stages=stages)
    pipeline.save(str(tmp_path / "pipeline"))
    model = Pipeline.load(str(tmp_path / "pipeline")).fit(named)
    model.save(str(tmp_path / "model"))
    again = PipelineModel.load(str(tmp_path / "model"))
    expected = model.transform(named).select("predicted").collect()
    assert again.transform(named).select("predicted").collect() == expected
    assert expected[0].predicted.startswith("species")


def test_tuners_train_all_maps_and_are_saved(session, iris, tmp_path, caplog):
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator
    from pyspark.ml.tuning import (
        CrossValidator,
        CrossValidatorModel,
        ParamGridBuilder,
        TrainValidationSplit,
        TrainValidationSplitModel,
    )

    estimator = NeuralNetworkClassifier(layers=[4, 3], optimizer="adam")
    grid = (
        ParamGridBuilder()
        .addGrid(estimator.learningRate, [1e-4, 0.5])
        .addGrid(estimator.maxIter, [3])
        .build()
    )
    options = {"estimator": estimator, "estimatorParamMaps": grid, "parallelism": 2, "seed": 1}
    options["evaluator"] = MulticlassClassificationEvaluator(metricName="accuracy")
    validated = CrossValidator(**options, numFolds=2).fit(iris)
    assert validated.bestModel.getLearningRate() == 0.5
    validated.save(str(tmp_path / "cv"))
    again = CrossValidatorModel.load(str(tmp_path / "cv"))
    assert again.bestModel.weights == validated.bestModel.weights and again.avgMetrics == validated.avgMetrics
    split = TrainValidationSplit(**options).fit(iris)
    split.save(str(tmp_path / "tvs"))
    assert TrainValidationSplitModel.load(str(tmp_path / "tvs")).bestModel.weights == split.bestModel.weights


def test_maps_that_share_rows_train_in_one_pass_with_the_bits_of_each_alone(session, iris, monkeypatch):
    from nn.ml.sessions import session_of
    from nn.spark.frames.blocks import BlockBackend

    kind = type(session_of(session))
    passes, reads = [], []
    run, read = BlockBackend.run, kind.read
    monkeypatch.setattr(BlockBackend, "run", lambda self, jobs: passes.append(len(jobs)) or run(self, jobs))
    monkeypatch.setattr(kind, "read", lambda self, *rest: reads.append(1) or read(self, *rest))
    options = {"optimizer": "adam", "batchSize": 60, "maxIter": 2, "validationFraction": 0.2}
    estimator = NeuralNetworkClassifier(layerSpec="dense:4,tanh,dropout:0.2", **options)
    maps = [
        {},
        {estimator.learningRate: 0.1, estimator.maxIter: 1},
        {estimator.layerSpec: "dense:3", estimator.scale: "standard", estimator.l2: 0.1},
        {estimator.seed: 3},
        {estimator.optimizer: "l-bfgs", estimator.batchSize: None, estimator.layerSpec: "dense:3,tanh"},
    ]
    together = estimator.fit(iris, maps)
    assert max(passes) == 3 and len(reads) == 2  # another seed holds out other rows; scale reads offsets
    for values, model in zip(maps, together, strict=True):
        alone = estimator.fit(iris, values)
        assert model.weights == alone.weights
        assert model.summary.objectiveHistory == alone.summary.objectiveHistory


def test_maps_whose_training_fails_are_trained_once(vectors):
    def fail(line):
        begun.append(line.epoch)
        raise OSError("the disk of a callback is full")

    estimator, begun = NeuralNetworkClassifier(layers=[2, 2]).setCallback(fail), []
    rows = vectors([(float(n % 2), (float(n), 1.0)) for n in range(8)])
    models = estimator.fitMultiple(rows, [{estimator.seed: seed} for seed in (1, 2, 3)])
    for _ in range(3):
        with pytest.raises(OSError, match="of a callback"):
            next(models)
    assert begun == [1]


def test_maps_of_a_pipeline_are_fitted_one_after_the_other_and_the_log_says_so(session, xor, caplog):
    from pyspark.ml import Pipeline

    estimator = NeuralNetworkClassifier(layers=[2, 2], maxIter=0)
    with caplog.at_level("INFO", logger="nn.ml"):
        Pipeline(stages=[estimator]).fit(xor)
        assert "Param map" not in caplog.text
        Pipeline(stages=[estimator]).fit(xor, [{estimator.seed: 1}, {estimator.seed: 2}])
    assert caplog.text.count("one Param map is trained alone") == 2


def test_a_map_that_diverges_does_not_end_the_others(vectors, caplog):
    frame = vectors([(float(row % 2), [1e30 * row, 1.0]) for row in range(8)])
    estimator = NeuralNetworkClassifier(layers=[2, 2], optimizer="sgd", schedule="constant", maxIter=3)
    models = estimator.fit(frame, [{estimator.learningRate: rate} for rate in (1e-30, 1e30)])
    assert models[0].summary.totalIterations == 2
    assert "training diverged" in caplog.text and models[1].summary.stopReason
    assert np.isfinite(models[1].weights.toArray()).all()


def test_one_vs_rest_is_fitted_saved_and_loaded(session, iris, tmp_path):
    from pyspark.ml.classification import OneVsRest, OneVsRestModel

    model = OneVsRest(classifier=NeuralNetworkClassifier(layers=[4, 2], maxIter=3)).fit(iris)
    model.save(str(tmp_path / "one"))
    again = OneVsRestModel.load(str(tmp_path / "one"))
    expected = [row.prediction for row in model.transform(iris).collect()]
    assert [row.prediction for row in again.transform(iris).collect()] == expected
    assert np.mean([row.label == found for row, found in zip(iris.collect(), expected, strict=True)]) > 0.7


def test_training_starts_from_a_saved_model_and_freezes_layers(session, iris, tmp_path):
    spec = {"layerSpec": "dense:5,tanh", "scale": "standard", "maxIter": 2}
    first = NeuralNetworkClassifier(**spec).fit(iris)
    first.save(str(tmp_path / "first"))
    again = NeuralNetworkClassifier(startFrom=str(tmp_path / "first"), maxIter=0).fit(iris)
    assert again.weights == first.weights and again.classifier.model == first.classifier.model
    first.write_npz(str(tmp_path / "first.npz"))
    two = iris.filter("label < 2")
    options = {"startFrom": str(tmp_path / "first.npz"), "keepLayers": 2, "freeze": 1, "maxIter": 2}
    kept = NeuralNetworkClassifier(layerSpec="dense:5,tanh", **options).fit(two)
    assert kept.numClasses == 2 and kept.classifier.model.encoder == first.classifier.model.encoder
    assert np.array_equal(kept.classifier.params[0]["W"], first.classifier.params[0]["W"])
    with pytest.raises(UsageError, match="layer 1: expected dense:5 as in the trained model, found dense:6"):
        NeuralNetworkClassifier(startFrom=str(tmp_path / "first"), layerSpec="dense:6,tanh").fit(iris)
    with pytest.raises(UsageError, match="keepLayers needs"):
        NeuralNetworkClassifier(layerSpec="dense:6", keepLayers=1).fit(iris)


def test_an_interrupted_fit_goes_on_from_its_checkpoint_with_the_same_bits(session, iris, tmp_path):
    spec = {"layerSpec": "dense:5,tanh,dropout:0.1", "optimizer": "adam", "batchSize": 75, "maxIter": 4}
    whole = NeuralNetworkClassifier(**spec).fit(iris)

    def interrupt(line):
        seen.append(line.epoch)
        if line.epoch == 3:
            raise KeyboardInterrupt

    options = {"checkpointDir": str(tmp_path / "kept"), "checkpointInterval": 1}
    estimator, seen = NeuralNetworkClassifier(**spec, **options), []
    with pytest.raises(KeyboardInterrupt):
        estimator.setCallback(interrupt).fit(iris)
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 1
    seen = []
    resumed = estimator.setCallback(lambda line: seen.append(line.epoch)).fit(iris)
    assert seen == [3, 4] and resumed.weights == whole.weights
    assert resumed.summary.objectiveHistory == whole.summary.objectiveHistory
    assert not list((tmp_path / "kept").glob("*.npz"))


@pytest.mark.parametrize("column", ["features", "label", "weight", "held_out"])
def test_rows_that_were_corrected_are_not_learned_from_a_checkpoint_of_the_old_ones(
    session, tmp_path, column
):
    from pyspark.sql import functions as sql

    rows = [(bytes([n, 255 - n, 0, 255]), n % 2, 1.0 + n % 3, n % 5 == 0) for n in range(40)]
    frame = session.createDataFrame(rows, ["features", "label", "weight", "held_out"]).coalesce(1)
    inverted = sql.concat(*(sql.expr(f"substring(features, {at}, 1)") for at in (2, 1, 4, 3)))
    flipped = {
        "label": 1 - sql.col("label"),
        "weight": 4 - sql.col("weight"),
        "held_out": sql.expr("label = 0"),
    }
    corrected = frame.withColumn(column, {"features": inverted, **flipped}[column])

    def interrupt(line):
        if line.epoch == 2:
            raise KeyboardInterrupt

    estimator = NeuralNetworkClassifier(
        layerSpec="dense:3,tanh",
        optimizer="adam",
        maxIter=3,
        checkpointDir=str(tmp_path),
        checkpointInterval=1,
    )
    estimator.setWeightCol("weight").setValidationIndicatorCol("held_out")
    with pytest.raises(KeyboardInterrupt):
        estimator.setCallback(interrupt).fit(frame)
    for rows, expected in ((corrected, [1, 2, 3]), (frame, [2, 3])):
        seen = []
        estimator.setCallback(lambda line, seen=seen: seen.append(line.epoch)).fit(rows)
        assert seen == expected
