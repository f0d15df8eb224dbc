"""How many executors a job needs, with how much memory, and for how long: a table from the cost model of scaling.py.

    python benchmarks/cluster_sizes.py
    python benchmarks/cluster_sizes.py --rows 5e7 --columns 300 --value-bytes 4 --units 256 --classes 2 --minutes 30

The job reads its rows once and trains a network with one hidden layer for --epochs epochs, its parameters averaged. The
table has the fewest executors that end within --minutes, or --most of them. docs/clusters/dataproc.md shows it.

An epoch is the model fitted to benchmarks/results/scaling.json, and the network as scaling.py calculates it. Reading a
cached row of more than the fit's 784 columns takes longer in proportion to them; one of fewer counts as 784.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scaling
from scaling import Case, Model

from nn.spark.input.cache import SHARE

RESULTS = Path(__file__).parent / "results" / "scaling.json"
AVERAGE = "parameters"
ROWS, UNITS = (1e6, 1e7, 1e8, 1e9), (64, 1024)
TABLES = ((784, 1), (100, 4))  # columns, bytes of a value in memory
# docs/scaling.md, "More rows than memory holds": six million rows of 784 values on two slots, and its largest worker.
READING = 2 * 14.9e-6 / scaling.WIDTH  # seconds of a slot per value of text
WORKER = 182e6  # bytes of a Python worker
# Spark's own: of a heap without its reserve, this part holds cached blocks and shuffles.
RESERVED, FRACTION = 300 << 20, 0.6
HEADER = (
    *("rows", "columns", "hidden units", "executors", "heap", "overhead"),
    *("reading", "per epoch", "in all", "vCPU-hours"),
)


class Job(NamedTuple):
    """What is trained."""

    rows: float
    columns: int
    value_bytes: int
    units: int
    classes: int
    epochs: int

    @property
    def weights(self) -> int:
        """How many parameters the network has."""
        return (self.columns + 1) * self.units + (self.units + 1) * self.classes

    def reading(self, slots: int) -> float:
        """Seconds until all rows are read."""
        return self.rows * self.columns * READING / slots

    def epoch(self, model: Model, slots: int) -> float:
        """Seconds of an epoch with a partition for each slot."""
        parts = model.parts(AVERAGE, self.rows, self.weights, slots, slots)
        parts[2] *= max(1.0, self.columns / scaling.WIDTH)
        return float(parts.sum()) + scaling.network(AVERAGE, self.weights, slots)

    def seconds(self, model: Model, slots: int) -> float:
        """Seconds of the job, without the start of Spark, tests and files."""
        return self.reading(slots) + self.epochs * self.epoch(model, slots)


def fitted_model() -> Model:
    """The model that docs/scaling.md describes, of parameters averaged."""
    lines = json.loads(RESULTS.read_text())
    measured = [(Case(*line[:-1]), line[-1]) for line in lines]
    return scaling.fitted([each for each in measured if each[0].average == AVERAGE and not each[0].checks])


def executors_for(job: Job, model: Model, cores: int, seconds: float, most: int) -> int:
    """The fewest executors with which the job ends in time, at most `most`."""
    for executors in range(1, most):
        if job.seconds(model, executors * cores) <= seconds:
            return executors
    return most


def heap_for(job: Job, executors: int) -> float:
    """Bytes of a heap in which an executor's share of the rows is kept in memory."""
    share = job.rows * job.columns * job.value_bytes / executors
    return max(1e9, RESERVED + share / (SHARE * FRACTION))


def overhead_for(job: Job, executors: int, cores: int) -> float:
    """Bytes beside the heap: a worker for each core, and the sums of one group in each."""
    slots, size = executors * cores, scaling.TALLY[AVERAGE] * job.weights
    groups = scaling.groups_of(AVERAGE, job.weights, slots)
    return cores * (WORKER + size * (math.ceil(slots / groups) if groups else 1))


def row_of(job: Job, model: Model, args: argparse.Namespace) -> list[str]:
    """The cells of a job."""
    executors = executors_for(job, model, args.cores, 60 * args.minutes, args.most)
    slots, heap = executors * args.cores, heap_for(job, executors)
    minutes = job.seconds(model, slots) / 60
    overhead = overhead_for(job, executors, args.cores)
    room = args.memory * 1e9 - overhead
    return [
        f"{job.rows:,.0f}",
        str(job.columns),
        f"{job.units:,}",
        str(executors),
        gigabytes(heap) if heap <= room else f"{gigabytes(math.floor(room / 1e9) * 1e9)}, rows on disk",
        gigabytes(overhead),
        f"{job.reading(slots):.0f} s",
        f"{job.epoch(model, slots):.1f} s",
        f"{minutes:.1f} min",
        f"{(executors + 1) * args.cores * minutes / 60:.2f}",
    ]


def gigabytes(size: float) -> str:
    """Whole gigabytes, upwards."""
    return f"{math.ceil(size / 1e9)} GB"


def jobs_of(args: argparse.Namespace) -> Iterator[Job]:
    """The jobs of the table: those that are asked for, else a grid."""
    tables = TABLES if args.columns is None else ((args.columns, args.value_bytes),)
    rows = ROWS if args.rows is None else (args.rows,)
    for (columns, value_bytes), units, count in itertools.product(tables, args.units or UNITS, rows):
        yield Job(count, columns, value_bytes, units, args.classes, args.epochs)


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description="Print the executors, the memory and the minutes that jobs need."
    )
    parser.add_argument("--rows", type=float, help="training rows; default: a grid")
    parser.add_argument("--columns", type=int, help="values of a row; default: 784 and 100")
    kept = "bytes of a value in memory: 1 for whole numbers in 0..255, else 4 (with --columns; default 1)"
    parser.add_argument("--value-bytes", type=int, default=1, choices=(1, 4), help=kept)
    parser.add_argument("--units", type=int, nargs="+", help="hidden units; default: 64 and 1024")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10, help="in which the job shall end (default 10)")
    parser.add_argument("--cores", type=int, default=4, help="of an executor, and of the driver's machine")
    parser.add_argument("--memory", type=float, default=12, help="GB that an executor may use (default 12)")
    parser.add_argument("--most", type=int, default=250, help="executors (default 250)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    args, model = read_options(arguments), fitted_model()
    print(f"| {' | '.join(HEADER)} |\n|{'--:|' * len(HEADER)}")
    for job in jobs_of(args):
        print(f"| {' | '.join(row_of(job, model, args))} |")


if __name__ == "__main__":
    main()
