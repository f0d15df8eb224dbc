"""Tables that Spark reads: quoted text, and the types of Parquet, ORC and JSON; the true values are known.

`python -m tests.robustness.fuzzing_spark 500` offers so many inputs of each kind, and prints a table of what became of
them. Rows travel through Arrow or pickled, as the seed has it.
"""

from __future__ import annotations

import csv
import importlib.util
import math
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data import quoted_text
from nn.spark.input import reader, table_reading
from nn.spark.input.dataset import Dataset
from nn.spark.input.input_files import Source
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.storage.filesystem import Storage
from tests.robustness.fuzzing_common import ACCEPTED, FLOAT32, NUMBER, REFUSED, Random, one_line
from tests.robustness.fuzzing_containers import name as name_of
from tests.robustness.fuzzing_quoted import (
    BAD,
    MISSING_VALUES,
    Text,
    lines_of,
    quoted,
    text_column,
    true_cells,
)
from tests.robustness.fuzzing_scoring import rows_to_predict

LABELS = [
    ["no", "yes"],
    ["0", "1", "2"],
    ["1", "2"],
    ["-1", "1"],
    ["a", "b", "c"],
    ["true", "false"],
    ["one"],
    ["0", "7"],
]


def read(context: Any, random: Random, source: Source, options: ReadingOptions) -> Dataset | str:
    """The rows of a source, read one way or the other, or the line by which they are refused."""
    through_arrow = random.random() < 0.5
    before = table_reading.has_arrow
    table_reading.has_arrow = lambda context: through_arrow
    try:
        return reader.read_both(context, Storage(context), source, None, 2, options)[0]
    except DataError as error:
        one_line(str(error))
        return str(error)
    finally:
        table_reading.has_arrow = before


def quoted_text_in_spark(random: Random, context: Any) -> str:
    """A file of quoted text with a column of labels."""
    labels = random.choice(LABELS)
    text = quoted(random, labels)
    format = random.choice(["csv", "csv", "auto"])
    header = "auto" if format == "csv" and random.random() < 0.5 else "yes" if text.names else "no"
    options = _options(random, random.random() < 0.15)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_text(text.text, encoding="utf-8", newline="")
        source = Source(
            "TRAIN", str(path), None, -1, header=header, format=format, missing_values=text.missing_values
        )
        found = read(context, random, source, options)
        shown = f"{text} {format} header {header} {options}"
        true = _rows_of(
            text,
            quoted_text.inspect(
                lines_of(text), header, missing_values=(*MISSING_VALUES, *text.missing_values)
            ),
        )
        if any("\n" in cell for row in text.cells for cell in row):
            assert isinstance(found, str), f"{shown} read as {found}"
        has_blank = any(
            not line.strip() for line in lines_of(text)
        )  # in numbers alone an error of the fast reader
        if true is None or (format == "auto" and (has_blank or not text.is_clear)):
            return REFUSED if isinstance(found, str) else _released(found)
        return judged(found, [text_column(column) for column in zip(*true, strict=True)], options, shown)


def _rows_of(text: Text, found: quoted_text.QuotedText) -> list[list[str | None]] | None:
    """The rows of a file; None where a cell has several lines, which only --read-option multiLine=true reads."""
    if any("\n" in cell for row in text.cells for cell in row):
        return None
    try:
        rows = true_cells(text, found)
    except csv.Error:
        return None
    return rows if rows and all(len(row) == found.width for row in rows) else None


def _options(random: Random, is_regression: bool) -> ReadingOptions:
    return ReadingOptions(
        task="regression" if is_regression else "classification",
        offsets=random.random() < 0.5,
        missing=random.choice(["error", "mean", "mean", "zero", "drop", "indicator"]),
        max_categories=random.choice([2, 100]),
    )


# ---- what is right ----


def judged(found: Dataset | str, columns: list[list[Any]], options: ReadingOptions, shown: str) -> str:
    """What became of a table, whose last column holds the labels."""
    *inputs, labels = columns
    kept = _kept(inputs, labels, options)
    if isinstance(found, str):
        assert kept is None, f"{shown} refused: {found}"
        return REFUSED
    assert kept is not None, f"{shown} read as {found}"
    blocks = sorted(found.blocks.collect(), key=lambda block: int(block.rows[0]))
    read = np.concatenate([block.inputs.astype(np.float32) for block in blocks])
    codes = np.concatenate([block.labels for block in blocks])
    _released(found)
    assert [int(row) for block in blocks for row in block.rows] == list(range(len(kept))), shown
    assert read.shape == (len(kept), len(inputs)), (read, shown)
    for index, (column, values) in enumerate(zip(found.columns, inputs, strict=True)):
        _judge_column(
            column, values, kept, read[:, index].astype(np.float64).tolist(), options, (index, shown)
        )
    true = [labels[row] for row in kept]
    if options.task == "regression":
        assert codes.tolist() == true and found.targets.tolist() == true, (codes, true, shown)
    else:
        decoded = found.decoder.decode(codes).tolist()
        assert list(map(name_of, decoded)) == list(map(_label_name, true)), (decoded, shown)
    return ACCEPTED


