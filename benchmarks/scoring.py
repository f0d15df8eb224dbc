"""Time predicting on Spark beside Spark's own classifier, onnxruntime and plain NumPy.

    OPENBLAS_NUM_THREADS=1 python benchmarks/scoring.py FOLDER CASE [--rows 600000] [--repeats 5] [--network mlp]

CASE is one of:
cached    rows that are cached in Spark -> predictions, counted by class: tasks of predict_task.py, nn.spark.udf through
          Arrow and row by row, Spark's MultilayerPerceptronClassificationModel of the same layers, onnxruntime in a
          pandas_udf where it is installed, NumPy in one process
written   the same, but the predictions are written as Parquet with Spark's writer, one column each
jobs      predict_task.py from files to files, CSV to CSV and Parquet to Parquet; Spark's classifier from Parquet to
          Parquet
memory    predict_task.py on 1,000,000 and on 10,000,000 rows in Parquet, submitted: seconds, and the most memory that
          each kind of process held

Networks: mlp (784-64-10 on bytes, mostly 0), cnn (two convolutions on the same rows), table (64 units on 12
columns of numbers and 8 of categories). FOLDER keeps the rows that were made. The first run of each way is not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYTHONPATH"] = sys.path[0]

import numpy as np
from large import PROCESSES, watched

import nn
import nn.spark
from nn.cli import predict
from nn.cli.predict_options import parse
from nn.models.prediction_columns import PredictionTable
from nn.spark import scoring, user_functions
from nn.spark.input.input_files import Source
from nn.spark.input.scored_files import Wanted
from nn.spark.input.scored_rows import read_scored
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HIDDEN, CLASSES = 784, 64, 10
CONVOLUTIONS = "conv2d:16x5,relu,maxpool2d:2,conv2d:32x5,relu,maxpool2d:2,flatten,dense:128,relu,dropout:0.5"
NUMBERS, CATEGORIES, VALUES = 12, 8, 20  # of a table: columns, and values of a category
FILES = 4  # that rows are written to
MEMORY = "--driver-memory 6g"


def main() -> None:
    """Measure a case."""
    parser = argparse.ArgumentParser(description="Time predicting.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("case", choices=("cached", "written", "jobs", "memory"))
    parser.add_argument("--rows", help="(default 600000; of memory: 1000000,10000000)")
    parser.add_argument("--repeats", type=int, default=5, help="(default 5)")
    parser.add_argument("--network", choices=NETWORKS, default="mlp")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", f"--master local[2] {MEMORY} pyspark-shell")
    words = args.rows or ("1000000,10000000" if args.case == "memory" else "600000")
    counts = [int(count) for count in words.split(",")]
    classifier = NETWORKS[args.network]()
    classifier.save(args.folder / f"{args.network}.npz")
    with spark_context("scoring") as context:
        from pyspark.sql import SparkSession

        session = SparkSession.builder.getOrCreate()
        formats = ("parquet", "csv") if args.case == "jobs" else ("parquet",)
        paths = {
            (count, kind): rows_of(session, args.folder, args.network, count, kind)
            for count in counts
            for kind in formats
        }
        if args.case != "memory":
            for name, run in ways(context, session, classifier, args, paths):
                measure(name, run, counts[0], args.repeats)
    if args.case == "memory":
        for (count, _), path in paths.items():
            print_memory(args, count, path)


# ---- networks ----


def mlp() -> Any:
    """Return a network 784-64-10; what it learned does not matter."""
    return _of_pixels(hidden=HIDDEN, activation="sigmoid")


def cnn() -> Any:
    """Return a network of two convolutions."""
    return _of_pixels(layers=CONVOLUTIONS)


def _of_pixels(**network: Any) -> Any:
    rng = np.random.default_rng(0)
    inputs, labels = rng.integers(0, 256, (200, WIDTH)), np.arange(200) % CLASSES
    return nn.fit(inputs, labels, loss="cross-entropy", epochs=1, **network).classifier


def table() -> Any:
    """Return a network of 64 units on columns of numbers and categories."""
    rng = np.random.default_rng(0)
    columns: dict[str, Any] = {f"n{number}": rng.normal(size=400) for number in range(NUMBERS)}
    columns |= {
        f"c{number}": rng.permutation(np.array([f"v{i % VALUES}" for i in range(400)], object))
        for number in range(CATEGORIES)
    }
    return nn.fit(columns, np.arange(400) % 2, hidden=HIDDEN, loss="cross-entropy", epochs=1).classifier


NETWORKS: dict[str, Callable[[], Any]] = {"mlp": mlp, "cnn": cnn, "table": table}


def rows_of(session: Any, folder: Path, network: str, rows: int, kind: str) -> Path:
    """Return the path of rows for a network, which are made where they are missing."""
    path = folder / f"{'table' if network == 'table' else 'pixels'}-{rows}-{kind}"
    if path.exists():
        return path
    if network == "table":
        columns = [f"cast(hash(id, {n}) / 2e9 as double) as n{n}" for n in range(NUMBERS)]
        columns += [f"concat('v', pmod(hash({n}, id), {VALUES})) as c{n}" for n in range(CATEGORIES)]
    else:
        pixels = [f"if(hash(id, {n}) % 5 = 0, pmod(hash({n}, id), 256), 0)" for n in range(WIDTH)]
        of_text = kind == "csv"
        columns = pixels if of_text else [f"cast(array({', '.join(pixels)}) as array<float>) as pixels"]
    frame = session.range(0, rows, 1, FILES).selectExpr(*columns)
    frame.write.format(kind).option("header", str(network == "table").lower()).save(str(path))
    return path


# ---- ways ----


def ways(context: Any, session: Any, classifier: Any, args: argparse.Namespace, paths: dict) -> list[tuple]:
    """Return the names of all ways of a case, and what runs each of them once."""
    count = next(iter(paths))[0]
    if args.case == "jobs":
        model = args.folder / f"{args.network}.npz"
        found: list[tuple] = [
            (f"predict_task.py, {kind} to {kind}", partial(job, context, model, path, kind))
            for (_, kind), path in paths.items()
        ]
        if args.network == "mlp":
            found.append(
                ("MLPC, parquet to parquet", partial(peer_job, session, paths[count, "parquet"], args.folder))
            )
        return found
    path = paths[count, "parquet"]
    end = tally if args.case == "cached" else partial(write, args.folder / "written")
    found = [("tasks of predict_task.py", task(context, classifier, path, end))]
    if args.network != "table":
        found += [
            ("nn.spark.udf, Arrow", function(session, classifier, path, True, end)),
            ("nn.spark.udf, row by row", function(session, classifier, path, False, end)),
        ]
        if importlib.util.find_spec("onnxruntime"):
            found.append(("onnxruntime in a pandas_udf", onnx(session, classifier, path, end)))
        found.append(("NumPy in one process, nothing written", numpy_alone(classifier, count)))
    if args.network == "mlp":
        found.append(("MultilayerPerceptronClassificationModel", peer(session, path, end)))
    return found


def tally(frame: Any) -> None:
    """Count predictions by class in Spark."""
    frame.groupBy("prediction").count().collect()


def write(path: Path, frame: Any) -> None:
    """Write predictions alone, as Parquet."""
    frame.select("prediction").write.mode("overwrite").parquet(str(path))


def task(context: Any, classifier: Any, path: Path, end: Callable[[Any], None]) -> Callable[[], None]:
    """Return the pass of predict_task.py over its cached blocks."""
    wanted = Wanted(Source("INPUT", str(path), None), classifier.model)
    found = read_scored(context, Storage(context), wanted, 2)
    params = broadcast(context, classifier.params)
    predictions = PredictionTable(classifier.model)
    return lambda: end(scoring.frame_of(found, predictions, params, "parquet")[0])


def function(
    session: Any, classifier: Any, path: Path, has_arrow: bool, end: Callable[[Any], None]
) -> Callable[[], None]:
    """Return a query with nn.spark.udf over cached rows."""
    frame = session.read.parquet(str(path)).cache()
    frame.count()
    before, user_functions.has_arrow = user_functions.has_arrow, lambda context: has_arrow
    predict_one = nn.spark.udf(session, classifier)
    user_functions.has_arrow = before
    return lambda: end(frame.select(predict_one("pixels").alias("prediction")))


def onnx(session: Any, classifier: Any, path: Path, end: Callable[[Any], None]) -> Callable[[], None]:
    """Return a query with onnxruntime in a pandas_udf over cached rows: how ONNX models are usually served on Spark."""
    from pyspark.sql.functions import pandas_udf

    file = str(path.parent / "model.onnx")
    nn.to_onnx(classifier, file)
    frame = session.read.parquet(str(path)).cache()
    frame.count()

    def predict_batches(batches):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        name = model.get_inputs()[0].name
        for batch in batches:
            import pandas

            yield pandas.Series(np.ravel(model.run(None, {name: np.stack(batch)})[0]).astype(np.int64))

    from collections.abc import Iterator

    import pandas

    predict_batches.__annotations__ = {"batches": Iterator[pandas.Series], "return": Iterator[pandas.Series]}
    predict_one = pandas_udf(predict_batches, "long")  # type: ignore[call-overload]
    return lambda: end(frame.select(predict_one("pixels").alias("prediction")))


def numpy_alone(classifier: Any, rows: int) -> Callable[[], Any]:
    """Return the model's predictions of as many rows in memory."""
    rng = np.random.default_rng(0)
    inputs = np.zeros((rows, WIDTH), np.uint8)
    for start in range(0, rows, 10_000):
        part = inputs[start : start + 10_000]
        part[:] = rng.integers(0, 256, part.shape) * (rng.random(part.shape) < 0.2)
    return partial(classifier.predict_index, inputs)


