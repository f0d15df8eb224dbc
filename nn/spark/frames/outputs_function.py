"""A function of a column of features that gives the outputs of a model, in blocks through Arrow or row by row.

It uses no SparkContext, so it serves Spark Connect as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nn.models.outputs import LABEL, VECTORS, OutputScorer
from nn.spark.user_functions import annotated, arrow_column, fastest, rows_of


def outputs_function(scorer: OutputScorer, arrow: bool) -> Callable[..., Any]:
    """Return a function of a column that gives a struct of the scorer's outputs: arrays, doubles and strings.

    It gives null for a row that the model cannot predict. `arrow`: the executors have what Spark needs for it.
    """
    columns = ",".join(f"{column.name}:{column.type}" for column in scorer.table.columns)
    of_arrow, of_pandas, of_row = (partial(way, scorer) for way in (_of_arrow, _of_pandas, _of_row))
    return fastest(arrow, of_arrow, of_pandas, of_row, f"struct<{columns}>")


def _of_arrow(scorer: OutputScorer) -> Callable[..., Any]:
    """Return the function of batches of Arrow."""
    import pyarrow as pa

    def outputs(*columns: pa.Array) -> pa.Array:
        (column,) = columns
        arrays, usable = scorer.arrays([arrow_column(column)], len(column))
        fields = [_arrow(name, values) for name, values in zip(scorer.outputs, arrays, strict=True)]
        return pa.StructArray.from_arrays(fields, list(scorer.outputs), mask=pa.array(~usable))

    return annotated(outputs, pa.Array, pa.Array)


def _arrow(name: str, values: np.ndarray) -> Any:
    import pyarrow as pa

    if name in VECTORS:
        starts = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.shape[1])
        return pa.ListArray.from_arrays(pa.array(starts), pa.array(np.ascontiguousarray(values).ravel()))
    return pa.array(values, pa.string() if name == LABEL else pa.float64())


def _of_pandas(scorer: OutputScorer) -> Callable[..., Any]:
    """Return the function of batches of pandas."""
    import pandas

    def outputs(*columns: pandas.Series) -> pandas.DataFrame:
        (column,) = columns
        argument = column if hasattr(column, "columns") else rows_of(column.tolist())
        return pandas.DataFrame(
            dict(zip(scorer.outputs, scorer.predict([argument], len(column)), strict=True))
        )

    return annotated(outputs, pandas.Series, pandas.DataFrame)


def _of_row(scorer: OutputScorer) -> Callable[..., Any]:
    """Return the function of one row."""

    def outputs(cell):  # without annotations: Spark would look for kinds of functions in them
        if cell is None:
            return None
        values = [column[0] for column in scorer.predict([rows_of([cell])], 1)]
        return None if values and values[0] is None else tuple(values)

    return outputs
