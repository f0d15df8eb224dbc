"""The columns of a table as expressions of Spark: all casts are done in the JVM.

In numbers, NaN is a missing value and an infinite value is a cell that is no number within float32.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import quoted_text
from nn.data.decoding import Label
from nn.data.schema import ColumnSchema, offset_of
from nn.data.tables import name_of
from nn.spark.runtime import jvm

NUMBER, CATEGORY, ARRAY, VECTOR, BYTES = "number", "category", "array", "vector", "bytes"
# Types of which every value casts to float32 alike, alone or in an array.
SAFE_TYPES = ("byte", "short", "integer", "long", "float", "double", "boolean")
REAL_TYPES = ("float", "double", "decimal")
NUMBER_TYPES = (*SAFE_TYPES, "decimal")  # decimals of different precision have no common type that holds both
STRING, TEXT = "string", "text"  # TEXT: a string of a format without types, which may be a number
BAD = -math.inf
# Numbers with a decimal comma, or with marks between thousands.
_MARKED = re.compile(r"[+-]?(\d+,\d+|\d{1,3}([,. ']\d{3})+)", re.ASCII)
_WHOLE = r"^\s*\+?(-?)0*(\d+)\s*$"
_PATTERN = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"


class Kind(NamedTuple):
    """How a column of a table becomes columns of inputs."""

    kind: str  # NUMBER, CATEGORY, ...
    width: int = 1  # columns of inputs

    @property
    def bytes(self) -> int:
        """Return the bytes of its inputs in a row of a block."""
        return self.width * (1 if self.kind == BYTES else 4)


def type_of(data_type: Any, has_types: bool) -> str:
    """Return the name of a type of Spark: `array` for arrays of numbers, `vector` for vectors of pyspark.ml."""
    name = data_type.typeName()
    if name == "array":
        return ARRAY if data_type.elementType.typeName() in NUMBER_TYPES else data_type.simpleString()
    if name in ("udt", "vectorudt", "vector"):
        return VECTOR if "Vector" in type(data_type).__name__ else name
    if name in ("string", "varchar", "char"):
        return STRING if has_types else TEXT
    return name if name in NUMBER_TYPES or name == "binary" else data_type.simpleString()


def kind_of(
    name: str, type_name: str, cells: Sequence[Any], is_categorical: bool, missing_values: Collection[str]
) -> Kind:
    """Return the kind of a column with these cells in its first rows. Raises DataError for types that are none."""
    filled = (
        [cell for cell in cells if cell is not None and cell not in missing_values]
        if type_name in (STRING, TEXT)
        else [cell for cell in cells if cell is not None]
    )
    if type_name in (ARRAY, VECTOR, "binary"):
        if not filled or not len(filled[0]):
            found = "an empty one" if filled else "none"
            raise DataError(
                f"column {name!r}: expected a value in the first rows, found {found}; --drop-columns leaves it out"
            )
        return Kind(BYTES if type_name == "binary" else type_name, len(filled[0]))
    if type_name not in (*NUMBER_TYPES, STRING, TEXT):
        raise DataError(
            f"column {name!r}: expected numbers or strings, found {type_name}; write it as numbers, such as days, or "
            f"leave it out with --drop-columns {name}"
        )
    if is_categorical or type_name == STRING:
        return Kind(CATEGORY)
    if type_name != TEXT or 2 * sum(map(quoted_text.is_number, filled)) >= len(filled):
        return Kind(NUMBER)
    marked = [cell for cell in filled if _MARKED.fullmatch(cell.strip())]
    if 2 * len(marked) > len(filled):
        raise DataError(
            f"column {name!r}: expected numbers with a decimal point and no other marks, found {marked[0]!r}; write "
            "them so, or name the column in --categorical"
        )
    return Kind(CATEGORY)


def schemas(name: str, kind: Kind, cells: Sequence[Any], offsets: bool) -> list[ColumnSchema]:
    """Return the columns of inputs that a column gives; categories are filled in later.

    With `offsets`, numbers whose first value is LARGE or larger are kept less that value.
    """
    if kind.kind == CATEGORY:
        return [ColumnSchema(name, ())]
    if kind.kind == NUMBER:
        first = next((float(cell) for cell in cells if _is_number(cell)), 0.0)
        return [ColumnSchema(name, offset=offset_of(first) if offsets else 0.0)]
    firsts = [0.0] * kind.width
    if offsets and kind.kind in (ARRAY, VECTOR):
        row = next(cell for cell in cells if cell is not None)
        firsts = [float(value) if value is not None else 0.0 for value in row]
    return [ColumnSchema(f"{name}[{index}]", offset=offset_of(first)) for index, first in enumerate(firsts)]


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return quoted_text.is_number(cell)
    return cell is not None and math.isfinite(cell)


# ---- expressions ----


def number(column: Any, type_name: str, missing_values: Sequence[str]) -> Any:
    """Return a column as double: NaN for a missing value, BAD for a text that is no number."""
    from pyspark.sql import functions as sql

    if type_name not in (STRING, TEXT):
        return sql.coalesce(column.cast("double"), sql.lit(math.nan))
    return (
        sql.when(is_missing(column, missing_values), sql.lit(math.nan))
        .when(column.rlike(_PATTERN), sql.coalesce(column.cast("double"), sql.lit(BAD)))
        .otherwise(sql.lit(BAD))
    )


def is_missing(column: Any, missing_values: Sequence[str]) -> Any:
    """Return whether a text is a missing value."""
    from pyspark.sql import functions as sql

    return column.isNull() | sql.trim(column).isin(*missing_values)


def name(column: Any, type_name: str, missing_values: Sequence[str]) -> Any:
    """Return a column as the names of categories: whole numbers without a point, null for a missing value."""
    from pyspark.sql import functions as sql

    if type_name in (STRING, TEXT):
        return sql.when(~is_missing(column, missing_values), column)
    if type_name in REAL_TYPES:
        value = column.cast("double")
        whole = (value == sql.floor(value)) & (sql.abs(value) < 2.0**53)
        text = sql.when(whole, value.cast("long").cast("string")).otherwise(value.cast("string"))
        return sql.when(~sql.isnan(value), text)
    return column.cast("string")


def category(column: Any, type_name: str, values: Sequence[str], missing_values: Sequence[str]) -> Any:
    """Return the codes of categories: -1 for a value that is not in `values`, NaN for a missing value."""
    from pyspark.sql import functions as sql

    names = name(column, type_name, missing_values)
    if type_name not in REAL_TYPES or not values:
        return code(names, values)
    # Java and Python write some real numbers differently, as 1.0E-5 and 1e-05: the numbers are compared.
    numbers = sql.array(*(sql.lit(_number_of(value)) for value in values))
    return _unless_missing(names, _position(numbers, column.cast("double")))


def _number_of(text: str) -> float:
    """Return the number that a text names; NaN, which no cell is, for other strings."""
    return float(text) if quoted_text.is_number(text) else math.nan


def code(names: Any, values: Sequence[str]) -> Any:
    """Return the codes of categories: -1 for a value that is not in `values`, NaN for a missing value."""
    from pyspark.sql import functions as sql

    found = _position(sql.array(*map(sql.lit, values)), names) if values else sql.lit(-1)
    return _unless_missing(names, found)


def class_number(column: Any, type_name: str, labels: Sequence[Label], missing_values: Sequence[str]) -> Any:
    """Return class numbers as double: -1 for a label that is not in `labels`, NaN for a missing value."""
    from pyspark.sql import functions as sql

    names = name(column, type_name, missing_values)
    if all(isinstance(label, bool) for label in labels):
        return code(sql.lower(names), [name_of(label) for label in labels])
    if any(isinstance(label, str) for label in labels):
        return code(names, [str(label) for label in labels])
    numbers = sql.array(*(sql.lit(float(label)) for label in labels))
    found = _unless_missing(names, _position(numbers, number(column, type_name, missing_values)))
    whole = sql.regexp_replace(names, _WHOLE, "$1$2")  # doubles cannot tell those beyond 2**53 apart
    return sql.when(whole.rlike("^(-?[1-9][0-9]*|0)$"), code(whole, list(map(name_of, labels)))).otherwise(
        found
    )


def own_class_number(column: Any, type_name: str, classes: int, missing_values: Sequence[str]) -> Any:
    """Return labels that are class numbers below `classes` as double: -1 for others, NaN for a missing value."""
    from pyspark.sql import functions as sql

    value = number(column, type_name, missing_values)
    is_class = (value >= 0) & (value < classes) & (value == sql.floor(value))
    return _unless_missing(name(column, type_name, missing_values), sql.when(is_class, value).otherwise(-1))


def _unless_missing(names: Any, code: Any) -> Any:
    from pyspark.sql import functions as sql

    return sql.when(names.isNull(), sql.lit(math.nan)).otherwise(code.cast("double"))


def _position(array: Any, value: Any) -> Any:
    """Return the index of a value in an array, -1 for none. PySpark 3.5's array_position takes no column."""
    from pyspark.sql import functions as sql

    return sql.call_function("array_position", array, value) - 1


