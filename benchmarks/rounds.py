"""What several epochs per round give and cost: time per epoch and test accuracy by --epochs-per-round, on Spark.

    python benchmarks/rounds.py data

MNIST, 784-64-10, parameters averaged, with the defaults for the number of replicas, 20 epochs, local[2]. The settings
take turns, once for each seed, after a warm-up. Prints medians over the seeds, the ratio of the time to that of one
epoch per round turn by turn, and the lowest and highest accuracy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYSPARK_SUBMIT_ARGS"] = "--master local[2] --driver-memory 2g pyspark-shell"

import numpy as np
from peers import digits

from nn.data.split import Split
from nn.spark.backend import SparkBackend
from nn.spark.input import reader
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

EPOCHS, WARM_UP = 20, 40  # the first jobs of a JVM are slower
COMMON: dict[str, Any] = {
    "activation": "relu",
    "loss": "cross-entropy",
    "scale": "largest",
    "optimizer": "momentum",
    "average": "parameters",
}


class End(NamedTuple):
    """A run."""

    seconds: float  # per epoch
    accuracy: float  # on the test set


def main() -> None:
    """Train every setting in turn and print a row for each."""
    parser = argparse.ArgumentParser(description="Time and accuracy by the number of epochs per round.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--replicas", type=int, nargs="+", default=[2, 32], help="(default 2 32)")
    parser.add_argument("--per-round", type=int, nargs="+", default=[1, 2, 5, 10, 20], help="1 first")
    parser.add_argument("--hidden", type=int, default=64, help="units (default 64)")
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, ... (default 5)")
    args = parser.parse_args()
    test = digits.read(args.data, "test")
    print("| replicas | epochs per round | seconds per epoch | ratio | test accuracy | from | to |")
    print("|--:" * 7 + "|")
    with spark_context("rounds") as context:
        for replicas in args.replicas:
            images, labels = (f"{args.data}/mnist_{kind}_train.csv" for kind in ("images", "labels"))
            source = reader.Source("TRAIN", images, labels)
            train = reader.read(reader.Files.open(context, Storage(context), source, replicas))
            trained(train, test, args.hidden, 1, 0, WARM_UP)
            ends = {
                (per_round, seed): trained(train, test, args.hidden, per_round, seed)
                for seed in range(args.seeds)
                for per_round in args.per_round
            }
            for per_round in args.per_round:
                print(row(replicas, per_round, ends, args.per_round[0]), flush=True)
            train.cached.unpersist(blocking=True)


def trained(train: Any, test: tuple, hidden: int, per_round: int, seed: int, epochs: int = EPOCHS) -> End:
    """Train on the rows of a Dataset, and test."""
    recipe = Recipe.of(**COMMON, hidden=hidden, epochs=epochs, epochs_per_round=per_round, seed=seed)
    run = TrainingRun.of(recipe, train.facts, Split(train.rows))
    *_, last = run.epochs(SparkBackend(train.blocks))
    seconds = sum(line.seconds for line in last.history) / epochs
    return End(seconds, float(np.mean(run.predictor(last).predict(test[0]) == test[1])))


def row(replicas: int, per_round: int, ends: dict[tuple[int, int], End], first: int) -> str:
    """A row of the table."""
    own = {seed: end for (number, seed), end in ends.items() if number == per_round}
    ratio = statistics.median(end.seconds / ends[first, seed].seconds for seed, end in own.items())
    accuracies = [end.accuracy for end in own.values()]
    return (
        f"| {replicas} | {per_round} | {statistics.median(end.seconds for end in own.values()):.3f} | {ratio:.2f} | "
        f"{statistics.median(accuracies):.4f} | {min(accuracies):.4f} | {max(accuracies):.4f} |"
    )


if __name__ == "__main__":
    main()
