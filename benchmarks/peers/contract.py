"""What every peer is asked and what it answers: common options in, one JSON object as the last line out.

    {"peer": name, "versions": {package: version}, "load": seconds or null,
     "epochs": [{"seconds": of training alone, "accuracy": of the test rows after it, ...}],
     "memory": {"driver_jvm": MB, "python": MB, "workers": MB, "worker": MB}, "note": what else to know}

The seconds of loading end when the training and test rows are where training wants them. An epoch that did not start
where the one before it ended says `from_start`, seconds of training since the start values, and `iterations`, how many
they were. A peer that cannot run here answers {"peer": name, "skipped": why, "missing": whether it lacks something,
whatever the options}.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

CLASSES = 10
INSTALL = "pip install -r requirements-bench.txt"
BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Skipped(Exception):
    """A peer cannot do here what it is asked."""


class Missing(Skipped):
    """A peer cannot run here at all: what it lacks, and how to get it."""


@dataclass
class Answer:
    """What a peer measured."""

    peer: str
    versions: dict[str, str]
    load: float | None = None
    epochs: list[dict[str, Any]] = field(default_factory=list)
    memory: dict[str, float | None] = field(default_factory=dict)
    note: str = ""


def options(description: str) -> argparse.ArgumentParser:
    """The options that every peer takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="folder with the CSV files of generate_data.py")
    parser.add_argument("--hidden", type=sizes, default=(64,), help="units, as 64 or 1024,1024 (default 64)")
    parser.add_argument("--epochs", type=int, default=4, help="at most (default 4)")
    parser.add_argument("--until", type=float, help="stop after the first epoch with this test accuracy")
    parser.add_argument("--seed", type=int, default=0, help="(default 0)")
    parser.add_argument("--batch-size", type=int, default=64, help="rows of a mini-batch (default 64)")
    parser.add_argument("--learning-rate", type=float, default=0.1, help="(default 0.1)")
    parser.add_argument("--momentum", type=float, default=0.9, help="(default 0.9)")
    parser.add_argument("--cores", type=int, default=cores(), help="(default: those of this machine)")
    parser.add_argument("--driver-memory", default="2g", help="of a peer's Spark (default 2g)")
    return parser


def add_average(parser: argparse.ArgumentParser) -> None:
    """The option of the peers that can take both kinds of step."""
    parser.add_argument(
        "--average",
        choices=("parameters", "gradients"),
        default="parameters",
        help="parameters: mini-batches in each part of the rows, whose parameters are averaged after each epoch; "
        "gradients: one step per epoch, from all rows (default parameters)",
    )


def sizes(word: str) -> tuple[int, ...]:
    """'1024,1024' -> (1024, 1024)."""
    return tuple(int(part) for part in word.split(","))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def epochs(
    args: argparse.Namespace,
    train: Callable[[], dict[str, Any] | None],
    accuracy: Callable[[], float],
) -> list[dict[str, Any]]:
    """Train for the epochs asked for, measuring the test rows after each, outside its time.

    What `train` gives beside training goes into the epoch's line; StopIteration from it ends the training.
    """
    lines: list[dict[str, Any]] = []
    for _ in range(args.epochs):
        began = time.perf_counter()
        try:
            details = train()
        except StopIteration:
            break
        seconds = time.perf_counter() - began
        lines.append({"seconds": seconds, "accuracy": float(accuracy()), **(details or {})})
        if args.until is not None and lines[-1]["accuracy"] >= args.until:
            break
    return lines


@contextmanager
def standard_output_kept() -> Iterator[None]:
    """What is printed inside, by libraries and child processes too, goes to stderr: the last line is the answer's."""
    sys.stdout.flush()
    saved_stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved_stdout, 1)
        os.close(saved_stdout)


def run(
    peer: str,
    needs: Sequence[str],
    parser: argparse.ArgumentParser,
    main: Callable[[argparse.Namespace], Answer],
) -> None:
    """Measure what is asked and print the answer; or why not, as where one of the modules it `needs` is not there."""
    args = parser.parse_args()
    try:
        for name in needs:
            if importlib.util.find_spec(name) is None:
                raise Missing(f"no module {name} in its Python: {INSTALL}")
        with standard_output_kept():
            answer = asdict(main(args))
    except Skipped as why:
        answer = {"peer": peer, "skipped": str(why), "missing": isinstance(why, Missing)}
    print(json.dumps(answer), flush=True)


def versions(*packages: str) -> dict[str, str]:
    """Python's version and those of installed packages, by the names that pip knows."""
    installed = {"python": platform.python_version()}
    return installed | {package: importlib.metadata.version(package) for package in packages}
