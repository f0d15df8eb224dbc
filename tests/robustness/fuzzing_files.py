"""Parquet, ORC and JSON files of columns of every type, written without Spark; their true values are known."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet

from tests.robustness.fuzzing_common import Random
from tests.robustness.fuzzing_quoted import text_column

DAY = datetime.date(2024, 2, 29)
WORDS = ["red", "green", "東京", "a b", "x,y", '"', "1", "NA", "", " ", "true"]
MISSING_VALUES = ("", "NA")  # those among WORDS, as strings
SCALARS: dict[str, tuple[Any, list[Any]]] = {
    "int8": (pa.int8(), [0, 1, -128, 127]),
    "int16": (pa.int16(), [0, 1, -32768, 300]),
    "int32": (pa.int32(), [0, 7, 70_000, -(2**31)]),
    "int64": (pa.int64(), [0, 1_700_000_000, 2**53 + 1, -(2**63)]),
    "float": (pa.float32(), [0.0, 0.5, -1.25, 3e38, math.nan]),
    "double": (pa.float64(), [0.0, 0.1, -1e30, 3.4e38, 1e-300, 1.7e9, math.nan]),
    "boolean": (pa.bool_(), [True, False]),
    "decimal": (
        pa.decimal128(12, 2),
        [decimal.Decimal("1.25"), decimal.Decimal("-70000.50"), decimal.Decimal(0)],
    ),
    "wide decimal": (pa.decimal128(38, 10), [decimal.Decimal("0.1"), decimal.Decimal(10) ** 20]),
    "string": (pa.string(), WORDS),
}
OTHERS: dict[str, tuple[Any, list[Any]]] = {
    "infinite": (pa.float64(), [0.5, math.inf, -math.inf]),
    "beyond float32": (pa.float64(), [0.5, 1e39, -1e308]),
    "date": (pa.date32(), [DAY]),
    "timestamp": (pa.timestamp("us"), [datetime.datetime(2024, 2, 29, 1)]),
    "struct": (pa.struct([("a", pa.int32())]), [{"a": 1}]),
    "list of strings": (pa.list_(pa.string()), [["a", "b"]]),
}
SEVERAL: dict[str, Any] = {
    "list of floats": pa.list_(pa.float32()),
    "list of doubles": pa.list_(pa.float64()),
    "list of integers": pa.list_(pa.int32()),
    "binary": pa.binary(),
}


def written(random: Random, folder: str, context: Any) -> tuple[str, list[Any], str]:
    """A file of one format: its path, the true columns of inputs and then the labels, and what it holds."""
    format, rows = random.choice(["parquet", "parquet", "orc", "json"]), random.randint(1, 30)
    missing_values, names, arrays, true = random.choice([0, 0, 0.1, 0.4]), [], [], []
    for number in range(random.randint(1, 5)):
        usual = random.random()
        if usual < 0.8:
            kind = random.choice(list(SCALARS))
            own, columns = _scalars(random, *SCALARS[kind], rows, missing_values, format)
        elif usual < 0.9 and format != "json":
            kind = random.choice(list(SEVERAL))
            own, columns = _several(random, kind, rows, missing_values)
        else:
            kind = random.choice(list(OTHERS))
            own, columns = _scalars(random, *OTHERS[kind], rows, missing_values, format)
            if kind not in ("infinite", "beyond float32") and not (format == "json" and not columns):
                columns = [None]
            if format == "json" and kind in ("date", "timestamp") and columns:  # strings in JSON
                columns = [[None if cell is None else str(cell) for cell in own.to_pylist()]]
        names.append(f"c{number}")
        arrays.append(own)
        true += columns
    labels, label_columns = _labels(random, rows, format)
    if not true or (format == "json" and labels.null_count == rows):
        true = [None]
    names.append("y")
    arrays.append(labels)
    table = pa.table(dict(zip(names, arrays, strict=True)))
    path = str(Path(folder) / f"x.{format}")
    write(table, path, format)
    return path, [*true, *label_columns], f"{format} {table.to_pydict()} {table.schema.to_string()!r}"


def write(table: Any, path: str, format: str) -> None:
    """Write a table to a file of a format."""
    if format == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif format == "orc":
        pyarrow.orc.write_table(table, path)
    else:
        lines = [
            json.dumps({k: v for k, v in row.items() if v is not None}, default=str)
            for row in table.to_pylist()
        ]
        Path(path).write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _scalars(
    random: Random, type_: Any, values: list[Any], rows: int, missing_values: float, format: str
) -> Any:
    """A column of one value a row, as an array and as true values; JSON has neither NaN nor decimals."""
    some = random.sample(values, min(len(values), random.randint(1, 4)))
    if format == "json":
        some = [v for v in some if v == v] or [None]
    cells = [None if random.random() < missing_values else random.choice(some) for _ in range(rows)]
    array = pa.array(cells, type_)
    true = [None if v is None or v != v else v for v in array.to_pylist()]
    if pa.types.is_string(type_):
        true = [None if v is None or v.strip() in MISSING_VALUES else v for v in true]
        true = text_column(tuple(true)) if format == "json" else true
    if format == "json" and pa.types.is_decimal(type_):
        true = [None if v is None else float(v) for v in true]
    # A key that no line of JSON has is no column.
    return array, [] if format == "json" and array.null_count == rows else [true]


def _several(random: Random, kind: str, rows: int, missing_values: float) -> Any:
    """A column of lists or bytes, and the true columns that they give; None where it is to be refused."""
    width = random.choice([0, 1, 2, 3])
    uneven = random.random() < 0.1
    cells: list[Any] = []
    for _ in range(rows):
        size = width + random.randint(0, 1) * uneven
        numbers = [random.choice([0, 1, 200, 70_000][: 3 if kind == "binary" else 4]) for _ in range(size)]
        cells.append(bytes(numbers) if kind == "binary" else numbers)
        if random.random() < missing_values:
            cells[-1] = None
        elif kind != "binary" and numbers and random.random() < missing_values:
            cells[-1][random.randrange(size)] = None
    filled = [cell for cell in cells if cell is not None]
    sizes = {len(cell) for cell in filled}
    array = pa.array(cells, SEVERAL[kind])
    if len(sizes) != 1 or sizes == {0} or (kind == "binary" and None in cells):
        return array, [None]
    return array, [[None if cell is None else cell[index] for cell in cells] for index in range(width)]


def _labels(random: Random, rows: int, format: str) -> Any:
    """A column of labels, and their true values."""
    type_, values = random.choice(
        [
            (pa.int32(), [0, 1]),
            (pa.int64(), [1, 2, 3]),
            (pa.string(), ["no", "yes"]),
            (pa.bool_(), [True, False]),
            (pa.float64(), [1.0, 2.0]),
            (pa.float32(), [0.0, 0.5]),
            (pa.int8(), [-1, 1]),
            (pa.decimal128(5, 1), [decimal.Decimal(1), decimal.Decimal(2)]),
        ]
    )
    cells = [None if random.random() < 0.01 else random.choice(values) for _ in range(rows)]
    array = pa.array(cells, type_)
    true: list[Any] = array.to_pylist()
    if format == "json" and (pa.types.is_decimal(type_)):
        true = [None if label is None else str(label) for label in true]
    return array, [true]
