"""Tables in Python as people hold them, in every container, with missing values of every kind."""

from __future__ import annotations

import datetime
import decimal
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.robustness.fuzzing_common import HOSTILE, Random

try:
    import pandas
except ImportError:
    pandas = None
try:
    import pyarrow
except ImportError:
    pyarrow = None

MISSING_VALUES: list[Any] = [None, math.nan, np.float32("nan")]
WORDS = [
    "red",
    "green",
    "",
    " ",
    "Überlingen",
    "東京",
    "a,b",
    '"q"',
    "NaN",
    "true",
    "1",
    "x" * 300,
    HOSTILE,
    "🦆",
]
DATES = [datetime.date(2024, 2, 29), datetime.datetime(1970, 1, 1), np.datetime64("2024-01-01")]
KINDS: dict[str, list[Any]] = {
    "floats": [0.0, -0.0, -1.5, 0.1, 1e-3, 255.0, 70_000.25, 1e30, 3e38, -3e38, 1e-40, np.float32(0.1)],
    "integers": [0, 1, 2, 255, 256, -3, 70_000, 1_700_000_000, 2**31, 2**53],
    "small integers": list(range(4)),
    "booleans": [True, False, np.True_],
    "texts": WORDS,
    "few strings": ["u", "v", "w"],
    "integers and strings": [1, 2, "1", "a", "2"],
    "booleans and strings": [True, "true", "x", False],
    "floats and strings": [1.0, 0.5, "1", "b"],
    "bytes": [b"red", b"blue", b"1"],
    "decimals": [decimal.Decimal("1.25"), decimal.Decimal(3), decimal.Decimal("-70000.5")],
    "dates": DATES,
    "infinite": [1.0, math.inf, -math.inf],
    "beyond float32": [1.0, 1e39, -1e300, 10**40, 10**400],
    "lists": [[1, 2], (3,), {"a": 1}],
}
USUAL = ["floats", "integers", "small integers", "booleans", "texts", "few strings"]
NUMBERS = ("floats", "integers", "small integers", "booleans", "decimals")
NONE = ("dates", "infinite", "beyond float32", "lists")  # refused where they are inputs


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas.NA."""
    return (
        value is None or (not isinstance(value, str | bytes | bool | list | tuple | dict) and value is _na())
        or (isinstance(value, float | np.floating | np.datetime64) and value != value)
    )  # fmt: skip


def _na() -> Any:
    return pandas.NA if pandas is not None else None


def name(value: Any) -> str:
    """The name of a category or a class."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float | np.floating | decimal.Decimal) and float(value).is_integer():
        return str(int(value))
    return str(value.item() if isinstance(value, np.generic) else value)


# ---- containers ----


def _array(values: list[Any], random: Random) -> np.ndarray:
    """The values as an array of their own type, or of objects."""
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= {float, int, bool, str, bytes} and random.random() < 0.7:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.array(values)
        if array.shape == (len(values),) and not (
            array.dtype.kind in "US" and "\0" in "".join(map(name, values))
        ):
            return array
    objects = np.empty(len(values), object)
    objects[:] = values
    return objects


def _masked(values: list[Any], random: Random) -> Any:
    missing_values = [is_missing(value) for value in values]
    filled = next(
        (value for value, missing_value in zip(values, missing_values, strict=True) if not missing_value), 0.0
    )
    return np.ma.array(
        _array(
            [
                filled if missing_value else value
                for value, missing_value in zip(values, missing_values, strict=True)
            ],
            random,
        ),
        mask=missing_values,
    )


def _series(values: list[Any], random: Random) -> Any:
    series = pandas.Series(values, dtype=object)
    if random.random() < 0.3:
        return series.astype("category")
    return series.convert_dtypes() if random.random() < 0.6 else series.infer_objects()


def _arrow(values: list[Any], random: Random) -> Any:
    array = pyarrow.array(values, from_pandas=True)
    return array.dictionary_encode() if random.random() < 0.2 else array


def _structured(table: dict[str, list[Any]], random: Random) -> Any:
    arrays = {key: _array(values, random) for key, values in table.items()}
    rows = np.empty(len(next(iter(arrays.values()))), [(key, array.dtype) for key, array in arrays.items()])
    for key, array in arrays.items():
        rows[key] = array
    return rows


COLUMNS: list[Callable[[list[Any], Random], Any]] = [
    lambda values, random: list(values),
    lambda values, random: tuple(values),
    _array,
    _masked,
    *([_series] if pandas is not None else []),
    *([_arrow] if pyarrow is not None else []),
]


def contained(table: dict[str, list[Any]], random: Random) -> Any:
    """The table in one of the containers that can hold it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return _contained(table, random)
        except (
            ValueError,
            TypeError,
            OverflowError,
            UnicodeError,
            *_arrow_errors(),
        ):  # it cannot hold such values
            return {key: list(values) for key, values in table.items()}


def _contained(table: dict[str, list[Any]], random: Random) -> Any:
    match random.randrange(5):
        case 0 if table:
            return _structured(table, random)
        case 1 if pandas is not None:
            return pandas.DataFrame({key: _series(values, random) for key, values in table.items()})
        case 2 if pyarrow is not None:
            return pyarrow.table({key: _arrow(values, random) for key, values in table.items()})
        case 3:
            return {key: random.choice(COLUMNS)(values, random) for key, values in table.items()}
    return {key: list(values) for key, values in table.items()}


def _arrow_errors() -> tuple[type[Exception], ...]:
    return (pyarrow.ArrowException,) if pyarrow is not None else ()


def values_of(random: Random, kind: str, rows: int, missing_values: float) -> list[Any]:
    """Values of a kind, some of them missing values."""
    some = random.sample(KINDS[kind], min(len(KINDS[kind]), random.randint(1, 6)))
    own = [*MISSING_VALUES, _na(), np.datetime64("NaT")] if kind == "dates" else [*MISSING_VALUES, _na()]
    return [
        random.choice(own) if random.random() < missing_values else random.choice(some) for _ in range(rows)
    ]
