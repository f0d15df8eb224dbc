"""Time reading Parquet into cached blocks, beside what Spark's JVM alone needs for the same rows.

    python benchmarks/table_reading.py FOLDER [--tables columns,array,mixed] [--rows 10000000] [--repeats 3]

makes the tables in FOLDER where they are missing: 60,000 images of 784 whole numbers, as columns and as one array,
and `--rows` rows of 20 mixed columns (numbers, of which two lack values, three of strings, a boolean) with a label. A
line has the first load of a fresh Spark and the median of the others. JVM: a pass that casts the same columns and drops
them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])

from nn.spark.input import reader, table_reading
from nn.spark.input.input_files import Source
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.runtime.session import spark_context
from nn.spark.storage.filesystem import Storage

IMAGES, PIXELS = 60_000, 784
WAYS = ("arrow", "pickled")


def main() -> None:
    """Make the tables and read each in both ways."""
    parser = argparse.ArgumentParser(description="Time reading Parquet.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default="columns,array,mixed", help="(default: all)")
    parser.add_argument("--ways", default="arrow,pickled", help="(default: both)")
    parser.add_argument(
        "--rows", type=int, default=10_000_000, help="rows of the mixed table (default: 10 million)"
    )
    parser.add_argument("--repeats", type=int, default=3, help="(default 3)")
    args = parser.parse_args()
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", "--master local[2] --driver-memory 6g pyspark-shell")
    for table in args.tables.split(","):
        path = args.folder / (table if table != "mixed" else f"mixed-{args.rows}")
        if not path.exists():
            with spark_context("tables") as context:
                make(context, table, path, args.rows)
        for way in args.ways.split(","):
            with spark_context("reading") as context:
                measure(f"{path.name}, {way}", args.repeats, partial(load, context, path, way))
        with spark_context("JVM") as context:
            measure(f"{path.name}, JVM", args.repeats, partial(cast, context, path))


def make(context: Any, table: str, path: Path, rows: int) -> None:
    """Write a table as Parquet."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as sql

    session = SparkSession.builder.getOrCreate()
    if table == "mixed":
        columns = [sql.randn(number).alias(f"number{number}") for number in range(10)]
        columns += [(sql.rand(20 + number) * 1000).cast("int").alias(f"count{number}") for number in range(4)]
        columns += [
            sql.when(sql.rand(30 + n) > 0.02, sql.rand(40 + n) * 1e5).alias(f"gaps{n}") for n in range(2)
        ]
        for number, size in enumerate((5, 25, 45)):
            code = (sql.rand(50 + number) * size).cast("int")
            columns.append(sql.concat(sql.lit("value"), code).alias(f"text{number}"))
        columns += [(sql.rand(60) < 0.5).alias("flag")]
        columns += [sql.concat(sql.lit("class"), (sql.rand(70) * 3).cast("int")).alias("label")]
        session.range(0, rows, 1, max(2, rows // 1_000_000)).select(*columns).write.parquet(str(path))
        return
    pixel = "if(hash(id, {0}) % 5 = 0, pmod(hash({0}, id), 256), 0)"
    pixels = [pixel.format(number) for number in range(PIXELS)]
    inputs = [f"{text} as pixel{number}" for number, text in enumerate(pixels)]
    if table == "array":
        inputs = [f"cast(array({', '.join(pixels)}) as array<float>) as pixels"]
    frame = session.range(0, IMAGES, 1, 4).selectExpr(*inputs, "id % 10 as label")
    frame.write.parquet(str(path))


def load(context: Any, path: Path, way: str) -> int:
    """Read a table as training does; return its rows."""
    table_reading.has_arrow = lambda context: way == "arrow"
    source = Source("TRAIN", str(path), None, label_column="label")
    dataset, _ = reader.read_both(context, Storage(context), source, None, 2, ReadingOptions(missing="mean"))
    dataset.cached.unpersist(blocking=True)
    return dataset.rows


def cast(context: Any, path: Path) -> int:
    """Let the JVM cast the numbers of all rows and drop them; return the rows."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as sql

    frame = SparkSession.builder.getOrCreate().read.parquet(str(path))
    numbers = [
        f.name for f in frame.schema.fields if f.dataType.typeName() in ("double", "integer", "boolean")
    ]
    others = [name for name in frame.columns if name not in numbers]
    array = [sql.expr(f"array({', '.join(f'float({name})' for name in numbers)})")] if numbers else []
    frame.select(*array, *others).write.format("noop").mode("overwrite").save()
    return frame.count()


def measure(name: str, repeats: int, run: Callable[[], int]) -> None:
    """Print the rows per second of the first run and of the others, and the largest Python process of Spark."""
    seconds, rows, peak = [], 0, Peak()
    for _ in range(repeats):
        began = time.perf_counter()
        rows = run()
        seconds.append(time.perf_counter() - began)
    median = statistics.median(seconds[1:] or seconds)
    print(
        f"{name}: {rows:,} rows, first {seconds[0]:.1f} s, then {median:.2f} s = {rows / median:,.0f} rows/s; "
        f"largest Python worker {peak.end():,} MB",
        flush=True,
    )


class Peak:
    """Watches the resident memory of Spark's Python workers (Linux)."""

    def __init__(self) -> None:
        self.largest = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Stop; return the largest that was seen, in MB."""
        self._ended.set()
        self._thread.join()
        return self.largest

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if b"pyspark.daemon" in (process / "cmdline").read_bytes():
                        pages = int((process / "statm").read_text().split()[1])
                        self.largest = max(self.largest, pages * os.sysconf("SC_PAGE_SIZE") >> 20)
                except OSError:  # it has ended
                    continue


if __name__ == "__main__":
    main()
