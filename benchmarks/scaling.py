"""A cost model of one epoch: measured on a grid, fitted, checked on other runs, and asked about a cluster.

    python benchmarks/scaling.py data --output benchmarks/results/scaling.json
    python benchmarks/scaling.py --render benchmarks/results/scaling.json
    python benchmarks/scaling.py data --quick

    T = a S + b (P + G)/s + c n / s + e n w / s + f n max(w - m, 0) / s + h C w + i w

    summed flat        S = 1 stage,  G = 0,  C = P                         as nn/spark/aggregate.py decides
    in G groups        S = 2 stages,         C = P / min(G, s) + G         sums that follow one another

One job per epoch, P partitions, s slots, n rows, w parameters, of which m lie in the processor's caches. What a row is
read for and what it costs a step in calls are one term: with batches of a fixed size both grow with the rows alone. The
coefficients are seconds a unit; they and m are fitted to relative errors, none below 0. On a cluster what passes the
busiest links is added, at 10 Gbit/s. What it prints goes into docs/scaling.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import numpy as np
from peers.nn_spark import repeated, source

from nn.data.split import Split
from nn.spark.aggregate import group_count
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

WARM_UP, REPEATS = 8, 8  # epochs
BATCH = 64
ROWS, WIDTH, CLASSES = 60_000, 784, 10
AVERAGES = ("parameters", "gradients")
TALLY = {"parameters": 8, "gradients": 4}  # bytes a parameter: its change and its velocity; its gradient
TERMS = {
    "a": "a stage",
    "b": "a task on its slot",
    "c": "a row: read, drawn, its share of a step's calls",
    "e": "a parameter for a row",
    "f": "a parameter beyond the caches for a row, on top",
    "h": "a parameter summed",
    "i": "a parameter, sent out",
}
READ_AND_COMPUTE, SUM = slice(2, 5), 5  # where these are among the terms
# How many parameters may lie in the caches: the fit takes the best of those between the smallest and the largest
# network that was measured, or infinity. Below the smallest network, every size fits alike with other c, e and f.
CACHE_SIZES = np.geomspace(2e4, 8e5, 60)
# What is asked about: rows, partitions and slots of a cluster, the most partitions, and hidden units.
CLUSTER_ROWS, CLUSTER, MOST, HIDDEN = 1e8, 400, 10_000, (64, 1024)
CORES, BANDWIDTH = 4, 10e9 / 8  # of an executor; bytes a second into and out of each machine


class Case(NamedTuple):
    """One measured setting."""

    average: str
    times: int  # how often each of MNIST's 60,000 rows is there
    hidden: int
    partitions: int
    slots: int
    checks: bool = False  # whether it is held back from the fit


FITTED = [  # times, hidden, partitions, slots
    *((1, hidden, 2, 2) for hidden in (64, 256, 512, 1024)),
    *((times, 64, 2, 2) for times in (3, 10)),
    *((1, 64, partitions, 2) for partitions in (8, 32, 128)),
    *((1, 1024, partitions, 2) for partitions in (16, 64)),
    *((1, hidden, 1, 1) for hidden in (64, 1024)),
    (3, 64, 4, 1),
]
CHECKED = [(3, 256, 4, 2), (1, 512, 8, 2), (5, 64, 16, 2), (1, 128, 64, 2), (2, 768, 4, 1)]
GRID = [Case(average, *each, each in CHECKED) for average in AVERAGES for each in FITTED + CHECKED]
QUICK = [Case(average, times, 8, 2, 2, times == 2) for average in AVERAGES for times in (1, 2)]


# ---- measuring ----


def measure(context: Any, data: str, cases: Sequence[Case]) -> Iterator[tuple[Case, float]]:
    """Seconds per epoch of every case, whatever slots it names."""
    from nn.spark.input import reader
    from nn.spark.storage.filesystem import Storage

    for partitions, times in sorted({(case.partitions, case.times) for case in cases}):
        files = reader.Files.open(context, Storage(context), source(reader, data, "train"), partitions)
        dataset = reader.read(files)
        blocks = repeated(dataset, times)
        for case in cases:
            if (case.partitions, case.times) == (partitions, times):
                yield case, seconds_of(case, blocks, dataset)
        if times > 1:
            blocks.unpersist(blocking=True)
        dataset.cached.unpersist(blocking=True)


def seconds_of(case: Case, blocks: Any, dataset: Any) -> float:
    """The median epoch."""
    from nn.spark.backend import SparkBackend

    how = {"average": "parameters", "batch_size": BATCH} if case.average == "parameters" else {"sample": 1.0}
    common = {"activation": "relu", "loss": "cross-entropy", "optimizer": "momentum", "schedule": "constant"}
    common["scale"] = "largest"
    recipe = Recipe.of(hidden=[case.hidden], learning_rate=0.02, epochs=WARM_UP + REPEATS, **common, **how)
    run = TrainingRun.of(recipe, dataset.facts._replace(partitions=1), Split(dataset.rows * case.times))
    *_, last = run.epochs(SparkBackend(blocks))
    return statistics.median(line.seconds for line in last.history[WARM_UP:])


def measure_here(data: str, slots: int, cases: Sequence[Case]) -> None:
    """Print what the cases with so many slots take, in a Spark that has them."""
    from nn.spark.runtime.session import spark_context

    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--master local[{slots}] --driver-memory 4g pyspark-shell"
    own = [case for case in cases if case.slots == slots]
    with spark_context("scaling") as context:
        list(measure(context, data, own[:1]))  # a JVM is still compiling in its first twenty jobs
        for case, seconds in measure(context, data, own):
            print(json.dumps([*case, seconds]), flush=True)


def measure_all(data: str, quick: bool) -> Iterator[list[Any]]:
    """Every case and its seconds, from a process for each number of slots."""
    for slots in sorted({case.slots for case in cases_of(quick)}):
        command = [sys.executable, __file__, data, "--slots", str(slots), *(["--quick"] if quick else [])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if line.startswith("["):
                    print(line.strip(), file=sys.stderr, flush=True)
                    yield json.loads(line)
        if process.returncode:
            sys.exit(f"measuring with {slots} slots failed")


def medians(lines: Iterable[list[Any]]) -> list[list[Any]]:
    """One line a case, with the median of its seconds."""
    found: dict[Case, list[float]] = {}
    for *case, seconds in lines:
        found.setdefault(Case(*case), []).append(seconds)
    return [[*case, statistics.median(each)] for case, each in found.items()]


def cases_of(quick: bool) -> list[Case]:
    """What is measured."""
    return QUICK if quick else GRID


# ---- the model ----


def parameters(hidden: int) -> int:
    """How many a network with so many hidden units has."""
    return (WIDTH + 1) * hidden + (hidden + 1) * CLASSES


def groups_of(average: str, w: int, partitions: int) -> int:
    """How many groups an epoch's sums are summed in; 0: flat."""
    return group_count(partitions, TALLY[average] * w)


