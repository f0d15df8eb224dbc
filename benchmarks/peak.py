"""How much of the cores' peak arithmetic training reaches: its floating-point operations a second over a product's.

    python benchmarks/peak.py data

    a row          2 (3 w - w_1) operations: forward, weights' gradients, and inputs' gradients but the first layer's
    share of peak  rows x operations / seconds of an epoch / what products of 2048 x 2048 float32 matrices reach

w weights without biases, w_1 those of the first layer; a multiplication and an addition are two. The peak is measured
before and after each run, in as many processes at the same time as cores, one BLAS thread each. Prints a Markdown
table of this project on local Spark and of the NumPy limit; of each run's epochs the later half counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers import contract

os.environ.update(dict.fromkeys(contract.BLAS_THREADS, "1"))  # before NumPy loads, here and in the processes

import numpy as np
import runs
import tables
from launch import Launcher
from peers import digits

SIZE, SECONDS, PATIENCE = 2048, 5.0, 60.0  # of a matrix, of a measurement; until all processes are up
RUNS = {
    "this project, parameters averaged": ("nn_spark", "parameters"),
    "this project, one step from all rows": ("nn_spark", "gradients"),
    "NumPy limit, parameters averaged": ("numpy_limit", "parameters"),
    "NumPy limit, one step from all rows": ("numpy_limit", "gradients"),
}


def main() -> None:
    """Measure in turns, print."""
    args = arguments()
    rows = len(digits.read_labels(args.data, "train"))
    widths = (digits.read_images(args.data, "train", 0, 1).size, *args.hidden, contract.CLASSES)
    peaks, lines = [peak(args.cores)], []
    for name, (peer, average) in RUNS.items():
        seconds = epoch(args, peer, average)
        peaks.append(peak(args.cores))
        speed = rows * operations(widths) / seconds / 1e9
        share = speed / statistics.mean(peaks[-2:])
        lines.append([name, tables.seconds(seconds), f"{speed:.1f}", f"{share:.0%}"])
        print(f"{name}: {seconds:.3f} s per epoch", file=sys.stderr, flush=True)
    print(tables.markdown(["-".join(map(str, widths)), "per epoch", "GFLOP/s", "share of peak"], lines))
    print(f"\nPeak, {args.cores} processes: {', '.join(f'{each:.1f}' for each in peaks)} GFLOP/s.")


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description="How much of the peak arithmetic training reaches.")
    add = parser.add_argument
    add("data", nargs="?", default="data", help="folder with the CSV files of generate_data.py")
    add("--hidden", type=contract.sizes, default=(1024, 1024), help="units (default 1024,1024)")
    add("--batch-size", type=int, default=512, help="of averaged parameters (default 512)")
    add("--epochs", type=int, default=6, help="of a run (default 6)")
    add("--cores", type=int, default=contract.cores(), help="(default: those of this machine)")
    return parser.parse_args()


# ---- arithmetic ----


def operations(widths: Sequence[int]) -> int:
    """Floating-point operations that training takes for a row, of a perceptron with these widths."""
    weights = [fan_in * units for fan_in, units in pairwise(widths)]
    return 2 * (3 * sum(weights) - weights[0])


# ---- runs ----


def epoch(args: argparse.Namespace, peer: str, average: str) -> float:
    """Seconds per epoch of a peer; it ends the program where the peer cannot run."""
    words = ["--data", str(Path(args.data).resolve()), "--cores", str(args.cores), "--average", average]
    words += ["--hidden", ",".join(map(str, args.hidden)), "--batch-size", str(args.batch_size)]
    reply = Launcher().run(peer, [*words, "--epochs", str(args.epochs), "--driver-memory", "4g"])
    if reply.answer is None:
        sys.exit(f"{peer}: {reply.why}")
    return runs.epoch_seconds(reply.answer)


# ---- the peak ----


def peak(processes: int, size: int = SIZE, seconds: float = SECONDS) -> float:
    """GFLOP/s of matrix products in so many processes at the same time: the sum of their medians."""
    spawn = get_context("spawn")  # so that each loads NumPy, and its BLAS, with one thread
    barrier = spawn.Barrier(processes)
    with ProcessPoolExecutor(processes, spawn, initializer=_begin_at, initargs=(barrier,)) as pool:
        return sum(pool.map(products, [size] * processes, [seconds] * processes))


_barrier: Any = None  # of a process: where it waits for the others


def _begin_at(barrier: Any) -> None:
    global _barrier
    _barrier = barrier


def products(size: int, seconds: float) -> float:
    """The median GFLOP/s of products that begin within so many seconds; the first warms up."""
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal((size, size), np.float32) for _ in range(3))
    np.matmul(a, b, out=c)
    if _barrier is not None:
        _barrier.wait(PATIENCE)
    took: list[float] = []
    end = time.perf_counter() + seconds
    while not took or time.perf_counter() < end:
        began = time.perf_counter()
        np.matmul(a, b, out=c)
        took.append(time.perf_counter() - began)
    return 2 * size**3 / statistics.median(took) / 1e9


if __name__ == "__main__":
    main()