def _released(found: Dataset) -> str:
    found.cached.unpersist()
    return ACCEPTED


def _judge_column(
    column: Any, values: list[Any], kept: list[int], read: list[float], options: Any, shown: Any
) -> None:
    filled = [value for value in values if value is not None]
    if not any(isinstance(value, str) for value in filled):
        assert column.values is None or not filled, (column, shown)
        first = float(filled[0]) if filled else 0.0
        offset = first if options.offsets and 65_536 <= abs(first) <= 1e30 else 0.0
        assert column.offset == offset, (column, shown)
        true = [math.nan if values[row] is None else np.float32(float(values[row]) - offset) for row in kept]
        assert np.array_equal(np.array(true, np.float64), read, equal_nan=True), (true, read, shown)
        return
    counts = Counter(value.strip() for value in filled)
    cap = options.max_categories
    frequent = sorted(counts, key=lambda value: (-counts[value], value))[:cap]
    assert column.values is not None and [v.strip() for v in column.values] == sorted(frequent), (
        column,
        counts,
        shown,
    )
    for row, code in zip(kept, read, strict=True):
        value = None if values[row] is None else values[row].strip()
        said = None if math.isnan(code) else column.values[int(code)].strip() if code >= 0 else -1
        assert said == (-1 if value is not None and value not in frequent else value), (row, said, shown)


def _kept(inputs: list[list[Any]], labels: list[Any], options: ReadingOptions) -> list[int] | None:
    """The rows that are learned from; None where something is to be refused."""
    if not inputs or any(column is None or BAD in column for column in [*inputs, labels]):
        return None
    numbers = [
        value for column in inputs for value in column if value is not None and not isinstance(value, str)
    ]
    if any(not abs(number) <= FLOAT32 for number in numbers) or None in labels:
        return None
    for column in inputs:
        filled = [value for value in column if value is not None]
        if len(filled) >= 20 and len(set(filled)) >= 0.9 * len(filled) and isinstance(filled[0], str):
            return None
    with_missing = {row for column in inputs for row, value in enumerate(column) if value is None}
    if with_missing and options.missing == "error":
        return None
    kept = [row for row in range(len(labels)) if options.missing != "drop" or row not in with_missing]
    if not kept:
        return None
    if options.task == "regression":
        are_numbers = not any(isinstance(label, str) for label in labels)
        return kept if are_numbers and all(abs(label) <= FLOAT32 for label in labels) else None
    names = {_label_name(label) for label in labels}
    if any(not isinstance(label, str) and label != int(label) for label in labels):
        return None
    return kept if len({_label_name(labels[row]) for row in kept}) > 1 and len(names) > 1 else None


def _label_name(label: Any) -> str:
    is_text = isinstance(label, str) and not NUMBER.fullmatch(label)
    return label if is_text else name_of(float(label) if isinstance(label, str) else label)


# ---- types ----


def types_in_spark(random: Random, context: Any) -> str:
    """A file of columns of every type."""
    from tests.robustness.fuzzing_files import written

    options = _options(random, random.random() < 0.15)
    with tempfile.TemporaryDirectory() as folder:
        path, columns, shown = written(random, folder, context)
        found = read(context, random, Source("TRAIN", path, None, "y"), options)
        return judged(found, columns, options, f"{shown} {options}")


KINDS: dict[str, Callable[[Random, Any], str]] = {
    "quoted text, by Spark": quoted_text_in_spark,
    "rows to predict, by Spark": rows_to_predict,
}
if importlib.util.find_spec("pyarrow") is not None:  # which writes the files
    KINDS["types of Parquet, ORC and JSON"] = types_in_spark


def offer(kind: str, seed: int, context: Any) -> str:
    """What becomes of one input; raises where the program was wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)
        return KINDS[kind](Random(f"{kind} {seed}"), context)


def main(each: int, first: int = 0) -> int:
    """Offer that many of each kind, and print the table."""
    from nn.spark.runtime.session import spark_context

    failures = 0
    with spark_context("fuzzing") as context:
        print(f"{'kind':<38}{'offered':>9}{'accepted':>10}{'refused':>9}{'wrong':>7}")
        for kind in KINDS:
            seen = Counter()
            for seed in range(first, first + each):
                try:
                    seen[offer(kind, seed, context)] += 1
                except Exception as error:
                    seen["wrong"] += 1
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    print(
                        f"{kind} {seed}: {type(error).__name__}: {str(error)[:2000]} ({where.filename}:{where.lineno})",
                        file=sys.stderr,
                        flush=True,
                    )
            failures += seen["wrong"]
            counts = seen[ACCEPTED], seen[REFUSED], seen["wrong"]
            print(f"{kind:<38}{each:>9,}{counts[0]:>10,}{counts[1]:>9,}{counts[2]:>7,}", flush=True)
    return min(failures, 1)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3 or not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit("usage: python -m tests.robustness.fuzzing_spark HOW_MANY [FIRST_SEED]")
    sys.exit(main(*map(int, sys.argv[1:])))
