"""A cost model of one epoch: measured on a grid, fitted, checked on other runs, and asked about a cluster.

    python benchmarks/scaling.py data --output benchmarks/results/scaling.json
    python benchmarks/scaling.py --render benchmarks/results/scaling.json

    T = J (a + b P/s) + c n d / s + e n w / s + f k / s + g k w / s + h J P w + i J w

J jobs, P partitions, s slots, n rows of d bytes, w parameters, k steps of replicas, or blocks whose gradients are added
up. The coefficients are seconds a unit; they are fitted to relative errors, none below 0. What it prints goes into
docs/scaling.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

import numpy as np

from nn.recipe import Recipe
from nn.records import Progress
from nn.training import train

WARM_UP, REPEATS = 3, 5  # epochs
BATCH, BLOCK = 64, 1024
TERMS = {
    "a": "a job",
    "b": "a task on its slot",
    "c": "a byte of a row read",
    "e": "a parameter for a row",
    "f": "a step or block",
    "g": "a parameter for a step or block",
    "h": "a parameter of a partition, summed",
    "i": "a parameter, sent out",
}


class Case(NamedTuple):
    """One measured setting."""

    average: str
    times: int  # how often each of MNIST's 60,000 rows is there
    hidden: int
    partitions: int
    slots: int
    checks: bool = False  # whether it is held back from the fit


def grid() -> list[Case]:
    """The runs to fit to, and those to check on."""
    cases = []
    for average in ("parameters", "gradients"):
        fitted = [
            (1, 64, 2, 2),
            (1, 256, 2, 2),
            (1, 1024, 2, 2),
            (3, 64, 2, 2),
            (10, 64, 2, 2),
            (1, 64, 8, 2),
        ]
        fitted += [
            (1, 64, 32, 2),
            (1, 64, 128, 2),
            (1, 1024, 16, 2),
            (1, 1024, 64, 2),
            (1, 64, 1, 1),
            (1, 1024, 1, 1),
        ]
        fitted += [(3, 64, 4, 1)]
        checked = [(3, 256, 4, 2), (1, 512, 8, 2), (5, 64, 16, 2), (1, 128, 64, 2), (2, 768, 4, 1)]
        cases += [Case(average, *each) for each in fitted]
        cases += [Case(average, *each, checks=True) for each in checked]
    return cases


# ---- measuring ----


def measure(data: str, slots: int) -> Iterator[tuple[Case, float]]:
    """Seconds an epoch of every case with so many slots, in one Spark."""
    from peers.nn_spark import repeated, source

    from nn.spark import reading
    from nn.spark.session import spark_context
    from nn.spark.storage import Storage

    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--master local[{slots}] --driver-memory 4g pyspark-shell"
    cases = [case for case in grid() if case.slots == slots]
    with spark_context("scaling") as context:
        for partitions, times in sorted({(case.partitions, case.times) for case in cases}):
            files = reading.Files.open(context, Storage(context), source(reading, data, "train"), partitions)
            dataset = reading.read(files)
            blocks = repeated(dataset.blocks, times, dataset.rows)
            for case in cases:
                if (case.partitions, case.times) == (partitions, times):
                    yield case, seconds_of(case, blocks, dataset)
            if times > 1:
                blocks.unpersist(blocking=True)
            dataset.cached.unpersist(blocking=True)


def seconds_of(case: Case, blocks: Any, dataset: Any) -> float:
    """The median epoch."""
    from nn.spark.training import descend_on, measure_on

    how = {"average": "parameters", "batch_size": BATCH} if case.average == "parameters" else {"sample": 1.0}
    common = {"activation": "relu", "loss": "cross-entropy", "optimizer": "momentum", "schedule": "constant"}
    recipe = Recipe.of(hidden=[case.hidden], learning_rate=0.02, epochs=WARM_UP + REPEATS, **common, **how)
    model = recipe.model(dataset.width, dataset.classes, dataset.largest)
    plan = recipe.plan(dataset.rows * case.times)
    optimizer = recipe.optimizer_for(plan)
    start = Progress(optimizer.init(model.init(0)))
    *_, last = train(measure_on(blocks, model), optimizer, plan, start, descend_on(blocks, model))
    return statistics.median(line.seconds for line in last.history[WARM_UP:])


# ---- the model ----


def terms(case: Case, rows: float, width: int = 784, classes: int = 10) -> np.ndarray:
    """What each coefficient is multiplied by, (8,)."""
    w = (width + 1) * case.hidden + (case.hidden + 1) * classes
    return terms_of(
        rows, width, w, case.partitions, case.slots, BATCH if case.average == "parameters" else BLOCK
    )


def terms_of(rows: float, width: float, w: float, partitions: float, slots: float, step: float) -> np.ndarray:
    """The same from numbers: one job an epoch, `step` rows a step or block."""
    k = rows / step
    return np.array(
        [
            1,
            partitions / slots,
            rows * width / slots,
            rows * w / slots,
            k / slots,
            k * w / slots,
            partitions * w,
            w,
        ]
    )


def fitted(cases: list[tuple[Case, float]]) -> np.ndarray:
    """Coefficients of least squares of relative errors; what would be below 0 is 0, one after the other."""
    X = np.array([terms(case, 60_000 * case.times) for case, _ in cases])
    y = np.array([seconds for _, seconds in cases])
    relative = X / y[:, None]
    used = list(range(X.shape[1]))
    while True:
        scale = np.abs(relative[:, used]).max(axis=0)
        found = np.linalg.lstsq(relative[:, used] / scale, np.ones(len(y)), rcond=None)[0] / scale
        if (found >= 0).all():
            break
        used.pop(int(np.argmin(found * scale)))
    coefficients = np.zeros(X.shape[1])
    coefficients[used] = found
    return coefficients


def report(measured: list[tuple[Case, float]]) -> None:
    """Print coefficients, errors and what the model says of a cluster."""
    for average in ("parameters", "gradients"):
        own = [(case, seconds) for case, seconds in measured if case.average == average]
        coefficients = fitted([each for each in own if not each[0].checks])
        print(f"\n{average} averaged\n\n| | for | coefficient |\n|---|---|---|")
        for (letter, name), value in zip(TERMS.items(), coefficients, strict=True):
            print(f"| {letter} | {name} | {value * 1e9:.4g} ns |")
        print(
            "\n| rows | hidden | partitions | slots | measured | model | error | |\n|---|---|---|---|---|---|---|---|"
        )
        for case, seconds in own:
            guess = float(coefficients @ terms(case, 60_000 * case.times))
            print(
                f"| {60_000 * case.times:,} | {case.hidden} | {case.partitions} | {case.slots} | {seconds:.3f} s "
                f"| {guess:.3f} s | {guess / seconds - 1:+.0%} | {'checked' if case.checks else ''} |"
            )
        print(
            "\n| 100 million rows, 100 executors of 4 cores | read and compute | sum, flat | everything |"
            "\n|---|---|---|---|"
        )
        for hidden in (64, 1024):
            w = 785 * hidden + (hidden + 1) * 10
            parts = coefficients * terms_of(
                1e8, 784, w, 400, 400, BATCH if average == "parameters" else BLOCK
            )
            print(f"| 784-{hidden}-10 | {parts[2:6].sum():.2f} s | {parts[6]:.2f} s | {parts.sum():.2f} s |")


def main() -> None:
    """Measure in a process for each number of slots, save, report; or report what was saved."""
    parser = argparse.ArgumentParser(description="Fit and check a cost model of one epoch.")
    parser.add_argument(
        "data", nargs="?", default="data", help="folder with the CSV files of generate_data.py"
    )
    parser.add_argument("--output", type=Path, help="where the measurements are saved")
    parser.add_argument("--render", type=Path, help="report these measurements instead of new ones")
    parser.add_argument("--slots", type=int, help=argparse.SUPPRESS)  # of a process that measures
    asked = parser.parse_args()
    if asked.slots:
        for case, seconds in measure(asked.data, asked.slots):
            print(json.dumps([*case, seconds]), flush=True)
        return
    lines: list[list[Any]] = (
        json.loads(asked.render.read_text()) if asked.render else list(all_lines(asked.data))
    )
    if asked.output:
        asked.output.write_text("[\n" + ",\n".join(map(json.dumps, lines)) + "\n]\n")
    report([(Case(*line[:-1]), line[-1]) for line in lines])


def all_lines(data: str) -> Iterator[list[Any]]:
    """Every case and its seconds."""
    for slots in sorted({case.slots for case in grid()}):
        command = [sys.executable, __file__, data, "--slots", str(slots)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                if line.startswith("["):
                    print(line.strip(), file=sys.stderr, flush=True)
                    yield json.loads(line)
        if process.returncode:
            sys.exit(f"measuring with {slots} slots failed")


if __name__ == "__main__":
    main()
