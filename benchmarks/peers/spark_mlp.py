"""Spark's own MultilayerPerceptronClassifier: sigmoids, softmax, L-BFGS, in the JVM.

    python -m benchmarks.peers.spark_mlp --data data --epochs 10
    python -m benchmarks.peers.spark_mlp --data data --epochs 300 --until 0.97 --blas libopenblas.so.0

An epoch here is an iteration of L-BFGS, in double precision. A fit cannot be watched. What an iteration takes is the
difference of two fits over the difference of their iterations, so that what a fit does once (stacking the rows, the
first evaluation) falls out (see `marginal`). Accuracies come from fits of so many iterations, each from the start and
timed whole; with --until these are searched (see `searched`).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import contract, digits, memory, sparksession

PEER = "spark_mlp"
FIRST, GROWTH, PRECISE = 20, 2.0, 1.15  # the search's first fit, its steps, and how near it comes
PAIRS = 3  # of fits whose difference is timed

JAVA = "none"  # no library's name: then Spark takes the BLAS written in Java

Line = dict[str, Any]


def searched(fit: Callable[[int], Line], most: int, levels: list[float]) -> list[Line]:
    """Fits of FIRST, 2 FIRST, 4 FIRST, ... iterations, and for each level those that narrow down where it is reached.

    A level lies between the last fit below it and the first at or above it; halving the way between them goes on until
    the two are within 15 %. `fit(n)` gives a line with the accuracy after n iterations. The lines come in the order of
    their iterations.
    """
    lines: dict[int, Line] = {}

    def accuracy(iterations: int) -> float:
        if iterations not in lines:
            lines[iterations] = fit(iterations)
        return lines[iterations]["accuracy"]

    iterations = min(FIRST, most)
    while accuracy(iterations) < max(levels) and iterations < most:
        iterations = min(int(iterations * GROWTH), most)
    for level in levels:
        above = min((n for n in lines if accuracy(n) >= level), default=None)
        below = max((n for n in lines if above is not None and n < above), default=None)
        while above is not None and below is not None and above > PRECISE * below:
            middle = (above + below) // 2
            if accuracy(middle) >= level:
                above = middle
            else:
                below = middle
    return [lines[n] for n in sorted(lines)]


def marginal(fit: Callable[[int], Line], most: int) -> Line:
    """The longer of two fits, of a third of `most` iterations and of `most`, with the seconds of an iteration between.

    Both are timed PAIRS times in turns; the seconds are the median of the differences. Skipped where they say nothing.
    """
    few = max(1, most // 3)
    pairs = [(fit(few), fit(max(2, most))) for _ in range(PAIRS)]
    short, long = pairs[-1]
    more = long["iterations"] - short["iterations"]
    took = statistics.median(late["from_start"] - early["from_start"] for early, late in pairs)
    if more < 1 or took <= 0:
        raise contract.Skipped(f"{more} iterations more took {took:.3f} s more: too few to time one")
    return {**long, "seconds": took / more}


class Classifier:
    """The estimator with its data, timed."""

    def __init__(self, args: argparse.Namespace, train: Any, test: Any):
        self.args, self.train, self.test = args, train, test
        self.widths = [len(train.first().features), *args.hidden, contract.CLASSES]

    def fit(self, iterations: int) -> Line:
        """A line for a fit of at most so many iterations from the seed's start values."""
        from pyspark.ml.classification import MultilayerPerceptronClassifier

        args = self.args
        estimator = MultilayerPerceptronClassifier(
            layers=self.widths, maxIter=iterations, tol=0.0, blockSize=args.block_size, seed=args.seed
        )
        began = time.perf_counter()
        model = estimator.fit(self.train)
        seconds = time.perf_counter() - began
        taken = model.summary().totalIterations
        hits = model.transform(self.test).where("prediction = label").count()
        return {
            "seconds": seconds / max(taken, 1),
            "from_start": seconds,
            "iterations": taken,
            "accuracy": hits / self.test.count(),
        }


