"""Time one step on cached MNIST, and what it is made of; under another Spark setting, or without a worker's.

    python benchmarks/step.py data
    python benchmarks/step.py data --conf spark.python.unix.domain.socket.enabled=false
    python benchmarks/step.py data --without quick_ack

prints medians in milliseconds: a job that only reads the blocks, a mini-batch of 1,000 rows, with its parameters sent
by broadcast too, a whole epoch at defaults (forward and backward pass over all rows), and an epoch of replicas in
batches of 64; replicas of 1,024 units that take one step, which is moving 6.5 MB there and back; and a job that does
nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from operator import add
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import nn.spark.runtime.workers
from nn.data.batches import RowSelection
from nn.data.block import Block
from nn.models.sequential import Sequential
from nn.optim.first_order import FirstOrder
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.requests import Gradients, Request
from nn.optim.rules import Momentum
from nn.spark import backend
from nn.spark.input import reader
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage
from nn.training.assembly import network_of
from nn.training.backend import Job, Objective
from nn.training.recipe import Recipe

WARM_UP, REPEATS = 40, 40  # the first jobs of a JVM are slower


def main() -> None:
    """Load, warm up, measure."""
    parser = argparse.ArgumentParser(description="Time a step and its parts.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE", help="a Spark setting")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=("freeze_gc", "cache_zip_directories", "quick_ack"),
        help="one of the things that nn/spark/runtime/workers.py does in each worker",
    )
    parser.add_argument("--json", action="store_true", help="print the milliseconds as one JSON object")
    args = parser.parse_args()
    words = [word for setting in args.conf for word in ("--conf", setting)]
    words = ["--master", "local[2]", "--driver-memory", "2g", *words, "pyspark-shell"]
    os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join(words)
    with spark_context("step") as context:
        context.parallelize(range(2), 2).foreachPartition(partial(leave_out, args.without))
        images, labels = (f"{args.data}/mnist_{kind}_train.csv" for kind in ("images", "labels"))
        files = reader.Files.open(context, Storage(context), reader.Source("TRAIN", images, labels), 2)
        times = {}
        for name, job in parts(context, reader.read(files)).items():
            times[name] = 1000 * median_seconds(job)
            if not args.json:
                print(f"{name:<40}{times[name]:>6.0f} ms", flush=True)
    if args.json:
        print(json.dumps(times))


def parts(context: Any, train: Any) -> dict[str, Callable[[int], object]]:
    """What is timed, in this order."""
    model = network_of(Recipe(scale="largest"), train.facts)
    rows, averaging = backend.SparkBackend(train.blocks), ParameterAveraging(FirstOrder(Momentum()))
    gradients = Gradients(model.init(0))
    local_steps = averaging.ask(averaging.init(gradients.params))
    of_wide = Recipe.of(hidden=1024, activation="relu", loss="cross-entropy", scale="largest")
    wide = network_of(of_wide, train.facts)
    wide_steps = averaging.ask(averaging.init(wide.init(0)))
    nothing = context.parallelize(range(2), 2)
    batch = RowSelection(0, 1, batches=60, total=60_000)

    def run(network: Sequential, request: Request, selection: RowSelection) -> None:
        rows.run([Job(Objective(network), request, selection)])

    def by_broadcast(number: int) -> None:
        inline, backend.INLINE = backend.INLINE, 0
        try:
            run(model, gradients, batch._replace(batch=number % 60))
        finally:
            backend.INLINE = inline

    return {
        "reading the blocks": lambda i: train.blocks.map(rows_of).reduce(add),
        "a mini-batch of 1,000 rows, by broadcast": by_broadcast,
        "a mini-batch of 1,000 rows": lambda i: run(model, gradients, batch._replace(batch=i % 60)),
        "a whole epoch, gradients": lambda i: run(model, gradients, RowSelection(0, i, 0.7)),
        "a whole epoch, replicas": lambda i: run(model, local_steps, RowSelection(0, i)),
        "a step of replicas, 1,024 units": lambda i: run(
            wide, wide_steps, RowSelection(0, i, batch=0, batches=468, total=60_000)
        ),
        "a job that does nothing": lambda i: nothing.mapPartitions(exhausted).collect(),
    }


def median_seconds(job: Callable[[int], object]) -> float:
    """The median over the repeats that follow the warm-up."""
    seconds = []
    for number in range(WARM_UP + REPEATS):
        began = time.perf_counter()
        job(number)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[WARM_UP:])


def leave_out(names: list[str], elements: Iterator) -> None:
    """Have the worker that runs this, and is used again, never do what is named."""
    for _ in elements:
        time.sleep(0.5)  # so that each task has a worker of its own
    for name in names:
        setattr(nn.spark.runtime.workers, name, nothing)


def nothing() -> None:
    """What is done instead."""


def exhausted(elements) -> list[int]:
    """Read a partition to its end."""
    return [sum(1 for _ in elements)]


def rows_of(block: Block) -> int:
    """Rows of a block."""
    return len(block.rows)


if __name__ == "__main__":
    main()
