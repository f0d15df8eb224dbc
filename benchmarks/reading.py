"""Time loading alone: text to checked, cached blocks with labels, first in a fresh Spark and then again.

    python benchmarks/reading.py data

prints the seconds of each load of the training set: the first pays for starting Python workers and a cold JVM.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)

from nn.spark.input import reader
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage


def main() -> None:
    """Load the training set several times."""
    parser = argparse.ArgumentParser(description="Time loading a training set.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("--repeats", type=int, default=6, help="(default 6)")
    args = parser.parse_args()
    images, labels = (f"{args.data}/mnist_{kind}_train.csv" for kind in ("images", "labels"))
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", "--master local[2] --driver-memory 2g pyspark-shell")
    with spark_context("reading") as context:
        seconds = []
        for _ in range(args.repeats):
            began = time.perf_counter()
            source = reader.Source("TRAIN", images, labels)
            dataset = reader.read(reader.Files.open(context, Storage(context), source, 2))
            seconds.append(time.perf_counter() - began)
            print(f"{dataset.rows:,} rows of {dataset.width} values: {seconds[-1]:.2f} s", flush=True)
            dataset.cached.unpersist(blocking=True)
    print(f"first {seconds[0]:.2f} s, median of the others {statistics.median(seconds[1:]):.2f} s")


if __name__ == "__main__":
    main()
