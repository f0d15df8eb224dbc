"""User-defined functions of Spark SQL that predict with a saved model, in queries, views and streams.

Batches travel through Arrow where Python has it: arrow_udf of Spark 4.1, else pandas_udf; without Arrow, row by row.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import numpy as np

from nn.data.tables import column_of
from nn.models.classifier import Classifier, Regressor
from nn.models.model_file import to_bytes
from nn.models.scorer import ALL, PREDICTION, Scorer
from nn.spark.connect.context import ConnectContext, is_connect
from nn.spark.input.table_reading import has_arrow
from nn.spark.models import load
from nn.spark.runtime.session import ship_package


def udf(spark: Any, model: Any, returns: str = PREDICTION) -> Callable[..., Any]:
    """Return a function of columns that predicts: `df.select(predict("pixels"))`, or `predict(struct("a", "b"))`.

    model: a Classifier or a Regressor, or the path of a model file on any file system. The argument is a struct, whose
    fields are the model's columns by name in any order; an array, or bytes, of all inputs; or one column per input in
    the model's order. returns: "prediction" (a label or a value), "probabilities" (an array of doubles, in the order
    of `classifier.class_names`) or "all" (a struct of both). A row that the model cannot predict gives null.

    Executors get the package nn with this call. Raises DataError for a file that is no model.
    """
    scorer = Scorer(_content(spark, model), returns)
    if is_connect(spark):
        ConnectContext(spark).ship_package()
        return _function(True, scorer, _type(scorer))  # Spark Connect itself needs Arrow
    ship_package(spark.sparkContext)
    return _function(has_arrow(spark.sparkContext), scorer, _type(scorer))


def register_udf(spark: Any, name: str, model: Any, returns: str = PREDICTION) -> Callable[..., Any]:
    """Register `udf` under a name for SQL: `SELECT digit(pixels) FROM images`. Return the function too."""
    function = udf(spark, model, returns)
    return spark.udf.register(name, function)


def _content(spark: Any, model: Any) -> bytes:
    """Return the bytes of a model file."""
    found = model if isinstance(model, (Classifier, Regressor)) else load(model, spark)
    return to_bytes(found.model, found.params, found.about)


def _type(scorer: Scorer) -> str:
    """Return the type of the values, as DDL."""
    probabilities = "array<double>"
    if scorer.returns == PREDICTION:
        return scorer.type
    if scorer.returns == ALL:
        return f"struct<prediction:{scorer.type},probabilities:{probabilities}>"
    return probabilities


def _function(through_arrow: bool, scorer: Scorer, type_name: str) -> Callable[..., Any]:
    """Return the function, in the fastest way that driver and executors have."""
    of_arrow = partial(_of_arrow, scorer, type_name)
    return fastest(through_arrow, of_arrow, partial(_of_pandas, scorer), partial(_of_rows, scorer), type_name)


def fastest(
    through_arrow: bool,
    of_arrow: Callable[[], Callable[..., Any]],
    of_pandas: Callable[[], Callable[..., Any]],
    of_rows: Callable[[], Callable[..., Any]],
    type_name: str,
) -> Callable[..., Any]:
    """Return a function of columns for Spark: of batches of Arrow, of pandas before Spark 4.1, else of one row."""
    from pyspark.sql import functions as sql

    if through_arrow and hasattr(sql, "arrow_udf"):
        return sql.arrow_udf(of_arrow(), type_name)  # type: ignore[call-overload]
    if through_arrow and importlib.util.find_spec("pandas") is not None:
        return sql.pandas_udf(of_pandas(), type_name)  # type: ignore[call-overload]
    return sql.udf(of_rows(), type_name)


def _of_arrow(scorer: Scorer, type_name: str) -> Callable[..., Any]:
    """Return the function of batches of Arrow."""
    import pyarrow as pa

    types = {"long": pa.int64(), "double": pa.float64(), "string": pa.string(), "boolean": pa.bool_()}
    probabilities = pa.list_(pa.float64())
    result = types.get(type_name, probabilities)
    if scorer.returns == ALL:
        result = pa.struct([("prediction", types[scorer.type]), ("probabilities", probabilities)])

    def predict(*columns: pa.Array) -> pa.Array:
        rows = len(columns[0])
        return pa.array(scorer.values([arrow_column(column) for column in columns], rows), result)

    return annotated(predict, pa.Array, pa.Array)


def annotated(function: Callable[..., Any], columns: type, result: type) -> Callable[..., Any]:
    """Return the function with its annotations as types, by which Spark tells kinds of functions."""
    function.__annotations__ = {"columns": columns, "return": result}
    return function


def arrow_column(column: Any) -> Any:
    """Return a column of Arrow as an argument of Scorer.predict."""
    import pyarrow as pa

    if pa.types.is_struct(column.type):
        names = [column.type.field(index).name for index in range(column.type.num_fields)]
        return pa.Table.from_arrays(column.flatten(), names=names)
    is_list = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    if is_list and len(column) and not column.null_count:
        width = _width(column.value_lengths().unique().to_pylist())
        return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)  # nulls become NaN
    return rows_of(column.to_pylist())


def _width(lengths: Collection[int]) -> int:
    """Return the length that all rows have. Raises ValueError where they have several."""
    if len(lengths) > 1:
        raise ValueError(
            f"expected arrays of one length, found lengths from {min(lengths):,} to {max(lengths):,}"
        )
    return next(iter(lengths))


def _of_pandas(scorer: Scorer) -> Callable[..., Any]:
    """Return the function of batches of pandas."""
    import pandas

    def predict(*columns: pandas.Series) -> pandas.Series:
        rows = len(columns[0])
        arguments = [c if hasattr(c, "columns") else rows_of(c.tolist()) for c in columns]
        return pandas.Series(scorer.values(arguments, rows), dtype=object)

    def predict_all(*columns: pandas.Series) -> pandas.DataFrame:
        pairs = predict(*columns)
        filled = [(None, None) if pair is None else pair for pair in pairs]
        return pandas.DataFrame(filled, columns=["prediction", "probabilities"])

    if scorer.returns == ALL:
        return annotated(predict_all, pandas.Series, pandas.DataFrame)
    return annotated(predict, pandas.Series, pandas.Series)


def _of_rows(scorer: Scorer) -> Callable[..., Any]:
    """Return the function of one row."""

    def predict(*cells):  # without annotations: Spark would look for kinds of functions in them
        if len(cells) == 1 and cells[0] is None:
            return None
        return scorer.values([rows_of([cell]) for cell in cells], 1)[0]

    return predict


def rows_of(cells: Sequence[Any]) -> Any:
    """Return cells as an argument of Scorer.predict: rows of a struct as a table, arrays, vectors and bytes (n, d).

    Of others it returns a column (n,). A cell without a value is a row of missing values. Raises ValueError for
    arrays of different lengths.
    """
    filled = [cell for cell in cells if cell is not None]
    first: Any = filled[0] if filled else None
    if hasattr(first, "asDict"):  # Row
        names = first.asDict()
        return {name: np.array([None if c is None else c[name] for c in cells], object) for name in names}
    if isinstance(first, (bytes, bytearray)):
        rows = np.frombuffer(b"".join(filled), np.uint8).reshape(-1, _width({len(cell) for cell in filled}))
    elif isinstance(first, (list, tuple, np.ndarray)) or hasattr(first, "toArray"):  # toArray: a vector
        _width({len(cell) for cell in filled})
        arrays = [cell.toArray() for cell in filled] if hasattr(first, "toArray") else filled
        rows = np.array([[np.nan if value is None else value for value in row] for row in arrays], np.float64)
    else:
        return column_of(cells)
    if len(filled) == len(cells):
        return rows
    with_missing = np.full((len(cells), rows.shape[1]), np.nan)
    with_missing[[cell is not None for cell in cells]] = rows
    return with_missing
