"""Time nn.ml to an accuracy, in a tuner, and on many rows, beside Spark's MultilayerPerceptronClassifier.

    OPENBLAS_NUM_THREADS=1 python benchmarks/estimator_goals.py FOLDER CASE

CASE is one of:
accuracy  MNIST (--data, as generate_data.py writes it) in a cached DataFrame of vectors of 0..1: seconds from the
          DataFrame to the model, and accuracy on 10,000 of the 60,000 rows, which are held out; of this project's
          classifier after each number of epochs, of Spark's after each number of steps, of xgboost.spark where it is
          installed, also in a folder of PYTHONPATH
tuning    CrossValidator with 3 folds and 8 maps on 20,000 drawn rows, 784-64-10, 20 steps of L-BFGS from 8 seeds: ours
          together, ours one after the other, Spark's
memory    fit on --rows of 20 columns in a process of its own: seconds, and the most memory that its processes held
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from estimator import rows_of  # which sets the environment of Spark's workers
from large import PROCESSES, watched

WIDTH, UNITS, CLASSES, HELD_OUT = 784, 64, 10, 10_000
LAYERS = [WIDTH, UNITS, CLASSES]
ADAM: dict[str, Any] = {"layerSpec": f"dense:{UNITS},relu", "optimizer": "adam", "averaging": "parameters"}
ADAM |= {"learningRate": 0.002, "batchSize": 64, "schedule": "one-cycle", "scale": "largest", "seed": 0}
FOLDS, SEEDS, TUNING_ROWS, STEPS = 3, range(8), 20_000, 20
COLUMNS = 20
CASES = ("accuracy", "tuning", "memory", "fit_task")


def main() -> None:
    """Measure a case."""
    parser = argparse.ArgumentParser(description="Time nn.ml to an accuracy, in a tuner, on many rows.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("case", choices=CASES)
    parser.add_argument(
        "--data", type=Path, default=Path("data"), help="folder of MNIST as CSV (default data)"
    )
    parser.add_argument("--epochs", default="2,4,8", help="of accuracy (default 2,4,8)")
    parser.add_argument(
        "--steps", default="50,100,150,200", help="of accuracy, Spark's (default 50,100,150,200)"
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="of memory (default 10,000,000)")
    args = parser.parse_args()
    if args.case == "memory":
        words = [sys.executable, __file__, str(args.folder), "fit_task", "--rows", str(args.rows)]
        began = time.perf_counter()
        peaks = watched(words)
        shown = ", ".join(f"{name} {peaks[name]:,.0f} MB" for name in PROCESSES)
        print(f"{args.rows:,} rows: {time.perf_counter() - began:.0f} s; at most {shown}")
        return
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    {"accuracy": accuracy, "tuning": tuning, "fit_task": fit_task}[args.case](session, args)
    session.stop()


def mnist(session: Any, data: Path) -> tuple[Any, Any]:
    """Return the training rows of MNIST as cached vectors: those to learn from, and those that are held out."""
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions as sql

    # The readers' own order joins images with labels; the number of a row says which are held out.
    images, labels = (
        session.sparkContext.textFile(str(data / f"mnist_{kind}_train.csv"), 1).zipWithIndex()
        for kind in ("images", "labels")
    )
    pixels = images.map(lambda pair: (pair[1], [float(value) / 255 for value in pair[0].split(",")]))
    digits = labels.map(lambda pair: (pair[1], float(pair[0])))
    joined = session.createDataFrame(pixels, "row long, pixels array<double>").join(
        session.createDataFrame(digits, "row long, label double"), "row"
    )
    frame = joined.select("row", "label", array_to_vector(sql.col("pixels")).alias("features")).repartition(
        2, "row"
    )
    kept, held_out = frame.filter(sql.col("row") >= HELD_OUT), frame.filter(sql.col("row") < HELD_OUT)
    for part in (kept, held_out):
        part.cache().count()
    return kept, held_out


def accuracy(session: Any, args: argparse.Namespace) -> None:
    """Print seconds and accuracy for each length of training."""
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    from nn.ml import NeuralNetworkClassifier

    rows, held_out = mnist(session, args.data)
    NeuralNetworkClassifier(**ADAM, maxIter=1).fit(rows)  # starts the Python workers
    for epochs in map(int, args.epochs.split(",")):
        model = timed(
            f"NeuralNetworkClassifier, {epochs} epochs",
            NeuralNetworkClassifier(**ADAM, maxIter=epochs),
            rows,
            held_out,
        )
        within = sum(model.summary.secondsPerEpoch)
        print(f"    of {model.summary.seconds:.2f} s the epochs took {within:.2f} s", flush=True)
    for steps in map(int, args.steps.split(",")):
        theirs = MultilayerPerceptronClassifier(layers=LAYERS, maxIter=steps, tol=0.0, seed=1, blockSize=1000)
        timed(f"MultilayerPerceptronClassifier, {steps} steps", theirs, rows, held_out)
    if importlib.util.find_spec("xgboost"):
        from xgboost.spark import SparkXGBClassifier

        trees = SparkXGBClassifier(num_workers=2, n_estimators=50, max_depth=6, tree_method="hist")
        timed("xgboost.spark, 50 rounds of depth 6", trees, rows, held_out)


def timed(name: str, estimator: Any, rows: Any, held_out: Any) -> Any:
    """Fit once; print the seconds and the accuracy on the rows that are held out."""
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator

    began = time.perf_counter()
    model = estimator.fit(rows)
    seconds = time.perf_counter() - began
    right = MulticlassClassificationEvaluator(metricName="accuracy").evaluate(model.transform(held_out))
    print(f"{name}: {seconds:.2f} s, accuracy {right:.4f}", flush=True)
    return model


def tuning(session: Any, args: argparse.Namespace) -> None:
    """Print the seconds of a CrossValidator, of its fits one after the other, and of Spark's classifier in it."""
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator
    from pyspark.ml.tuning import CrossValidator

    from nn.ml import NeuralNetworkClassifier

    rows = rows_of(session, args.folder / f"vectors-{TUNING_ROWS}", TUNING_ROWS)
    evaluator = MulticlassClassificationEvaluator(metricName="accuracy")

    def validator(estimator: Any) -> Any:
        maps = [{estimator.seed: seed} for seed in SEEDS]
        return CrossValidator(
            estimator=estimator, estimatorParamMaps=maps, evaluator=evaluator, numFolds=FOLDS, seed=1
        )

    options: dict[str, Any] = {"layers": LAYERS, "maxIter": STEPS, "tol": 0.0}
    ours, theirs = NeuralNetworkClassifier(**options), MultilayerPerceptronClassifier(**options)
    ours.fit(rows.limit(1000))  # starts the Python workers
    found: dict[str, Any] = {}
    for name, run in (
        ("NeuralNetworkClassifier in CrossValidator", lambda: validator(ours).fit(rows)),
        ("the same fits one after the other", lambda: one_by_one(validator(ours), rows)),
        ("MultilayerPerceptronClassifier in CrossValidator", lambda: validator(theirs).fit(rows)),
    ):
        began = time.perf_counter()
        found[name] = run()
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)
    together, alone = list(found.values())[:2]
    print(f"equal mean accuracies: {np.array_equal(together.avgMetrics, alone)}")