def main(args: argparse.Namespace) -> contract.Answer:
    """Load, fit."""
    os.environ.update(dict.fromkeys(contract.BLAS_THREADS, "1"))  # Spark's tasks fill the cores
    choose_blas(args.blas)
    with tempfile.TemporaryDirectory() as folder, sparksession.session(args) as session:
        note = blas_of(session.sparkContext)
        if args.blas != JAVA and not note.endswith("JNIBLAS"):
            raise contract.Missing(f"Spark's JVM cannot load {args.blas}")
        pasted = {part: paste(args.data, part, Path(folder)) for part in ("train", "test")}
        began = time.perf_counter()
        train, test = (read(session, pasted[part], args.cores) for part in ("train", "test"))
        load = time.perf_counter() - began
        classifier = Classifier(args, train, test)
        classifier.fit(2)  # compiles what the JVM will run
        if args.until is None:
            lines = [marginal(classifier.fit, args.epochs)]
        else:
            lines = searched(classifier.fit, args.epochs, [*args.levels, args.until])
        memory_peaks = memory.of_spark(session.sparkContext)
        versions = sparksession.versions(session.sparkContext)
    return contract.Answer(PEER, versions, load, lines, memory_peaks, note)


def choose_blas(library: str) -> None:
    """Point Spark's JVM to a native BLAS, and to the libraries beside a full path, before it starts; or away from all.

    Where it cannot load what it is pointed to, it takes the BLAS written in Java.
    """
    folder = Path(library).parent
    if folder.is_absolute():
        folders = [str(folder), str(folder.parent), os.environ.get("LD_LIBRARY_PATH", "")]
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, folders))
    os.environ["JAVA_TOOL_OPTIONS"] = f"-Ddev.ludovic.netlib.blas.nativeLibPath={library}"


def blas_of(context: Any) -> str:
    """Which BLAS Spark's matrices run on: the class that dev.ludovic.netlib found."""
    netlib = context._jvm.dev.ludovic.netlib.blas
    try:
        return str(netlib.NativeBLAS.getInstance().getClass().getName())
    except Exception:  # py4j's, of a class that could not be loaded
        return str(netlib.JavaBLAS.getInstance().getClass().getName())


def paste(folder: str, part: str, target: Path) -> str:
    """One text with each row's label before its pixels: the lines of two files have no common order in a DataFrame."""
    pasted = target / f"{part}.csv"
    with (
        open(digits.path(folder, "labels", part)) as labels,
        open(digits.path(folder, "images", part)) as images,
        open(pasted, "w") as out,
    ):
        out.writelines(f"{label.rstrip()},{pixels}" for label, pixels in zip(labels, images, strict=True))
    return str(pasted)


def read(session: Any, path: str, partitions: int) -> Any:
    """A cached DataFrame of label and features in 0..1; splitting lines is far faster here than Spark's CSV reader."""
    from pyspark.ml.functions import array_to_vector
    from pyspark.sql import functions

    values = functions.split("value", ",").cast("array<double>").alias("values")
    pixels = functions.expr(f"transform(slice(values, 2, size(values) - 1), pixel -> pixel / {digits.WHITE})")
    frame = (
        session.read.text(path)
        .select(values)
        .select(functions.element_at("values", 1).alias("label"), array_to_vector(pixels).alias("features"))
    )
    frame = frame.repartition(partitions) if frame.rdd.getNumPartitions() < partitions else frame
    frame = frame.cache()
    frame.count()
    return frame


def options() -> argparse.ArgumentParser:
    """The common options and this peer's."""
    parser = contract.options("Spark's MultilayerPerceptronClassifier.")
    parser.add_argument(
        "--block-size", type=int, default=128, help="rows of a matrix (default 128, Spark's own)"
    )
    parser.add_argument(
        "--blas", default=JAVA, metavar="LIBRARY", help="for the JVM, as libblas.so.3 (default: Java's own)"
    )
    parser.add_argument(
        "--levels",
        type=lambda word: [float(level) for level in word.split(",")],
        default=[],
        help="as 0.95,0.97",
    )
    return parser


if __name__ == "__main__":
    contract.run(PEER, ("pyspark", "numpy"), options(), main)
