"""What a Spark job of an epoch costs beside its arithmetic: the driver's calls into the JVM, one by one.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OPENBLAS_NUM_THREADS=1 python benchmarks/calls.py data [--hidden 64]

trains replicas on MNIST, 784-64-10, on local[2], and after a warm-up prints, over --epochs epochs, the median of each
phase of an epoch as history.csv has it, and the mean of each kind of call of py4j: how often it is made in an epoch,
its milliseconds and the bytes that it sends. `collectAndServe` is the job: the JVM plans it, sends two tasks to the
Python workers, and hands their results to the driver. `free` comes when Python collects garbage.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYSPARK_SUBMIT_ARGS"] = "--master local[2] --driver-memory 2g pyspark-shell"

from peers import nn_spark

from nn.spark.input import reader
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage
from nn.training.recipe import Recipe

WARM_UP = 60  # epochs: the JVM compiles what it runs often
PHASES = ("schedule", "read", "compute", "sum", "update")
OBJECTS = {"i": "make", "r": "look up", "m": "free", "a": "array", "f": "field"}  # py4j's commands but calls


class Call(NamedTuple):
    """A command that was sent to the JVM."""

    name: str
    seconds: float
    bytes: int


def main() -> None:
    """Train, watch, print."""
    parser = argparse.ArgumentParser(description="Time the calls of a job.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--hidden", type=int, default=64, help="units (default 64)")
    parser.add_argument("--epochs", type=int, default=40, help="that are watched (default 40)")
    args = parser.parse_args()
    with spark_context("calls") as context:
        train, test = (nn_spark.source(reader, args.data, part) for part in ("train", "test"))
        rows, _ = reader.read_both(context, Storage(context), train, test, 2)
        words: dict[str, Any] = {"loss": "cross-entropy", "average": "parameters", "optimizer": "momentum"}
        words |= {"hidden": [args.hidden], "activation": "relu", "scale": "largest"}
        recipe = Recipe.of(**words, epochs=WARM_UP + args.epochs)
        _, epochs = nn_spark.training(rows.blocks, rows.facts._replace(partitions=1), recipe, rows.rows)
        for _ in range(WARM_UP):
            next(epochs)
        calls = watch()
        for _ in range(args.epochs):
            progress = next(epochs)
        show(progress.history[WARM_UP:], calls)


def watch() -> list[Call]:
    """Note each command that is sent to the JVM from now on."""
    from py4j.clientserver import ClientServerConnection

    calls: list[Call] = []
    send = ClientServerConnection.send_command

    def timed(self: Any, command: str, *rest: Any) -> Any:
        began = time.perf_counter()
        answer = send(self, command, *rest)
        calls.append(Call(name_of(command), time.perf_counter() - began, len(command)))
        return answer

    ClientServerConnection.send_command = timed
    return calls


def name_of(command: str) -> str:
    """Return what a command of py4j's protocol does: its method, or the class that it makes or looks up."""
    kind, *words = command.split("\n")
    if kind == "c":
        return words[1]
    if kind == "i":
        return f"make {words[0].rpartition('.')[2]}"
    return OBJECTS.get(kind, kind)


def show(lines: Any, calls: list[Call]) -> None:
    """Print the table of phases and the table of calls."""
    print("| an epoch | " + " | ".join(PHASES) + " |")
    print("|---" + "|--:" * len(PHASES) + "|")
    values = [[getattr(line, name) or 0.0 for line in lines] for name in ("seconds", *PHASES)]
    print("| " + " | ".join(f"{1000 * statistics.median(each):.1f} ms" for each in values) + " |\n")
    print("| call | in an epoch | ms | bytes |\n|---|--:|--:|--:|")
    rows: list[tuple[str, float, float, float]] = []
    for name in {call.name for call in calls}:
        mine = [call for call in calls if call.name == name]
        seconds, sent = sum(call.seconds for call in mine), sum(call.bytes for call in mine)
        rows.append((name, len(mine) / len(lines), 1000 * seconds / len(lines), sent / len(lines)))
    for name, count, milliseconds, size in sorted(rows, key=lambda row: -row[2]):
        print(f"| {name} | {count:.1f} | {milliseconds:.2f} | {size:,.0f} |")


if __name__ == "__main__":
    main()
