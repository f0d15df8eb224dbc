"""Tables in Python: arrays, dicts of columns, NumPy structured arrays, pandas and Arrow tables -> numbers of blocks.

pandas and pyarrow are not imported: their tables are known by their attributes.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from nn.data.arrays import LARGEST
from nn.data.encoding import Category, Encoder, Number, TableEncoder
from nn.data.schema import ColumnSchema, categories_of, offset_of, pack_categories, pack_numbers

Columns = dict[str, np.ndarray]
DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
NESTED = (list, tuple, dict, set, np.ndarray)
NUMBERS = (int, float, np.number, np.bool_, decimal.Decimal)


def columns_of(table: Any) -> Columns | None:
    """Return the columns (n,) of a table by name; None for what is not a table, such as an array of numbers.

    Raises ValueError for columns of different lengths and names that are not distinct.
    """
    if isinstance(table, Mapping):
        pairs: list[tuple[Any, np.ndarray]] = [(name, column_of(column)) for name, column in table.items()]
    elif isinstance(table, np.ndarray) and table.dtype.names is not None:
        pairs = [(name, column_of(table[name])) for name in table.dtype.names]
    elif hasattr(table, "column_names") and hasattr(table, "column"):  # Arrow
        pairs = [(name, _from_arrow(table.column(name))) for name in table.column_names]
    elif hasattr(table, "columns") and hasattr(table, "dtypes"):  # pandas
        pairs = [(name, _from_pandas(table[name])) for name in table.columns]
    else:
        return None
    columns = {str(name): column for name, column in pairs}
    if len(columns) != len(pairs):
        raise ValueError("expected columns with distinct names")
    alone = [name for name, column in columns.items() if column.ndim == 0]
    if alone:
        raise ValueError(f"column {alone[0]!r}: expected a list of values, one for each row, found one value")
    lengths = {name: len(column) if column.ndim == 1 else None for name, column in columns.items()}
    if len(set(lengths.values())) > 1 or None in lengths.values():
        raise ValueError(f"expected columns of one length each, found {str(lengths)[:200]}")
    return columns


def column_of(values: Any) -> np.ndarray:
    """Return a column, or labels, as an array: its own values, of which none became a text; None for masked ones."""
    if hasattr(values, "isna"):
        return _from_pandas(values)
    if hasattr(values, "null_count"):
        return _from_arrow(values)
    if isinstance(values, np.ma.MaskedArray):
        if not np.ma.is_masked(values):
            return values.data
        objects = values.data.astype(object)
        objects[np.ma.getmaskarray(values)] = None
        return objects
    array = np.asarray(values)
    if isinstance(values, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "USf":
        return array
    # NumPy makes strings of all values where one is a text, and numbers of booleans where one is NaN.
    mixed = array.dtype.kind != "f" or any(isinstance(value, (bool, np.bool_)) for value in values)
    return np.array(values, object) if mixed else array


def _from_arrow(column: Any) -> np.ndarray:
    # Where values are missing, Arrow gives integers as float64 with NaN, strings and booleans as objects with None, and
    # of a dictionary the values at hand.
    if str(column.type).startswith("dictionary"):
        column = column.cast(column.type.value_type)
    return np.asarray(column)


def _from_pandas(column: Any) -> np.ndarray:
    values = column.to_numpy()
    if values.dtype.kind in "biufM":
        return values
    objects = column.to_numpy(object, copy=True)
    objects[column.isna().to_numpy()] = None
    return objects


def schema_of(
    columns: Columns, categorical: Collection[str], cap: int, offsets: bool
) -> tuple[ColumnSchema, ...]:
    """Decide on the kind of each column: strings and those named in `categorical` are categories, all others numbers.

    With `offsets`, a column whose first value is LARGE or larger is kept less that value. Raises ValueError for dates.
    """
    return tuple(_schema(name, values, name in categorical, cap, offsets) for name, values in columns.items())


def _schema(name: str, values: np.ndarray, categorical: bool, cap: int, offsets: bool) -> ColumnSchema:
    refuse_others(values, f"column {name!r}")
    if not categorical and are_numbers(values):
        first = next((float(value) for value in numbers_of(values, name) if not np.isnan(value)), 0.0)
        return ColumnSchema(name, offset=offset_of(first) if offsets else 0.0)
    names, counts = np.unique([n for n in names_of(values) if n is not None], return_counts=True)
    kept, rare = categories_of(dict(zip(names.tolist(), counts.tolist(), strict=True)), cap)
    return ColumnSchema(name, kept, rare)


def refuse_others(values: np.ndarray, what: str, otherwise: str = "or leave the column out") -> None:
    """Raise ValueError for values that are neither numbers nor names: dates, times, and values of several parts."""
    if values.dtype.kind in "mM" or (
        values.dtype.kind == "O" and any(isinstance(v, DATES) for v in values.flat)
    ):
        raise ValueError(
            f"{what}: expected numbers or categories, found dates or times; "
            f"write them as numbers, such as days, {otherwise}"
        )
    cells: Iterable[Any] = values.flat if values.dtype.kind == "O" else ()
    nested = next((value for value in cells if isinstance(value, NESTED)), None)
    if nested is not None:
        raise ValueError(f"{what}: expected numbers or categories, found a {type(nested).__name__}")


def are_numbers(values: np.ndarray) -> bool:
    """Return whether a column holds numbers and missing values alone."""
    if values.dtype.kind != "O":
        return values.dtype.kind in "biuf"
    return all(is_missing(value) or isinstance(value, NUMBERS) for value in values)


def is_missing(value: Any) -> bool:
    """Return whether a value of a table is a missing value: None, NaN, or the NA or NaT of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating, decimal.Decimal)) and value != value


