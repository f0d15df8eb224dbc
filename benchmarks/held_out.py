"""Accuracy of a recipe on training rows of MNIST held out, to choose its options by. Test rows are not read.

    OPENBLAS_NUM_THREADS=1 python benchmarks/held_out.py data --config recipes/mlp.json
    OPENBLAS_NUM_THREADS=1 python benchmarks/held_out.py data --config recipes/mlp.json epochs=45 learning_rate=0.002

holds out 10,000 of the training rows, which --seed chooses, trains on the others without Spark, as two replicas where
parameters are averaged, and prints the accuracy on the rows held out every five epochs. KEY=VALUE replaces a key of the
recipe. One process on one core; the replicas run one after the other.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from peers import digits

from nn.core.options import options_of
from nn.data.block import Block
from nn.data.local_rdd import LocalRDD
from nn.training.local import LocalBackend
from nn.training.local_rows import rows_of
from nn.training.recipe import Recipe, read_value
from nn.training.run import TrainingRun

HELD_OUT, BLOCK, EVERY = 10_000, 1024, 5  # rows, rows, epochs


def main() -> None:
    """Train, and print a line every few epochs."""
    parser = argparse.ArgumentParser(description="Accuracy of a recipe on training rows held out.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--config", required=True, help="the recipe")
    parser.add_argument("--replicas", type=int, default=2, help="(default 2)")
    parser.add_argument("--seed", type=int, default=0, help="(default 0)")
    parser.add_argument("values", nargs="*", metavar="KEY=VALUE", help="keys of the recipe to replace")
    args = parser.parse_intermixed_args()
    recipe = recipe_of(args.config, args.values, args.seed)
    images, labels = digits.read(args.data, "train")
    order = np.random.default_rng(100 + args.seed).permutation(len(images))
    learned, held_out = order[:-HELD_OUT], order[-HELD_OUT:]
    rows = rows_of(images[learned], labels[learned], None, recipe, None)
    backend = LocalBackend(partitions_of(rows, args.replicas))
    run, began = TrainingRun.on(recipe, rows.facts, backend, None), time.perf_counter()
    for progress in run.epochs(backend):
        epoch = progress.history[-1]
        if epoch.epoch % EVERY == 0 or epoch.epoch == recipe.epochs:
            right = run.predictor(progress).predict(images[held_out]) == labels[held_out]
            seconds = time.perf_counter() - began
            print(
                f"epoch {epoch.epoch}: held out {right.mean():.4f}, training {epoch.accuracy:.4f}, {seconds:.0f} s"
            )


def recipe_of(path: str, values: list[str], seed: int) -> Recipe:
    """Return the recipe in a file with the seed, and with some keys replaced."""
    fields = options_of(Recipe)
    replaced: dict[str, Any] = {"seed": seed}
    for value in values:
        key, _, word = value.partition("=")
        if key not in fields:
            sys.exit(f"held_out.py: error: a recipe has no key {key!r}")
        replaced[key] = read_value(fields[key], json.loads(word) if word[:1].isdigit() else word)
    return dataclasses.replace(Recipe.read(path), **replaced)


def partitions_of(rows: Any, count: int) -> LocalRDD:
    """Divide rows into partitions of blocks, as a file's are."""
    block = Block(np.arange(len(rows.inputs)), rows.inputs, rows.facts.labels, rows.weights)
    bounds = [len(rows.inputs) * number // count for number in range(count + 1)]
    return LocalRDD(
        [
            [block.take(slice(start, min(start + BLOCK, end))) for start in range(begin, end, BLOCK)]
            for begin, end in itertools.pairwise(bounds)
        ]
    )


if __name__ == "__main__":
    main()
