"""Time the real job: spark-submit main_task.py with several seeds, and what came out of each run.

    python benchmarks/job.py data --seeds 5 -- --activation tanh

    python benchmarks/job.py data --seeds 1 -- --config recipes/cnn.json

prints a line a run (test accuracy, the lowest precision, recall or F1 of any class, seconds to read, median seconds an
epoch, seconds from submit to last file) and their medians. The folder holds what generate_data.py writes; options
after -- go to main_task.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FILES = [f"mnist_{kind}_{part}.csv" for part in ("train", "test") for kind in ("images", "labels")]
COLUMNS = ("accuracy", "lowest P R F1", "reading", "epoch", "submit to end")


def main() -> None:
    """Run every seed in turn and print the table."""
    args, options = arguments()
    print("seed" + "".join(f"{name:>16}" for name in COLUMNS), flush=True)
    rows = []
    for seed in range(args.seeds):
        rows.append(run(args, [*options, "--seed", str(seed)]))
        print(line(str(seed), rows[-1]), flush=True)
    print(line("median", tuple(map(statistics.median, zip(*rows, strict=True)))))


class Job(NamedTuple):
    """A job that was run."""

    summary: dict[str, Any]  # as in summary.json
    epochs: list[float]  # seconds
    seconds: float  # from submit to end


def run(args: argparse.Namespace, options: list[str]) -> tuple[float, ...]:
    """One job: (test accuracy, lowest score of a class, seconds reading, median seconds per epoch, seconds in all)."""
    job = submitted(args, options)
    test = job.summary["test"]
    return (
        test["accuracy"],
        min(each[score] for each in test["classes"] for score in ("precision", "recall", "f1")),
        job.summary["seconds"]["reading"],
        statistics.median(job.epochs),
        job.seconds,
    )


def submitted(args: argparse.Namespace, options: list[str]) -> Job:
    """Submit a job as `arguments` say; where it fails, what it printed ends the program."""
    settings = [word for setting in args.conf for word in ("--conf", setting)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "spark-submit"),
                *("--master", args.master, "--driver-memory", args.driver_memory, *settings),
                str(ROOT / "main_task.py"),
                *(str(Path(args.data) / name) for name in FILES),
                f"{folder}/output",
                *options,
            ],
            env={**os.environ, "PYSPARK_PYTHON": sys.executable},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            sys.exit(done.stdout)
        summary = json.loads(Path(folder, "output", "summary.json").read_text())
        with open(Path(folder, "output", "history.csv")) as file:
            return Job(summary, [float(row["seconds"]) for row in csv.DictReader(file)], seconds)


def line(name: str, values: tuple[float, ...]) -> str:
    """A row of the table."""
    accuracy, lowest, *seconds = values
    return f"{name:<6}{accuracy:>14.4f}{lowest:>16.4f}" + "".join(f"{value:>14.2f} s" for value in seconds)


def arguments(
    description: str = "Time the real job with several seeds.", seeds: int = 5
) -> tuple[argparse.Namespace, list[str]]:
    """The options before -- and the words after it."""
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--seeds", type=int, default=seeds, help=f"seeds 0, 1, ... (default {seeds})")
    parser.add_argument("--master", default="local[2]", help="(default local[2])")
    parser.add_argument("--driver-memory", default="2g", help="(default 2g)")
    parser.add_argument("--conf", action="append", default=[], metavar="KEY=VALUE", help="a Spark setting")
    return parser.parse_args(words[:at]), words[at + 1 :]


if __name__ == "__main__":
    main()
