"""Time predicting on Spark beside Spark's own classifier: rows per second, once the rows are cached.

    OPENBLAS_NUM_THREADS=1 python benchmarks/scoring.py FOLDER [--rows 120000] [--repeats 5]

predicts rows of 784 numbers (drawn bytes, mostly 0) with a network 784-64-10: with the tasks of predict_task.py, with
nn.spark.udf through Arrow and row by row, with Spark's MultilayerPerceptronClassificationModel of the same layers, and
with NumPy in one process. Each way counts its predictions by class in Spark, so that nothing but predicting is timed.
Writing adds the same to each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])

import numpy as np

import nn
import nn.spark
from nn.models.prediction_columns import PredictionTable
from nn.spark import scoring, user_functions
from nn.spark.input.input_files import Source
from nn.spark.input.scored_files import Wanted
from nn.spark.input.scored_rows import read_scored
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage

WIDTH, HIDDEN, CLASSES = 784, 64, 10


def main() -> None:
    """Make the rows where they are missing, and time each way."""
    parser = argparse.ArgumentParser(description="Time predicting.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=120_000, help="(default 120,000)")
    parser.add_argument("--repeats", type=int, default=5, help="(default 5)")
    args = parser.parse_args()
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", "--master local[2] --driver-memory 6g pyspark-shell")
    path = args.folder / f"pixels-{args.rows}"
    classifier = trained()
    with spark_context("scoring") as context:
        from pyspark.sql import SparkSession

        session = SparkSession.builder.getOrCreate()
        if not path.exists():
            make(session, path, args.rows)
        ways = {
            "tasks of predict_task.py": task(context, classifier, path),
            "nn.spark.udf, Arrow": function(session, classifier, path, True),
            "nn.spark.udf, row by row": function(session, classifier, path, False),
            "MultilayerPerceptronClassificationModel": peer(session, path),
            "NumPy in one process": numpy_alone(classifier, args.rows),
        }
        for name, run in ways.items():
            measure(name, run, args.rows, args.repeats)


def trained() -> Any:
    """Return a network 784-64-10; what it learned does not matter."""
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 256, (200, WIDTH))
    labels = np.arange(200) % CLASSES
    return nn.fit(
        inputs, labels, hidden=HIDDEN, activation="sigmoid", loss="cross-entropy", epochs=1
    ).classifier


def make(session: Any, path: Path, rows: int) -> None:
    """Write rows of one array<float> column."""
    pixel = "if(hash(id, {0}) % 5 = 0, pmod(hash({0}, id), 256), 0)"
    pixels = ", ".join(pixel.format(number) for number in range(WIDTH))
    session.range(0, rows, 1, 4).selectExpr(f"cast(array({pixels}) as array<float>) as pixels").write.parquet(
        str(path)
    )


def task(context: Any, classifier: Any, path: Path) -> Callable[[], Any]:
    """Return the pass of predict_task.py over its cached blocks."""
    found = read_scored(
        context, Storage(context), Wanted(Source("INPUT", str(path), None), classifier.model), 2
    )
    params = broadcast(context, classifier.params)
    table = PredictionTable(classifier.model)
    return lambda: (
        scoring.frame_of(found, table, params, "parquet")[0].groupBy("prediction").count().collect()
    )


def function(session: Any, classifier: Any, path: Path, has_arrow: bool) -> Callable[[], Any]:
    """Return a query with nn.spark.udf over cached rows."""
    frame = session.read.parquet(str(path)).cache()
    frame.count()
    user_functions.has_arrow = lambda context: has_arrow
    predict = nn.spark.udf(session, classifier)
    return lambda: frame.select(predict("pixels").alias("prediction")).groupBy("prediction").count().collect()


def peer(session: Any, path: Path) -> Callable[[], Any]:
    """Return a query with Spark's own classifier over cached vectors."""
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.functions import array_to_vector
    from pyspark.ml.linalg import Vectors

    layers = [WIDTH, HIDDEN, CLASSES]
    count = sum((layers[i] + 1) * layers[i + 1] for i in range(2))
    weights = Vectors.dense(np.random.default_rng(0).normal(size=count) / 28)
    row = session.createDataFrame([(Vectors.dense(np.zeros(WIDTH)), 0.0)], ["features", "label"])
    model = MultilayerPerceptronClassifier(layers=layers, initialWeights=weights, maxIter=0).fit(row)
    rows = session.read.parquet(str(path))
    frame = rows.select(array_to_vector(rows.pixels.cast("array<double>")).alias("features")).cache()
    frame.count()
    return lambda: model.transform(frame).groupBy("prediction").count().collect()


def numpy_alone(classifier: Any, rows: int) -> Callable[[], Any]:
    """Return the model's predictions of as many rows in memory."""
    rng = np.random.default_rng(0)
    inputs = (rng.integers(0, 256, (rows, WIDTH)) * (rng.random((rows, WIDTH)) < 0.2)).astype(np.uint8)
    return partial(classifier.predict_index, inputs)


def measure(name: str, run: Callable[[], Any], rows: int, repeats: int) -> None:
    """Print the rows per second: the median after a first run that is not counted."""
    run()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds)
    print(f"{name}: {rows / median:,.0f} rows/s (median of {repeats}: {median:.2f} s)", flush=True)


if __name__ == "__main__":
    main()
