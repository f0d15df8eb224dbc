"""Train on more rows than fit into memory, and watch the memory of every process: 1, 3 and 6 million drawn digits.

    python benchmarks/large.py SCRATCH --millions 1,3,6 --driver-memory 3g

draws what SCRATCH lacks, 1.8 GB of compact CSV a million, and submits the real job on each number of them, for two
epochs. Prints a Markdown table: seconds to read and an epoch, microseconds a row, and the most that processes held.
Words after -- go to main_task.py. SCRATCH is kept; delete it when done.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from peers import contract, memory

ROOT = Path(__file__).resolve().parents[1]
MILLION, TEST_ROWS, EPOCHS = 1_000_000, 10_000, 2
OPTIONS = ("--hidden", "64", "--activation", "relu", "--loss", "cross-entropy", "--optimizer", "momentum")
HEAD = ("rows", "reading", "per epoch", "reading a row", "a row and epoch", "test accuracy")
PROCESSES = ("driver JVM", "Python driver", "workers together", "largest worker")


def main() -> None:
    """Draw, run, print."""
    args, words = arguments()
    draw(args.scratch, max(args.millions), args.cores)
    lines = [
        ("---", *["--:"] * (len(HEAD) + len(PROCESSES) - 1)),
        *(run(args, n, words) for n in args.millions),
    ]
    print("\n".join("| " + " | ".join(line) + " |" for line in [(*HEAD, *PROCESSES), *lines]))


def arguments() -> tuple[argparse.Namespace, list[str]]:
    """The options before -- and the words after it."""
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description="Train on more rows than fit into memory.")
    parser.add_argument("scratch", type=Path, help="folder for the drawn digits")
    parser.add_argument(
        "--millions", type=contract.sizes, default=(1, 3, 6), metavar="N,N", help="(default 1,3,6)"
    )
    parser.add_argument("--driver-memory", default="3g", help="(default 3g)")
    parser.add_argument(
        "--average", default="parameters", help="parameters or gradients (default parameters)"
    )
    parser.add_argument(
        "--cores", type=int, default=contract.cores(), help="(default: those of this machine)"
    )
    args = parser.parse_args(words[:at])
    if not all(1 <= each <= 10 for each in args.millions):
        parser.error("--millions: expected numbers from 1 to 10")
    return args, words[at + 1 :]


def draw(scratch: Path, millions: int, cores: int) -> None:
    """Draw the millions that are not there yet, each from a seed of its own."""

    def one(seed: int) -> None:
        words = ["--dataset", "synthetic", "--train-rows", str(MILLION), "--test-rows", str(TEST_ROWS)]
        words += ["--seed", str(seed), "--output", str(scratch / str(seed))]
        subprocess.run(
            [sys.executable, ROOT / "generate_data.py", *words], check=True, stdout=subprocess.DEVNULL
        )

    lacking = [seed for seed in range(millions) if not (scratch / str(seed) / "dataset.json").exists()]
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(one, lacking))


def run(args: argparse.Namespace, millions: int, words: list[str]) -> tuple[str, ...]:
    """One job on so many millions: a line of the table."""
    train = [f"{args.scratch}/[0-{millions - 1}]/mnist_{kind}_train.csv" for kind in ("images", "labels")]
    test = [f"{args.scratch}/0/mnist_{kind}_test.csv" for kind in ("images", "labels")]
    how = ["--average", "parameters"] if args.average == "parameters" else []
    if not how and "--batch-size" not in words:
        how = ["--sample", "1"]
    with tempfile.TemporaryDirectory() as folder:
        submit = [str(Path(sys.executable).parent / "spark-submit"), "--master", f"local[{args.cores}]"]
        submit += ["--driver-memory", args.driver_memory, str(ROOT / "main_task.py"), *train, *test]
        submit += [f"{folder}/output", *OPTIONS, *how, "--epochs", str(EPOCHS), *words]
        peaks_of = watched(submit)
        summary = json.loads(Path(folder, "output", "summary.json").read_text())
        with open(Path(folder, "output", "history.csv")) as file:
            epochs = [float(row["seconds"]) for row in csv.DictReader(file)]
    rows, reading, epoch = millions * MILLION, summary["seconds"]["reading"], sum(epochs) / len(epochs)
    cells = [f"{rows:,}", f"{reading:.1f} s", f"{epoch:.1f} s", f"{1e6 * reading / rows:.1f} µs"]
    cells += [f"{1e6 * epoch / rows:.1f} µs", f"{summary['test']['accuracy']:.4f}"]
    return (*cells, *(f"{peaks_of[name]:,.0f} MB" for name in PROCESSES))


def watched(command: list[str]) -> dict[str, float]:
    """Run the job; the most that each kind of process held, MB."""
    peaks: dict[int, tuple[str, float]] = {}
    with tempfile.TemporaryFile("w+") as log:
        process: Any = subprocess.Popen(
            command, stdout=log, stderr=log, env={**os.environ, "PYSPARK_PYTHON": sys.executable}
        )
        while process.poll() is None:
            for pid in [process.pid, *memory.descendants(process.pid)]:
                kind, peak = kind_of(pid), memory.peak(pid)
                if kind and peak:
                    peaks[pid] = (kind, peak)
            time.sleep(0.5)
        if process.returncode:
            log.seek(0)
            sys.exit(log.read())
    workers = [peak for kind, peak in peaks.values() if kind == "worker"]
    peaks_of = {kind: max(peak for each, peak in peaks.values() if each == kind) for kind in PROCESSES[:2]}
    return {
        **peaks_of,
        "workers together": sum(sorted(workers)[-contract.cores() :]),
        "largest worker": max(workers),
    }


def kind_of(pid: int) -> str | None:
    """What a process is, by its command line."""
    try:
        words = (memory.PROC / str(pid) / "cmdline").read_text().split("\0")
    except OSError:
        return None
    if Path(words[0]).name == "java":
        return PROCESSES[0]
    if any(word.endswith(("_task.py", "fit_task")) for word in words):
        return PROCESSES[1]
    return "worker" if "pyspark.daemon" in words else None


if __name__ == "__main__":
    main()
