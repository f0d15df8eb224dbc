"""What averaging the parameters of many replicas costs in accuracy, and what makes up for it: MNIST, 784-64-10.

    python benchmarks/replicas.py data docs/scaling

trains every case for ten epochs in this process, with the code that the Spark job runs, over the seeds; prints the
medians of the test accuracy and draws those of four cases as replicas.png into the folder. The data are fixed: more
replicas are fewer rows for each. With --only TEXT it runs the cases whose name has the text, and draws nothing. With
--rounds it compares the default outer momentum with one that grows with the number of rounds, on training rows that are
held out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dataclasses

import numpy as np
from line_labels import label_ends
from matplotlib.figure import Figure
from peers import digits

from nn.data.block import Block
from nn.data.local_rdd import LocalRDD
from nn.data.split import Split
from nn.optim.first_order import fresh_slots
from nn.optim.parameter_averaging import ParameterAveraging
from nn.plotting.style import DARK, MIDDLE, QUIET, SECOND, canvas, heading, house_style, save
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

REPLICAS = (2, 8, 32, 128)
EPOCHS, BLOCK = 10, 1024
COMMON: dict[str, Any] = {
    "hidden": "64",
    "activation": "relu",
    "loss": "cross-entropy",
    "scale": "largest",
    "optimizer": "momentum",
    "learning_rate": 0.1,
    "average": "parameters",
    "epochs": EPOCHS,
}
MANY: dict[str, Any] = {"batch_size": 32, "outer_momentum": 0.5}  # the defaults from 16 replicas
CASES: dict[str, dict[str, Any]] = {
    "batches of 64, the default up to 15 replicas": {},
    "outer momentum 0.5": {"outer_momentum": 0.5},
    "outer rate 0.7, momentum 0.9": {"outer_learning_rate": 0.7, "outer_momentum": 0.9},
    "batches of 32": {"batch_size": 32},
    "batches of 32, outer momentum 0.5, the default from 16": MANY,
    "batches of 16, rate 0.05, outer momentum 0.5": {
        "batch_size": 16,
        "learning_rate": 0.05,
        "outer_momentum": 0.5,
    },
    "4 rounds per epoch": {"rounds_per_epoch": 4},
}
LONG_ROUNDS = {f"{count} epochs per round": {"epochs_per_round": count} for count in (2, 5)}
ROUNDS, HELD_OUT = (5, 10, 20, 40), 10_000
SORTED = "batches of 64, rows sorted by class"
FORGETFUL = "velocities dropped each round"  # not an option: what averaging them is worth


class Forgetful(ParameterAveraging):
    """ParameterAveraging whose replicas start every round from rest."""

    def step(self, state, mean):
        """As in ParameterAveraging, with fresh slots for the replicas' rule."""
        state = super().step(state, mean)
        fresh = fresh_slots(self.replica.rule, state.trial)
        return state._replace(slots=state.slots._replace(inner=fresh))


def main() -> None:
    """Run every case, print the table, draw it."""
    parser = argparse.ArgumentParser(description="Accuracy of averaged parameters by number of replicas.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("folder", type=Path, help="where replicas.png is written")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... (default 3)")
    parser.add_argument("--only", default="", metavar="TEXT", help="run the cases whose name has it alone")
    parser.add_argument(
        "--rounds", action="store_true", help="choose the outer momentum by the number of rounds"
    )
    args = parser.parse_args()
    if args.rounds:
        by_rounds(args)
        return
    sets = [digits.read(args.data, part) for part in ("train", "test")]
    accuracies = {}
    print("| case | " + " | ".join(f"{count} replicas" for count in REPLICAS) + " |")
    print("|---" * (len(REPLICAS) + 1) + "|")
    for name, options in {FORGETFUL: {}, **CASES, **LONG_ROUNDS, SORTED: {}}.items():
        if args.only not in name:
            continue
        accuracies[name] = [
            [accuracy(sets, count, seed, options, name) for seed in range(args.seeds)] for count in REPLICAS
        ]
        medians = (statistics.median(each) for each in accuracies[name])
        print(f"| {name} | " + " | ".join(f"{each:.4f}" for each in medians) + " |", flush=True)
    if args.only:
        return
    with house_style():
        save(picture(accuracies, args.seeds), args.folder / "replicas.png")


