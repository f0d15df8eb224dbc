"""A function of a column of features that gives the outputs of a model, in blocks through Arrow or row by row.

It uses no SparkContext, so it serves Spark Connect as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nn.models.outputs import LABEL, PROBABILITY, RAW, OutputScorer
from nn.spark.user_functions import annotated, arrow_column, fastest, rows_of

VECTORS = (RAW, PROBABILITY)


def outputs_function(scorer: OutputScorer, arrow: bool) -> Callable[..., Any]:
    """Return a function of a column that gives a struct of the scorer's outputs: arrays, doubles and texts.

    It gives null for a row that the model cannot predict. `arrow`: the executors have what Spark needs for it.
    """
    type_name = f"struct<{','.join(f'{name}:{_type(name)}' for name in scorer.outputs)}>"
    of_arrow, of_pandas, of_row = (partial(way, scorer) for way in (_of_arrow, _of_pandas, _of_row))
    return fastest(arrow, of_arrow, of_pandas, of_row, type_name)


def _type(name: str) -> str:
    if name in VECTORS:
        return "array<double>"
    return "string" if name == LABEL else "double"


def _of_arrow(scorer: OutputScorer) -> Callable[..., Any]:
    """Return the function of batches of Arrow."""
    import pyarrow as pa

    def outputs(*columns: pa.Array) -> pa.Array:
        (column,) = columns
        arrays, usable = scorer.arrays([arrow_column(column)], len(column))
        mask = pa.array(~usable)
        fields = [_arrow(name, arrays.get(name), len(column)) for name in scorer.outputs]
        return pa.StructArray.from_arrays(fields, list(scorer.outputs), mask=mask)

    return annotated(outputs, pa.Array, pa.Array)


def _arrow(name: str, values: np.ndarray | None, rows: int) -> Any:
    import pyarrow as pa

    if values is None:
        values = np.empty((rows, 0) if name in VECTORS else rows)
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
            dict(zip(scorer.outputs, _columns(scorer, argument, len(column)), strict=True))
        )

    return annotated(outputs, pandas.Series, pandas.DataFrame)


def _of_row(scorer: OutputScorer) -> Callable[..., Any]:
    """Return the function of one row."""

    def outputs(cell):  # without annotations: Spark would look for kinds of functions in them
        if cell is None:
            return None
        values = [column[0] for column in _columns(scorer, rows_of([cell]), 1)]
        return None if values and values[0] is None else tuple(values)

    return outputs


def _columns(scorer: OutputScorer, argument: Any, rows: int) -> Sequence[Sequence[Any]]:
    """Return the outputs as lists of n Python values, None for rows that the model cannot predict."""
    arrays, usable = scorer.arrays([argument], rows)
    if usable.all():
        return [arrays[name].tolist() for name in scorer.outputs] if rows else [[] for _ in scorer.outputs]
    return [
        [value if good else None for value, good in zip(arrays[name].tolist(), usable, strict=True)]
        for name in scorer.outputs
    ]
