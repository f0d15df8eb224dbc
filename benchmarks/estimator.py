"""Time nn.ml beside Spark's MultilayerPerceptronClassifier on rows of MNIST's size: fit, and Param maps together.

    OPENBLAS_NUM_THREADS=1 python benchmarks/estimator.py FOLDER [--rows 60000] [--steps 20] [--repeats 3]

trains 784-64-10 from the same initial weights on the same cached DataFrame of vectors (drawn bytes, mostly 0), with
L-BFGS for a number of accepted steps; then four Param maps of Adam in one `fit`, and one after the other. It prints the
seconds of each, the median of the repeats, and for L-BFGS the last cost, since the line searches take different steps.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [sys.path[0], os.environ.get("PYTHONPATH")]))

WIDTH, LAYERS = 784, [784, 64, 10]
RATES = (0.0003, 0.001, 0.003, 0.01)


def main() -> None:
    """Make the rows where they are missing, and time each way."""
    parser = argparse.ArgumentParser(description="Time nn.ml beside Spark's own classifier.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=60_000, help="(default 60,000)")
    parser.add_argument("--steps", type=int, default=20, help="accepted steps of L-BFGS (default 20)")
    parser.add_argument("--repeats", type=int, default=3, help="(default 3)")
    args = parser.parse_args()
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.sql import SparkSession

    from nn.ml import NeuralNetworkClassifier

    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "4g")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    frame = rows_of(session, args.folder / f"vectors-{args.rows}", args.rows)
    options = {"layers": LAYERS, "maxIter": args.steps, "tol": 0.0, "seed": 1}
    adam = NeuralNetworkClassifier(layerSpec="dense:64,relu", optimizer="adam", batchSize=2000, maxIter=2)
    maps = [{adam.learningRate: rate} for rate in RATES]
    theirs, ours = MultilayerPerceptronClassifier(**options), NeuralNetworkClassifier(**options)
    ways: dict[str, Callable[[], Any]] = {
        f"MultilayerPerceptronClassifier, {args.steps} steps": lambda: theirs.fit(frame),
        f"NeuralNetworkClassifier, {args.steps} steps": lambda: ours.fit(frame),
        f"{len(maps)} Param maps in one fit": lambda: adam.fit(frame, maps),
        f"{len(maps)} Param maps one after the other": lambda: [adam.fit(frame, one) for one in maps],
    }
    for name, run in ways.items():
        measure(name, run, args.repeats)
    session.stop()


def rows_of(session: Any, path: Path, rows: int) -> Any:
    """Return cached vectors with labels that depend on them, written where they are missing."""
    from pyspark.ml.functions import array_to_vector

    if not path.exists():
        pixel = "if(hash(id, {0}) % 5 = 0, pmod(hash({0}, id), 256), 0)"
        pixels = ", ".join(pixel.format(number) for number in range(WIDTH))
        drawn = session.range(0, rows, 1, 2).selectExpr(f"cast(array({pixels}) as array<double>) as pixels")
        label = "cast(pmod(cast(pixels[0] + pixels[1] + pixels[2] as int), 10) as double) as label"
        drawn.selectExpr("pixels", label).write.parquet(str(path))
    stored = session.read.parquet(str(path))
    frame = stored.select("label", array_to_vector(stored.pixels).alias("features")).cache()
    frame.count()
    return frame


def measure(name: str, run: Callable[[], Any], repeats: int) -> None:
    """Print the seconds of a way: the median after a first run that is not counted."""
    model, seconds = run(), []
    for _ in range(repeats):
        began = time.perf_counter()
        model = run()
        seconds.append(time.perf_counter() - began)
    cost = ""
    if hasattr(model, "summary"):
        cost = f", cost {model.summary().objectiveHistory[-1]:.4f}"
    print(f"{name}: {statistics.median(seconds):.2f} s (median of {repeats}){cost}", flush=True)


if __name__ == "__main__":
    main()
