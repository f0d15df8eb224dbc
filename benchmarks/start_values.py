"""Which optimizer, growth of Bold Driver and initial weights suit steps on all rows: a table of results/README.md.

    python benchmarks/start_values.py data --seeds 10

holds out 10,000 of the training rows of MNIST, trains the default network for 100 epochs on the others, without Spark,
and prints the accuracies on the rows held out; 10 to 20 s for each seed. Test rows are not read.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

import nn
from nn.models import builder

HELD_OUT = 10_000
HEAD = ("optimizer", "schedule", "activation", "gain hidden, output", "median", "lowest", "highest")


class Case(NamedTuple):
    """What differs from the defaults."""

    optimizer: str = "momentum"
    schedule: str = "bold-driver:1.1"
    activation: str = "sigmoid"
    hidden_gain: float = builder.HIDDEN_GAIN["sigmoid"]
    output_gain: float = builder.OUTPUT_GAIN["sigmoid"]


CASES = (
    Case(),
    Case(output_gain=3.0),
    Case(output_gain=1.0),
    Case(hidden_gain=1.0, output_gain=1.0),
    Case(schedule="bold-driver:1.05"),
    Case(schedule="bold-driver:1.15"),
    Case(schedule="bold-driver:1.2"),
    Case("nesterov"),
    Case("nesterov", "bold-driver:1.2"),
    Case("sgd", "bold-driver:1.2"),
    Case("sgd", "bold-driver:1.2", output_gain=3.0),
    Case("sgd", "bold-driver:1.1"),
    Case(activation="tanh", hidden_gain=1.0, output_gain=1.0),
    Case("sgd", "bold-driver:1.2", "tanh", 1.0, 1.0),
)


def main(words: list[str]) -> None:
    """Run every case, and print a line for it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=10)
    args = parser.parse_args(words)
    images, labels = load(args.folder, "train")
    order = np.random.default_rng(12345).permutation(len(labels))
    train, held_out = order[HELD_OUT:], order[:HELD_OUT]
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for case in CASES:
        builder.HIDDEN_GAIN[case.activation] = case.hidden_gain
        builder.OUTPUT_GAIN[case.activation] = case.output_gain
        found = []
        for seed in range(args.seeds):
            fitted = fit(images[train], labels[train], case, seed)
            found.append(float(np.mean(fitted.predict(images[held_out]) == labels[held_out])))
        middle, low, high = statistics.median(found), min(found), max(found)
        gains = f"{case.hidden_gain:g}, {case.output_gain:g}"
        print(f"| {' | '.join(case[:3])} | {gains} | {middle:.4f} | {low:.4f} | {high:.4f} |", flush=True)


def load(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 784) and labels (n,) of compact CSV files."""
    images = np.loadtxt(f"{folder}/mnist_images_{part}.csv", np.uint8, delimiter=",")
    return images, np.loadtxt(f"{folder}/mnist_labels_{part}.csv", np.int64)


def fit(images: np.ndarray, labels: np.ndarray, case: Case, seed: int) -> nn.Classifier:
    """Train the default network, but for the case."""
    recipe = nn.Recipe.of(
        optimizer=case.optimizer, schedule=case.schedule, activation=case.activation, seed=seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.fit(images, labels, recipe).classifier


if __name__ == "__main__":
    main(sys.argv[1:])
