"""What each section of the side-by-side benchmark runs: contestants, settings and repeats, in turns.

standard     all contestants, one network: gives the tables of speed, phases, loading and memory
accuracy     several seeds, until the highest accuracy is reached
rows, hidden, partitions     one setting grows

Of each process's epochs the later half counts: a JVM is still compiling in its first twenty jobs.

Repeats are the outermost loop (A B C, A B C, ...), so that a slow hour of the machine falls on all alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from contestants import ACCURACY, HIDDEN, PARTITIONS, ROWS, STANDARD, Contestant

# What can be asked for, and the runs that it comes from.
SECTIONS = {
    "speed": STANDARD,
    "accuracy": ACCURACY,
    "loading": STANDARD,
    "rows": ROWS,
    "hidden": HIDDEN,
    "partitions": PARTITIONS,
    "memory": STANDARD,
}
LEVELS = (0.95, 0.97, 0.98)
GROWING, LONG = (
    30,
    8,
)  # epochs where a setting grows; where rows are there so often that a few warm up as well
FEW_TIMES = 3  # up to so often, an epoch is short
SLOW_STEPS = 15  # iterations of the longer of two fits whose difference is timed
# How a setting is told to the peers.
OPTION = {ROWS: "--times", HIDDEN: "--hidden", PARTITIONS: "--partitions"}


class Turn(NamedTuple):
    """One process to run."""

    contestant: Contestant
    setting: dict[str, int]
    repeat: int
    words: list[str]


def turns(section: str, contestants: tuple[Contestant, ...], args: argparse.Namespace) -> Iterator[Turn]:
    """All processes of a section, in order."""
    mine = [contestant for contestant in contestants if section in contestant.sections]
    if section == ACCURACY:
        yield from accuracy_turns(mine, args)
        return
    grows: list[dict[str, int]] = [{}] if section == STANDARD else growth(section, args)
    repeats = args.repeats if section == STANDARD else args.growth_repeats
    for repeat in range(repeats):
        for setting in grows:
            for contestant in mine:
                words = [
                    *contestant.words,
                    "--seed",
                    str(repeat),
                    "--epochs",
                    str(epochs(contestant, setting, args)),
                ]
                for name, value in setting.items():
                    words += [OPTION[name], str(value)]
                if section == ROWS and contestant.peer == "nn_spark":
                    words += ["--driver-memory", args.rows_driver_memory]
                yield Turn(contestant, setting, repeat, words)


def accuracy_turns(contestants: list[Contestant], args: argparse.Namespace) -> Iterator[Turn]:
    """Every network with every seed."""
    for seed in range(args.seeds):
        for number, units in enumerate(args.accuracy_hidden):
            for contestant in contestants:
                if contestant.slow and number:
                    continue
                words = [*contestant.words, "--seed", str(seed), "--hidden", str(units)]
                words += ["--epochs", str(min(contestant.accuracy_epochs, args.most_epochs))]
                words += ["--until", str(LEVELS[-1])]
                if contestant.peer == "spark_mlp":
                    words += ["--levels", ",".join(map(str, LEVELS[:-1]))]
                yield Turn(contestant, {HIDDEN: units}, seed, words)


def growth(section: str, args: argparse.Namespace) -> list[dict[str, int]]:
    """The values of the setting that grows."""
    values = {ROWS: args.row_times, HIDDEN: args.hidden_units, PARTITIONS: args.partition_counts}
    return [{section: value} for value in values[section]]


def epochs(contestant: Contestant, setting: dict[str, int], args: argparse.Namespace) -> int:
    """How many epochs a run without an accuracy to reach has, where this setting grows or, of {}, none does."""
    growing = LONG if setting.get(ROWS, 1) > FEW_TIMES else GROWING
    standard = SLOW_STEPS if contestant.peer == "spark_mlp" else contestant.epochs
    return min(growing if setting else standard, args.most_epochs)