def terms_of(average: str, rows: float, w: int, partitions: int, slots: int, in_caches: float) -> np.ndarray:
    """What each coefficient is multiplied by, (7,); `in_caches` parameters lie in the caches."""
    groups = groups_of(average, w, partitions)
    stages, chain = (2, partitions / min(groups, slots) + groups) if groups else (1, partitions)
    computing = [rows / slots, rows * w / slots, rows * max(w - in_caches, 0.0) / slots]
    return np.array([stages, (partitions + groups) / slots, *computing, chain * w, w])


class Model(NamedTuple):
    """What a fit came to."""

    coefficients: np.ndarray  # (7,)
    in_caches: float  # parameters that lie in the caches

    def parts(self, average: str, rows: float, w: int, partitions: int, slots: int) -> np.ndarray:
        """Seconds by term, (7,)."""
        return self.coefficients * terms_of(average, rows, w, partitions, slots, self.in_caches)

    def seconds(self, case: Case) -> float:
        """What a case takes."""
        w = parameters(case.hidden)
        return float(self.parts(case.average, ROWS * case.times, w, case.partitions, case.slots).sum())


def fitted(measured: Sequence[tuple[Case, float]]) -> Model:
    """The model with the least squares of relative errors."""
    weights = [parameters(case.hidden) for case, _ in measured]
    sizes = [math.inf, *(size for size in CACHE_SIZES if min(weights) < size < max(weights))]
    models = [Model(coefficients_of(measured, size), size) for size in sizes]

    def error(model: Model) -> float:
        return sum((model.seconds(case) / seconds - 1) ** 2 for case, seconds in measured)

    return min(models, key=error)


def coefficients_of(measured: Sequence[tuple[Case, float]], in_caches: float) -> np.ndarray:
    """Coefficients of least squares of relative errors; what would be below 0 is 0, one after the other."""
    numbers = [
        (case.average, ROWS * case.times, parameters(case.hidden), case.partitions, case.slots)
        for case, _ in measured
    ]
    seconds = np.array([seconds for _, seconds in measured])
    relative = np.array([terms_of(*each, in_caches) for each in numbers]) / seconds[:, None]
    coefficients = np.zeros(relative.shape[1])
    used = [term for term in range(len(coefficients)) if relative[:, term].any()]
    while used:
        scale = np.abs(relative[:, used]).max(axis=0)
        found = np.linalg.lstsq(relative[:, used] / scale, np.ones(len(relative)), rcond=None)[0]
        if (found >= 0).all():
            coefficients[used] = found / scale
            break
        used.pop(int(np.argmin(found)))
    return coefficients


