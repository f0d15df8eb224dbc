"""The project itself: the job's reading and training, from the same files, on local Spark.

    python -m benchmarks.peers.nn_spark --data data --average gradients

Gradients: one step per epoch from all rows, or with --job-batch one job for each mini-batch. The test rows are measured
on the driver, outside the time.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from . import contract

# Before NumPy loads. Threads of BLAS that measure the test rows here would spin into the next epoch, and take the cores
# from its tasks. The job measures nothing on the driver.
os.environ.update(dict.fromkeys(contract.BLAS_THREADS, "1"))

import numpy as np

from nn.data.block import Block
from nn.data.split import Split
from nn.training.backend import Facts
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.run import TrainingRun

from . import digits, memory, sparksession

PEER = "nn_spark"
QUICK = "-XX:TieredStopAtLevel=1"  # the JVM's quick compiler alone, as `make train` starts the job
PHASES = ("schedule", "read", "compute", "sum", "update")  # fields of an epoch's line, where it has them


def recipe(args: argparse.Namespace) -> Recipe:
    """What the options ask for, in the project's own words."""
    words: dict[str, Any] = {
        "hidden": list(args.hidden),
        "activation": args.activation,
        "loss": "cross-entropy",
        "scale": "largest",
        "optimizer": args.optimizer,
        "epochs": args.epochs,
        "seed": args.seed,
    }
    if args.optimizer == "momentum":
        words |= {"optimizer": f"momentum:{args.momentum}", "schedule": "constant"}
        words |= {"learning_rate": args.learning_rate}
    if args.average == "parameters":
        words |= {"average": "parameters", "batch_size": args.batch_size}
    elif args.job_batch:
        words |= {"batch_size": args.job_batch}
    else:
        words |= {"sample": 1.0}
    return Recipe.of(**words)


def training(blocks: Any, facts: Facts, chosen: Recipe, rows: int) -> tuple[TrainingRun, Iterator[Progress]]:
    """Return the run, and its epochs as a generator of their progress."""
    from nn.spark.backend import SparkBackend

    run = TrainingRun.of(chosen, facts, Split(rows))
    return run, run.epochs(SparkBackend(blocks))


def main(args: argparse.Namespace) -> contract.Answer:
    """Load, train."""
    from nn.spark.input import reader
    from nn.spark.runtime.session import spark_context
    from nn.spark.storage.filesystem import Storage

    chosen = recipe(args)
    sparksession.submit_words(args, "--conf spark.ui.enabled=false", f"--driver-java-options {QUICK}")
    with spark_context("benchmark") as context:
        began = time.perf_counter()
        train_files, test_files = (source(reader, args.data, part) for part in ("train", "test"))
        partitions = args.partitions or args.cores
        train_set, _ = reader.read_both(context, Storage(context), train_files, test_files, partitions)
        load = time.perf_counter() - began
        blocks = repeated(train_set, args.times)
        facts = train_set.facts._replace(partitions=1)  # no other defaults for many replicas
        run, progresses = training(blocks, facts, chosen, train_set.rows * args.times)
        test_images, test_labels = digits.read(args.data, "test")
        params: Any = None

        def epoch() -> dict[str, float]:
            nonlocal params
            progress = next(progresses)
            params = run.final_params(progress)
            line = progress.history[-1]._asdict()
            return {name: line[name] for name in PHASES if line.get(name) is not None}

        lines = contract.epochs(
            args, epoch, lambda: float(np.mean(run.model.predict(params, test_images) == test_labels))
        )
        memory_peaks = memory.of_spark(context)
        versions = sparksession.versions(context, "numpy")
    return contract.Answer(PEER, versions, load, lines, memory_peaks, f"{train_set.partitions} partitions")


def source(reading: Any, folder: str, part: str) -> Any:
    """Where one part's files are, as the job is told."""
    images, labels = (str(digits.path(folder, kind, part)) for kind in ("images", "labels"))
    return reading.Source(part.upper(), images, labels)


def repeated(dataset: Any, times: int) -> Any:
    """Repeat the blocks of a Dataset `times` over, each row with its own number, cached as the job caches them."""
    if times == 1:
        return dataset.blocks
    from nn.spark.input import cache

    size = times * dataset.rows * dataset.width * dataset.blocks.first().inputs.itemsize
    copied = dataset.blocks.flatMap(copier(times, dataset.rows))
    copied.persist(cache.level(copied.context, size)).count()
    return copied


def copier(times: int, rows: int) -> Callable[[Block], Iterator[Block]]:
    """A function that gives a block, then the same as if it stood `rows` rows further on, and so on: `times` in all.

    Made here, it travels to the workers whole. A function of the module's own would travel as a name, and they have nn
    but not this module.
    """

    def copies(block: Block) -> Iterator[Block]:
        for number in range(times):
            yield block._replace(rows=block.rows + rows * number)

    return copies


def options() -> argparse.ArgumentParser:
    """The common options and this peer's."""
    parser = contract.options("This project on local Spark.")
    contract.add_average(parser)
    parser.add_argument("--activation", default="relu", help="(default relu)")
    parser.add_argument("--optimizer", default="momentum", help="momentum or l-bfgs (default momentum)")
    parser.add_argument("--job-batch", type=int, help="with gradients: a job for each batch of N rows")
    parser.add_argument("--partitions", type=int, help="(default: one for each core)")
    parser.add_argument("--times", type=int, default=1, help="how often each row is there (default 1)")
    return parser


if __name__ == "__main__":
    contract.run(PEER, ("pyspark", "numpy"), options(), main)
