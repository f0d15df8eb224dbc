"""Measure training under Spark Connect beside a classic session: latency of a job, MNIST to 97 %, the client's memory.

    OPENBLAS_NUM_THREADS=1 python benchmarks/connect.py DATA FOLDER [--only latency,mnist,memory] [--rows 1000000]

DATA holds MNIST as generate_data.py writes it; FOLDER gets it as Parquet, two files of pixels. Each measurement runs in
a process of its own, on two task slots, and prints the load of the machine before it. Needs pyspark[connect].

latency    the median of 30 jobs after 10: without rows, with all blocks passing through, and a cost of all rows
mnist      seconds until the test accuracy is 97 %, with the options of `make train`; scoring is not counted
memory     the client's peak memory while it fits rows of 100 columns that the cluster makes
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import numpy as np

from nn.core import tree
from nn.data.batches import RowSelection
from nn.ml.sessions import session_of
from nn.optim.requests import Gradients
from nn.spark.frames.interface import FrameColumns, FrameRequest
from nn.training.backend import Job
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

SESSIONS = ("connect", "classic")
WARM_UP, JOBS = 10, 30
GOAL = 0.97
COLUMNS = 100
RECIPE: dict[str, Any] = {
    "hidden": [128],
    "activation": "relu",
    "loss": "cross-entropy",
    "optimizer": "momentum",
    "average": "parameters",
    "epochs": 10,
}
DIGITS = FrameRequest(FrameColumns("pixels", "label"))


def main() -> None:
    """Run each measurement with each kind of session, in a process of its own."""
    parser = argparse.ArgumentParser(description="Measure training under Spark Connect.")
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="latency,mnist,memory", help="(default: all)")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="of the rows for memory (default 1,000,000)"
    )
    parser.add_argument("--session", choices=SESSIONS, help="measure in this process")
    args = parser.parse_args()
    path = args.folder / "digits"
    if args.session is None:
        make(args.data, path)
        for name in args.only.split(","):
            for kind in SESSIONS if name != "memory" else SESSIONS[:1]:
                words = [str(args.data), str(args.folder), "--only", name, "--rows", str(args.rows)]
                subprocess.run([sys.executable, __file__, *words, "--session", kind], check=True)
        return
    print(f"{args.only}, {args.session} session; load before: {os.getloadavg()[0]:.2f}", flush=True)
    session = start(args.session)
    if args.only == "latency":
        latency(session, path)
    elif args.only == "mnist":
        mnist(session, path, args.data)
    else:
        memory(session, args.rows)
    session.stop()


def make(data: Path, path: Path) -> None:
    """Write MNIST's training images as two files of pixels and labels."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.exists():
        return
    images, labels = read(data, "train")
    path.mkdir(parents=True)
    for number, rows in enumerate(np.array_split(np.arange(len(labels)), 2)):
        pixels = pa.array([row.tobytes() for row in images[rows]], pa.binary())
        table = pa.table({"pixels": pixels, "label": pa.array(labels[rows].astype(np.int32))})
        pq.write_table(table, path / f"part-{number}.parquet")


def read(data: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 784) uint8 and labels (n,)."""
    images = np.loadtxt(data / f"mnist_images_{name}.csv", np.uint8, delimiter=",")
    return images, np.loadtxt(data / f"mnist_labels_{name}.csv", np.int64)


def start(kind: str) -> Any:
    """Return a session with two task slots."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        "--driver-memory 6g --conf spark.ui.enabled=false --conf spark.ui.showConsoleProgress=false pyspark-shell"
    )
    builder: Any = SparkSession.builder
    session = (builder.remote if kind == "connect" else builder.master)("local[2]").getOrCreate()
    # Each file is one partition.
    session.conf.set("spark.sql.files.openCostInBytes", str(64 << 20))
    return session


def latency(session: Any, path: Path) -> None:
    """Print the median time of jobs."""
    rows = session_of(session).read(session.read.parquet(str(path)), DIGITS)
    backend: Any = rows.backend()
    run = TrainingRun.on(Recipe.of(**RECIPE), rows.facts, backend)
    request, selection = Gradients(run.initial_params()), RowSelection(0, 1)
    cost = Job(run.objective, request, selection._replace(fraction=0.0))
    few = session.range(2).repartition(2).persist()
    jobs: dict[str, Callable[[], Any]] = {
        "a job without rows": lambda: few.mapInArrow(nothing, "id long").collect(),
        "all blocks pass through": lambda: backend.blocks.mapPartitions(drop).collect(),
        "cost of all rows, 784-128-10": lambda: backend.run([cost]),
        "gradients of all rows, 784-128-10": lambda: backend.run([Job(run.objective, request, selection)]),
    }
    for name, job in jobs.items():
        seconds = []
        for _ in range(WARM_UP + JOBS):
            began = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - began)
        print(f"  {name}: {statistics.median(seconds[WARM_UP:]):.3f} s", flush=True)
    rows.release()


def nothing(batches: Iterable[Any]) -> Iterator[Any]:
    """Drop all batches."""
    for _ in batches:
        pass
    return iter(())


def drop(blocks: Iterable[Any]) -> Iterator[Any]:
    """Drop all blocks."""
    for _ in blocks:
        pass
    return iter(())


def mnist(session: Any, path: Path, data: Path) -> None:
    """Train until the goal, and print the epochs, the time and a hash of the parameters."""
    images, labels = read(data, "test")
    began = time.perf_counter()
    rows = session_of(session).read(session.read.parquet(str(path)), DIGITS)
    backend = rows.backend()
    run = TrainingRun.on(Recipe.of(**RECIPE), rows.facts, backend)
    reading = time.perf_counter() - began
    training = accuracy = 0.0
    for progress in run.epochs(backend):
        training += progress.history[-1].seconds
        found: Any = run.predictor(progress)
        accuracy = float(np.mean(found.predict_index(images) == labels))
        if accuracy >= GOAL:
            break
    digest = hashlib.sha256(
        b"".join(w.tobytes() for w in tree.arrays(run.final_params(progress)))
    ).hexdigest()
    print(
        f"  {rows.facts.partitions} partitions, read in {reading:.1f} s; test accuracy {accuracy:.4f} after "
        f"{len(progress.history)} epochs, {training:.2f} s; parameters {digest[:12]}",
        flush=True,
    )
    rows.release()


def memory(session: Any, rows: int) -> None:
    """Fit rows that the cluster makes, and print the client's peak memory."""
    from nn.ml import NeuralNetworkClassifier

    names = [f"x{number}" for number in range(COLUMNS)]
    columns = [
        f"cast(hash(id, {number}) / 2147483648 as float) as {name}" for number, name in enumerate(names)
    ]
    frame = session.range(0, rows, 1, 8).selectExpr(*columns).selectExpr("*", "int(x0 + x1 > x2) as label")
    before = peak()
    began = time.perf_counter()
    stage = NeuralNetworkClassifier(
        featuresCol=names, layerSpec="dense:32,relu", optimizer="adam", batchSize=50_000, maxIter=2
    )
    model = stage.fit(frame)
    print(
        f"  {rows:,} rows x {COLUMNS} columns: {time.perf_counter() - began:.1f} s for 2 epochs, accuracy "
        f"{model.summary().accuracy:.3f}; client's peak {peak():,.0f} MB, {before:,.0f} MB before the fit",
        flush=True,
    )


def peak() -> float:
    """Return the largest resident memory of this process so far, in MB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
