"""The options of benchmarks/bench.py."""

from __future__ import annotations

import argparse
import ctypes.util
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import contestants
import sections
from launch import ROOT, Launcher
from peers import contract

from nn.core.errors import UsageError

DOCUMENT, RESULTS = ROOT / "docs" / "benchmarks.md", ROOT / "benchmarks" / "results"
# What --quick does with those options.
QUICK = {
    "repeats": 1,
    "growth_repeats": 1,
    "seeds": 1,
    "most_epochs": 2,
    "row_times": [1, 2],
    "hidden_units": [8, 16],
    "partition_counts": [2, 4],
    "accuracy_hidden": [16],
}


def parse(words: list[str]) -> argparse.Namespace:
    """The options; UsageError for what does not go together."""
    parser = argparse.ArgumentParser(
        prog="bench.py",
        description="Measure this project beside its peers.",
        epilog=f"sections: {', '.join(sections.SECTIONS)}",
    )
    add_what(parser)
    add_how_much(parser)
    add_where(parser)
    return completed(parser.parse_args(words), words)


def add_what(parser: argparse.ArgumentParser) -> None:
    """Options of what is measured, and with what."""
    add = parser.add_argument
    add("data", nargs="?", default="data", help="folder with the CSV files of generate_data.py")
    add("--only", type=listed, default=list(sections.SECTIONS), help="sections, as speed,accuracy")
    peers = "as numpy_limit,nn_spark (default: all); saved results and documents stay as they are unless told"
    add("--peers", metavar="NAME,NAME", help=peers)
    python = "the Python with torch, scikit-learn and pyspark (default: this one)"
    add("--peers-python", default=sys.executable, metavar="PATH", help=python)
    blas = "for Spark's own classifier (default: what the system has)"
    add("--native-blas", default=native_blas(), metavar="LIBRARY", help=blas)
    add("--cores", type=int, default=contract.cores(), help="(default: those of this machine)")
    memory = "of this project's Spark as rows grow (default 8g)"
    add("--rows-driver-memory", default="8g", metavar="SIZE", help=memory)
    add("--timeout", type=float, default=7200, metavar="SECONDS", help="of one process (default 7200)")


def add_how_much(parser: argparse.ArgumentParser) -> None:
    """Options of how often, and over which values."""
    counts: dict[str, tuple[int, str]] = {
        "--repeats": (3, "processes of each contestant"),
        "--growth-repeats": (1, "the same, where a setting grows"),
        "--seeds": (5, "of the time to accuracy"),
        "--most-epochs": (1000, "a bound on every run's epochs"),
    }
    for name, (default, help) in counts.items():
        parser.add_argument(name, type=int, default=default, metavar="N", help=f"{help} (default {default})")
    lists: dict[str, tuple[list[int], str]] = {
        "--accuracy-hidden": ([64, 256], "hidden units in the time to accuracy"),
        "--row-times": ([1, 3, 10, 30, 100], "times that rows are there, as they grow"),
        "--hidden-units": ([64, 128, 256, 512, 1024, 2048], "hidden units, as they grow"),
        "--partition-counts": ([2, 4, 8, 16, 32, 64, 128, 256], "partitions, as they grow"),
    }
    for name, (values, help) in lists.items():
        text = ",".join(map(str, values))
        parser.add_argument(
            name, type=numbers, default=values, metavar="N,N", help=f"{help} (default {text})"
        )


def add_where(parser: argparse.ArgumentParser) -> None:
    """Options of what is written."""
    add = parser.add_argument
    results = "of what is measured (default benchmarks/results; with --quick or --peers a temporary one)"
    add("--results", type=Path, metavar="FOLDER", help=results)
    document = (
        "where tables go, and pictures beside it (default docs/benchmarks.md; with --quick or --peers none)"
    )
    add("--document", type=Path, metavar="FILE", help=document)
    quick = "a few rows and epochs, to try it out; writes no document unless told"
    add("--quick", action="store_true", help=quick)
    render = "measure nothing: write tables and pictures of what was saved"
    add("--render", action="store_true", help=render)
    add("--debug", action="store_true", help="show all of an error that nobody foresaw")


def completed(args: argparse.Namespace, words: list[str]) -> argparse.Namespace:
    """The options with what follows from them."""
    try:
        args.contestants = contestants.named(args.peers)
    except ValueError as error:
        raise UsageError(f"--peers: {error}") from None
    if shutil.which(args.peers_python) is None:
        raise UsageError(f"--peers-python: expected a Python, found {args.peers_python}")
    if args.quick:
        for name, value in QUICK.items():
            setattr(args, name, value)
    partial = args.quick or (args.peers and not args.render)  # a section's file holds all who take part
    args.results = args.results or (Path(tempfile.mkdtemp()) if partial else RESULTS)
    args.document = args.document or (None if partial else DOCUMENT)
    args.command = shlex.join(["python", "benchmarks/bench.py", *map(nameless, words)])
    args.launcher = Launcher(peers_python=args.peers_python, seconds=args.timeout)
    return args


def nameless(word: str) -> str:
    """A word of the command line without the machine's own folders, which nobody else has."""
    return re.sub(r"[^=]*/[^=]*", "PATH", word)


def listed(word: str) -> list[str]:
    """'speed,rows' -> those sections."""
    names = word.split(",")
    for name in names:
        if name not in sections.SECTIONS:
            raise argparse.ArgumentTypeError(
                f"expected some of {', '.join(sections.SECTIONS)}, found {name!r}"
            )
    return names


def numbers(word: str) -> list[int]:
    """'64,256' -> [64, 256]."""
    return [int(part) for part in word.split(",")]


def native_blas() -> str | None:
    """The library's name, where the system has one."""
    return ctypes.util.find_library("openblas") or ctypes.util.find_library("blas")