def flag(column: Any, type_name: str, missing_values: Sequence[str]) -> Any:
    """Return 1 and 0 for true and false, BAD for anything else."""
    from pyspark.sql import functions as sql

    if type_name == "boolean":
        return sql.coalesce(column.cast("double"), sql.lit(BAD))
    value = number(column, type_name, missing_values)
    known = sql.when((value == 0) | (value == 1), value).otherwise(sql.lit(BAD))
    if type_name not in (STRING, TEXT):
        return known
    word = sql.lower(sql.trim(column))
    return sql.when(word == "true", 1.0).when(word == "false", 0.0).otherwise(known)


def array_of(column: Any, kind: str, dtype: str = "float64") -> Any:
    """Return a column of arrays as it is, one of vectors as arrays."""
    return jvm.vector_to_array(column, dtype) if kind == VECTOR else column


def numbers(column: Any, kind: Kind, offsets: Sequence[float]) -> Any:
    """Return an array or a vector as an array<float> of the kind's width; BAD throughout where it has another."""
    from pyspark.sql import functions as sql

    values = array_of(column, kind.kind, "float64" if any(offsets) else "float32")
    length = sql.size(values)
    if any(offsets):
        values = sql.zip_with(
            values.cast("array<double>"),
            sql.array(*map(sql.lit, offsets)),
            lambda value, offset: value - offset,
        )
    missing_value, bad = (
        sql.array_repeat(sql.lit(value).cast("float"), kind.width) for value in (math.nan, BAD)
    )
    fitting = sql.when(length == kind.width, values.cast("array<float>")).otherwise(bad)
    return sql.when(column.isNull(), missing_value).otherwise(fitting)