def numbers_of(values: np.ndarray, name: str, finite: bool = True) -> np.ndarray:
    """Return a column of numbers (n,) as float64, missing values as NaN.

    Raises ValueError, with the row, for anything else. Without `finite`, a number beyond float32 is infinite.
    """
    if values.dtype.kind == "O":
        values = np.array([np.nan if is_missing(value) else value for value in values], object)
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        row = next(row for row, value in enumerate(values) if not _reads_as_number(value))
        raise ValueError(
            f"column {name!r}: expected numbers, found {str(values[row])[:40]!a} in row {row}"
        ) from None
    wrong = np.isinf(numbers) | (np.abs(numbers) > LARGEST)
    if not finite:
        return np.where(wrong, np.inf, numbers)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(
            f"column {name!r}: expected finite numbers within float32, found {numbers[row]:g} in row {row}"
        )
    return numbers


def _reads_as_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def names_of(values: np.ndarray) -> np.ndarray:
    """Return a column (n,) of categories as strings, with None for missing values."""
    return np.array([None if is_missing(value) else name_of(value) for value in values.tolist()], object)


def name_of(value: Any) -> str:
    """Return a value as the name of a category or a class: integers without a point, true and false in lowercase."""
    if isinstance(value, (bool, np.bool_)):
        return str(value).lower()
    if isinstance(value, (float, np.floating, decimal.Decimal)):
        number = float(value)
        return str(int(number)) if math.isfinite(number) and number == int(number) else repr(number)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def pack(schema: Sequence[ColumnSchema], columns: Columns, finite: bool = True) -> np.ndarray:
    """Return a table as the inputs of a block, (n, c) float32, in the order of the schema; `finite`: see `numbers_of`.

    Raises ValueError that names the columns that are missing, and for dates. Other columns are left out.
    """
    missing = [column.name for column in schema if column.name not in columns]
    if missing:
        raise ValueError(f"expected the columns {', '.join(map(repr, missing))} too; {known(columns)}")
    if len({column.name for column in schema}) < len(schema):
        raise ValueError("the model has several columns of one name: give an array of rows (n, d)")
    for column in schema:
        as_learned = "or as the strings that the model was trained on"
        refuse_others(columns[column.name], f"column {column.name!r}", as_learned)
    packed = [
        pack_numbers(numbers_of(columns[column.name], column.name, finite), column.offset)
        if column.values is None
        else pack_categories(names_of(columns[column.name]), column.values)
        for column in schema
    ]
    return np.stack(packed, axis=1)


def known(columns: Columns) -> str:
    """Return which columns a table has, for a message."""
    names = list(columns)
    return f"the table has {', '.join(map(repr, names[:10]))}{', ...' if len(names) > 10 else ''}"


def pack_for(encoder: Encoder, table: Any, finite: bool = True) -> np.ndarray | None:
    """Return a table as the inputs of a block for a model; None for an array of numbers, which `pack_rows` takes.

    `finite`: see `numbers_of`.
    """
    columns = columns_of(table)
    if columns is None:
        if not isinstance(encoder, TableEncoder) or all(isinstance(c, Number) for c in encoder.columns):
            return None
        rows = np.asarray(table, None if isinstance(table, np.ndarray) else object)
        if rows.ndim != 2 or rows.shape[1] != len(encoder.columns):
            raise ValueError(
                f"expected rows (n, {len(encoder.columns)}) of the columns {', '.join(encoder.names[:10])}, "
                f"found an array of shape {rows.shape}"
            )
        columns = {name: rows[:, index] for index, name in enumerate(encoder.names)}
    elif not encoder.names:
        raise ValueError("the model knows no names of columns: give an array of rows (n, d)")
    return pack(schema_for(encoder), columns, finite)


def pack_rows(encoder: Encoder, rows: np.ndarray) -> np.ndarray:
    """Return rows of numbers (n, ...) less the offsets of their columns."""
    columns = encoder.columns if isinstance(encoder, TableEncoder) else ()
    offsets = np.array([column.offset for column in columns if isinstance(column, Number)])
    if not offsets.any() or rows.size != len(rows) * len(offsets):
        return rows
    return pack_numbers(rows.reshape(len(rows), len(offsets)), offsets)


def schema_for(encoder: Encoder) -> list[ColumnSchema]:
    """Return the columns of the rows that a model takes; none where it knows no names."""
    if not isinstance(encoder, TableEncoder):
        return [ColumnSchema(name) for name in encoder.names]
    return [
        ColumnSchema(column.name, column.values, rare=column.other)
        if isinstance(column, Category)
        else ColumnSchema(column.name, offset=column.offset)
        for column in encoder.columns
    ]