def one_by_one(validator: Any, rows: Any) -> list[float]:
    """Fit and score each fold and each map by itself; return the mean accuracy of each map, as the tuner adds it."""
    estimator, evaluator = validator.getEstimator(), validator.getEvaluator()
    maps, found = validator.getEstimatorParamMaps(), []
    for train, test in validator._kFold(rows):
        train, test = train.cache(), test.cache()
        found.append([evaluator.evaluate(estimator.fit(train, each).transform(test)) for each in maps])
        train.unpersist()
        test.unpersist()
    means = np.mean(found, axis=0)
    estimator.fit(rows, maps[int(means.argmax())])
    return means.tolist()


def fit_task(session: Any, args: argparse.Namespace) -> None:
    """Fit two epochs on rows of numbers, which Spark makes as they are read."""
    from nn.ml import NeuralNetworkClassifier

    columns = [f"cast(hash(id, {number}) / 2e9 as float) as n{number}" for number in range(COLUMNS)]
    path = args.folder / f"numbers-{args.rows}"
    if not path.exists():
        label = "cast(hash(id, 0) > hash(id, 1) as double) as label"
        session.range(0, args.rows, 1, 8).selectExpr(*columns, label).write.parquet(str(path))
    rows = session.read.parquet(str(path))
    names = [f"n{number}" for number in range(COLUMNS)]
    network = NeuralNetworkClassifier(
        featuresCol=names, layerSpec="dense:32,relu", optimizer="adam", averaging="parameters", maxIter=2
    )
    model = network.fit(rows)
    print(f"{args.rows:,} rows: accuracy {model.summary.accuracy:.4f}, {model.summary.seconds:.1f} s")


if __name__ == "__main__":
    main()