def by_rounds(args: argparse.Namespace) -> None:
    """Print the accuracy on rows that are held out, with an outer momentum of 0.5 and of min(0.9, 1 - 4 / rounds)."""
    images, labels = digits.read(args.data, "train")
    order = np.random.default_rng(99).permutation(len(labels))
    held_out, kept = np.sort(order[:HELD_OUT]), np.sort(order[HELD_OUT:])
    sets = [(images[rows], labels[rows]) for rows in (kept, held_out)]
    print(
        "| replicas | rounds | outer momentum 0.5 | min(0.9, 1 - 4 / rounds) | which is |\n|--:|--:|--:|--:|--:|"
    )
    for replicas in (32, 128):
        for rounds in ROUNDS:
            grown = round(min(0.9, 1 - 4 / rounds), 3)
            each = [
                statistics.median(
                    accuracy(sets, replicas, seed, {**MANY, "outer_momentum": momentum, "epochs": rounds}, "")
                    for seed in range(args.seeds)
                )
                for momentum in (0.5, grown)
            ]
            print(f"| {replicas} | {rounds} | {each[0]:.4f} | {each[1]:.4f} | {grown} |", flush=True)


def accuracy(sets: list, replicas: int, seed: int, options: dict[str, Any], case: str) -> float:
    """Test accuracy after the last epoch."""
    (inputs, labels), (test_inputs, test_labels) = sets
    recipe = Recipe.of(**{**COMMON, **options}, seed=seed)
    facts = Facts(inputs.shape[1], labels, int(labels.max()) + 1, float(inputs.max()), are_pixels=True)
    run = TrainingRun.of(recipe, facts, Split(len(labels)))
    if case == FORGETFUL:
        run = dataclasses.replace(run, optimizer=Forgetful(**vars(run.optimizer)))
    order = np.argsort(labels, kind="stable") if case == SORTED else np.arange(len(labels))
    blocks = partitions(inputs[order], labels[order], replicas)
    *_, last = run.epochs(LocalBackend(blocks))
    return float(np.mean(run.predictor(last).predict(test_inputs) == test_labels))


def partitions(inputs: np.ndarray, labels: np.ndarray, count: int) -> LocalRDD:
    """Consecutive rows in `count` even partitions, in blocks as the job reads them."""
    whole = Block(np.arange(len(labels)), inputs, labels)
    bounds = [len(labels) * number // count for number in range(count + 1)]
    return LocalRDD(
        [whole.take(slice(at, min(at + BLOCK, end))) for at in range(start, end, BLOCK)]
        for start, end in pairwise(bounds)
    )


def picture(accuracies: dict[str, list[list[float]]], seeds: int) -> Figure:
    """Accuracy over the number of replicas: the medians of the cases in SHOWN, in the bands of all seeds."""
    figure, axes = canvas()
    ends = {}
    for case, (label, color) in SHOWN.items():
        percent = 100 * np.array(accuracies[case])  # (numbers of replicas, seeds)
        middle = np.median(percent, axis=1)
        axes.plot(REPLICAS, middle, color=color, marker="o", linewidth=2)
        axes.fill_between(
            REPLICAS, percent.min(axis=1), percent.max(axis=1), color=color, alpha=0.2, linewidth=0
        )
        ends[label] = (REPLICAS[-1], middle[-1], color)
    axes.set_xscale("log", base=2)
    axes.set_xticks(REPLICAS, [str(count) for count in REPLICAS])
    axes.set_xlabel("replicas that share 60,000 rows")
    axes.set_ylabel("test accuracy after 10 epochs (%)")
    axes.grid(axis="y")
    heading(
        axes,
        "What many replicas cost",
        f"MNIST, 784-64-10, parameters averaged each epoch; medians and ranges of {seeds} seeds",
    )
    figure.draw_without_rendering()  # so that limits and layout are final
    label_ends(axes, ends)
    return figure


# The cases of the picture, with their names in it; the others are in the table alone.
SHOWN = {
    "batches of 32, outer momentum 0.5, the default from 16": ("batches of 32,\nouter momentum 0.5", SECOND),
    "batches of 64, the default up to 15 replicas": ("batches of 64", DARK),
    FORGETFUL: ("batches of 64,\nvelocities dropped", QUIET),
    "outer rate 0.7, momentum 0.9": ("batches of 64,\nouter momentum 0.9", MIDDLE),
}


if __name__ == "__main__":
    main()