def network(average: str, w: int, partitions: int) -> float:
    """Seconds on the busiest links, a slot a partition: sums to where they are added up, parameters out and on.

    It is worked out, not measured: on one machine there is no network.
    """
    groups, executors = groups_of(average, w, partitions), max(1, partitions // CORES)
    sums = partitions / groups * math.ceil(groups / executors) + groups if groups else partitions
    return (sums + 2) * TALLY[average] * w / BANDWIDTH


def overtaken(model: Model, average: str, w: int) -> int | None:
    """The fewest partitions, a slot each, for which sum and network take longer than reading and computing."""
    for partitions in range(1, MOST + 1):
        parts = model.parts(average, CLUSTER_ROWS, w, partitions, partitions)
        if parts[SUM] + network(average, w, partitions) > parts[READ_AND_COMPUTE].sum():
            return partitions
    return None


# ---- the report ----


def report(measured: Sequence[tuple[Case, float]]) -> None:
    """Print what the models say of a cluster, their coefficients and their errors: the tables of docs/scaling.md."""
    models = {
        average: fitted([each for each in measured if each[0].average == average and not each[0].checks])
        for average in AVERAGES
    }
    report_cluster(models)
    report_coefficients(models)
    for name, checks in (("held back", True), ("fitted", False)):
        print(f"\nSettings that were {name}:\n")
        shown = [each for each in measured if each[0].checks == checks]
        report_errors(sorted(shown, key=lambda each: AVERAGES.index(each[0].average)), models)


def report_cluster(models: dict[str, Model]) -> None:
    """Print what an epoch of 100 million rows would take, and from where on its sum would be most of it."""
    print("| 100 million rows, 100 executors of 4 cores | read and compute | sum | network | per epoch |")
    print("|---|--:|--:|--:|--:|")
    for (average, model), hidden in itertools.product(models.items(), HIDDEN):
        w = parameters(hidden)
        parts, moved = model.parts(average, CLUSTER_ROWS, w, CLUSTER, CLUSTER), network(average, w, CLUSTER)
        cells = (parts[READ_AND_COMPUTE].sum(), parts[SUM], moved, parts.sum() + moved)
        print(f"| {average}, {network_name(hidden)} | {' | '.join(f'{each:.2f} s' for each in cells)} |")
    print("\nSum and network take longer than read and compute, a slot for each partition:\n")
    for (average, model), hidden in itertools.product(models.items(), HIDDEN):
        first = overtaken(model, average, parameters(hidden))
        where = f"from {first:,} partitions on" if first else f"at no number of partitions up to {MOST:,}"
        print(f"{average}, {network_name(hidden)}: {where}")


def network_name(hidden: int) -> str:
    """As 784-64-10."""
    return f"{WIDTH}-{hidden}-{CLASSES}"


def report_coefficients(models: dict[str, Model]) -> None:
    """Print the coefficients, a column for each kind of average."""
    print(f"\n| | for | {' | '.join(f'{average} averaged' for average in models)} |")
    print("|---|---|--:|--:|")
    for term, (letter, name) in enumerate(TERMS.items()):
        values = [scaled(model.coefficients[term]) for model in models.values()]
        print(f"| {letter} | {name} | {' | '.join(values)} |")
    sizes = [_thousands(model.in_caches) for model in models.values()]
    print(f"| m | parameters in the caches | {' | '.join(sizes)} |")


def _thousands(count: float) -> str:
    return f"{round(count, -3):,.0f}" if math.isfinite(count) else "–"


def scaled(seconds: float) -> str:
    """As 14.3 ms, 0.144 ms, 2.87 ns or –."""
    if not seconds:
        return "–"
    units = {"ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
    name = next((name for name, unit in units.items() if seconds >= 0.1 * unit), "ns")
    return f"{seconds / units[name]:.3g} {name}"


def report_errors(measured: Sequence[tuple[Case, float]], models: dict[str, Model]) -> None:
    """Print each case beside what the model says."""
    print("| averaged | rows | hidden | partitions | slots | measured | model | error |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for case, seconds in measured:
        guess = models[case.average].seconds(case)
        print(
            f"| {case.average} | {ROWS * case.times:,} | {case.hidden} | {case.partitions} | {case.slots} "
            f"| {seconds:.3f} s | {guess:.3f} s | {guess / seconds - 1:+.0%} |"
        )


def main() -> None:
    """Measure in a process for each number of slots, save, report; or report what was saved."""
    parser = argparse.ArgumentParser(description="Fit and check a cost model of one epoch.")
    folder = "folder with the CSV files of generate_data.py"
    parser.add_argument("data", nargs="?", default="data", help=folder)
    parser.add_argument("--output", type=Path, help="where the measurements are saved")
    parser.add_argument("--render", type=Path, help="report these measurements instead of new ones")
    parser.add_argument("--quick", action="store_true", help="a few small cases, to try it out")
    rounds = "how often the whole grid is measured, since a machine's hours differ (default 3)"
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help=rounds)
    parser.add_argument("--slots", type=int, help=argparse.SUPPRESS)  # of a process that measures
    args = parser.parse_args()
    if args.slots:
        measure_here(args.data, args.slots, cases_of(args.quick))
        return
    if args.render:
        lines: list[list[Any]] = json.loads(args.render.read_text())
    else:
        lines = medians(line for _ in range(args.rounds) for line in measure_all(args.data, args.quick))
    if args.output:
        args.output.write_text("[\n" + ",\n".join(map(json.dumps, lines)) + "\n]\n")
    report([(Case(*line[:-1]), line[-1]) for line in lines])


if __name__ == "__main__":
    main()
