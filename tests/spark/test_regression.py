"""A regression on Spark, from rows in partitions to the files in OUTPUT; and encoders that are Spark's own."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nn
from nn.cli import report
from nn.cli.options import Options
from nn.cli.run import Outcome, Run
from nn.data import tables
from nn.data.local_rdd import LocalBroadcast, local_rdd
from nn.data.schema import Encoding, encoder_for
from nn.data.statistics import column_statistics
from nn.io import results
from nn.io.model_card import model_card
from nn.models import model_file
from nn.spark.backend import SparkBackend
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import FOLDERS, Output
from nn.training.evaluation import evaluate
from nn.training.local_rows import rows_of
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

pytestmark = pytest.mark.spark

ROWS = 200
RNG = np.random.default_rng(6)
TABLE = {"size": RNG.normal(1000, 200, ROWS), "color": RNG.choice(["red", "green", "blue"], ROWS)}
PRICE = 1e5 + 3 * TABLE["size"] + np.where(TABLE["color"] == "red", 500, 0)


@pytest.mark.parametrize("average", ["gradients", "parameters"])
def test_a_regression_on_spark_has_the_bits_of_one_without_and_its_files(spark, tmp_path, average):
    recipe = Recipe.of(
        task="regression", hidden=[6], activation="tanh", optimizer="adam", learning_rate=0.03, batch_size=50,
        epochs=12, validation_fraction=0.2, average=average,
    )  # fmt: skip
    rows = rows_of(TABLE, PRICE, None, recipe)
    blocks = local_rdd(rows.inputs, rows.facts.labels, block_rows=1000).partitions[0]
    cached = spark.parallelize([blocks], 1).flatMap(list).persist()
    backend = SparkBackend(cached, cached)
    run = TrainingRun.on(recipe, rows.facts, backend)
    *_, progress = run.epochs(backend)
    expected, history = nn.fit(TABLE, PRICE, recipe)
    assert run.model == expected.model
    for found, wanted in zip(run.final_params(progress), expected.params, strict=True):
        assert all(np.array_equal(found[key], wanted[key]) for key in wanted)
    assert [line.val_cost for line in progress.history] == [line.val_cost for line in history]

    score = evaluate(cached, run.model, LocalBroadcast(expected.params), ROWS)
    assert score.rmse == pytest.approx(np.sqrt(np.mean((expected.predict(TABLE) - PRICE) ** 2)), rel=1e-9)
    test = SimpleNamespace(rows=ROWS, notes=(), fingerprint="", width=2, partitions=1, weighted=False)
    places = {
        "train_images": "a",
        "train_labels": "-",
        "test_images": "b",
        "test_labels": "-",
        "output": "out",
    }
    options = Options(**places, recipe=run.recipe, partitions=1)
    whole = Run(spark, options, test, test, {"name": "made", "class_names": None}, run, backend)
    outcome = Outcome(progress, expected.params, score)
    summary = report.summary(whole, outcome, report.Clock(), 0)
    output = Output(LocalFolder(str(tmp_path)))
    output.write_config(options.resolved())
    output.write_history(progress.history)
    output.write_results(
        results.score_files(score, run.model.decoder, run.model.encoder),
        summary,
        model_file.to_bytes(run.model, expected.params, score.about),
        model_card(summary, run.model),
    )
    assert {path.name for path in Path(tmp_path).iterdir()} & set(FOLDERS) == {"cost_history"}
    assert {"_SUCCESS", "part-00000"} == {path.name for path in (tmp_path / "cost_history").iterdir()}
    header, first, *_ = (tmp_path / "examples.csv").read_text().splitlines()
    row, *_, size, color = first.split(",")
    assert header == "row,actual,prediction,error,size,color" and color == TABLE["color"][int(row)]
    assert float(size) == pytest.approx(TABLE["size"][int(row)])
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["test"]["rmse"] == score.rmse and "accuracy" not in written["test"]
    assert written["data"]["train"] == {"rows": ROWS} and written["train"]["accuracy"] is None
    assert "A regression: it predicts a value from 2 columns" in (tmp_path / "model.md").read_text()
    assert nn.load(tmp_path / "model.npz").about == {"test_rmse": score.rmse}
    lines = (
        report.data_lines(whole, 1.0)
        + report.plan_lines(run)
        + report.summary_lines(whole, outcome, report.Clock(), True)
    )
    target = run.model.decoder
    assert (
        f"of 2 values, a target of mean {target.mean:.4g} and standard deviation {target.scale:.4g}" in lines
    )
    assert f"test      rmse {score.rmse:.4g}, mae" in lines and "accuracy" not in lines

    untested, unscored = whole._replace(test=None), outcome._replace(score=None)
    summary = report.summary(untested, unscored, report.Clock(), 0)
    assert summary["test"] is None and "test" not in summary["data"] and untested.fingerprints["test"] is None
    lines = report.data_lines(untested, 1.0) + report.summary_lines(untested, unscored, report.Clock(), True)
    assert (
        "training (33 held out for validation) and no test rows of 2 values" in lines
        and "\ntest " not in lines
    )
    cached.unpersist()


def test_an_encoder_is_that_of_spark(spark):
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
    from pyspark.sql import SparkSession

    pairs = [(float(size), str(color)) for size, color in zip(*TABLE.values(), strict=True)]
    frame = SparkSession(spark).createDataFrame(pairs, ["size", "color"]).coalesce(1)
    stages = [
        VectorAssembler(inputCols=["size"], outputCol="v"),
        StandardScaler(inputCol="v", outputCol="scaled", withMean=True, withStd=True),
        StringIndexer(inputCol="color", outputCol="index", stringOrderType="alphabetAsc"),
        OneHotEncoder(inputCols=["index"], outputCols=["hot"], dropLast=False),
        VectorAssembler(inputCols=["scaled", "hot"], outputCol="x"),
    ]
    theirs = np.array(
        [row.x.toArray() for row in Pipeline(stages=stages).fit(frame).transform(frame).collect()]
    )
    # Spark divides by the deviation of a sample, n - 1; nn and scikit-learn by that of the rows, n.
    theirs[:, 0] *= np.sqrt(ROWS / (ROWS - 1))
    schema = tables.schema_of(TABLE, (), 100, False)
    packed = tables.pack(schema, TABLE)
    encoder = encoder_for(schema, column_statistics(packed), Encoding(unknown="error"))
    assert np.abs(encoder.encode(packed) - theirs).max() < 1e-6