def trained_peer(session: Any) -> Any:
    """Return Spark's own classifier of the layers 784-64-10, with drawn weights."""
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.linalg import Vectors

    layers = [WIDTH, HIDDEN, CLASSES]
    count = sum((layers[i] + 1) * layers[i + 1] for i in range(2))
    weights = Vectors.dense(np.random.default_rng(0).normal(size=count) / 28)
    row = session.createDataFrame([(Vectors.dense(np.zeros(WIDTH)), 0.0)], ["features", "label"])
    return MultilayerPerceptronClassifier(layers=layers, initialWeights=weights, maxIter=0).fit(row)


def vectors(session: Any, path: Path) -> Any:
    """Return rows as vectors of MLlib."""
    from pyspark.ml.functions import array_to_vector

    rows = session.read.parquet(str(path))
    return rows.select(array_to_vector(rows.pixels.cast("array<double>")).alias("features"))


def peer(session: Any, path: Path, end: Callable[[Any], None]) -> Callable[[], None]:
    """Return a query with Spark's own classifier over cached vectors."""
    model, frame = trained_peer(session), vectors(session, path).cache()
    frame.count()
    return lambda: end(model.transform(frame))


def job(context: Any, model: Path, path: Path, kind: str) -> None:
    """Run predict_task.py from files to files in this Spark."""
    out = path.parent / "predicted"
    shutil.rmtree(out, ignore_errors=True)
    predict.run(context, Storage(context), parse([str(model), str(path), str(out), "--output-format", kind]))


def peer_job(session: Any, path: Path, folder: Path) -> None:
    """Predict with Spark's own classifier from Parquet to Parquet."""
    write(folder / "written", trained_peer(session).transform(vectors(session, path)))


# ---- measuring ----


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


def print_memory(args: argparse.Namespace, rows: int, path: Path) -> None:
    """Submit predict_task.py on rows, and print its seconds and the most memory that its processes held."""
    out = args.folder / "predicted"
    shutil.rmtree(out, ignore_errors=True)
    submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", "local[2]", *MEMORY.split()]
    submit += [str(ROOT / "predict_task.py"), str(args.folder / f"{args.network}.npz"), str(path), str(out)]
    began = time.perf_counter()
    peaks = watched([*submit, "--output-format", "parquet"])
    shown = ", ".join(f"{name} {peaks[name]:,.0f} MB" for name in PROCESSES)
    print(f"{rows:,} rows: {time.perf_counter() - began:.0f} s; at most {shown}", flush=True)


if __name__ == "__main__":
    main()
