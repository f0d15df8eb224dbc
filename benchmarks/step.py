"""Time one step on cached MNIST, and what it is made of; with --conf, under another Spark setting.

    python benchmarks/step.py data
    python benchmarks/step.py data --conf spark.python.unix.domain.socket.enabled=false

prints medians in milliseconds: a job that does nothing, a job that only reads the blocks, a whole epoch at defaults
(forward and backward pass over all rows), and one mini-batch of 1,000 rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from operator import add
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

from nn.network import multilayer_perceptron
from nn.records import Block, Draw
from nn.spark import reading
from nn.spark.session import spark_context
from nn.spark.storage import Storage
from nn.spark.training import measure_on

WARM_UP, REPEATS = 40, 40  # the first jobs of a JVM are slower


def main() -> None:
    """Load, warm up, measure."""
    parser = argparse.ArgumentParser(description="Time a step and its parts.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE", help="a Spark setting")
    asked = parser.parse_args()
    words = [word for setting in asked.conf for word in ("--conf", setting)]
    os.environ["PYSPARK_SUBMIT_ARGS"] = " ".join(
        ["--master local[2] --driver-memory 2g", *words, "pyspark-shell"]
    )
    with spark_context("step") as context:
        images, labels = (f"{asked.data}/mnist_{kind}_train.csv" for kind in ("images", "labels"))
        files = reading.Files.open(context, Storage(context), reading.Source("TRAIN", images, labels), 2)
        train = reading.read(files)
        model = multilayer_perceptron(train.width, train.classes, (64,), "sigmoid", "mse", train.largest)
        measure, params = measure_on(train.blocks, model), model.init(0)
        nothing = context.parallelize(range(2), 2)
        parts = {
            "a job that does nothing": lambda i: nothing.mapPartitions(exhausted).collect(),
            "reading the blocks": lambda i: train.blocks.map(rows_of).reduce(add),
            "a whole epoch": lambda i: measure(params, Draw(0, i, 0.7)),
            "a mini-batch": lambda i: measure(params, Draw(0, 1, batch=i % 60, batches=60, total=60_000)),
        }
        for name, job in parts.items():
            print(f"{name:<26}{1000 * median_seconds(job):>6.0f} ms", flush=True)


def median_seconds(job: Callable[[int], object]) -> float:
    """The median over the repeats that follow the warm-up."""
    seconds = []
    for number in range(WARM_UP + REPEATS):
        began = time.perf_counter()
        job(number)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[WARM_UP:])


def exhausted(elements) -> list[int]:
    """Read a partition to its end."""
    return [sum(1 for _ in elements)]


def rows_of(block: Block) -> int:
    """Rows of a block."""
    return len(block.rows)


if __name__ == "__main__":
    main()
