"""Add columns of predictions to a DataFrame, with the metadata that evaluators and other stages of pyspark.ml read."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from pyspark.sql import functions as sql

from nn.core.errors import DataError, UsageError
from nn.data.arrays import LARGEST
from nn.data.encoding import Number, TableEncoder
from nn.data.model_columns import have_names
from nn.data.tables import schema_for
from nn.ml.sessions import session_of
from nn.models import model_file
from nn.models.classifier import Predictor
from nn.models.outputs import PREDICTION, VECTORS, OutputScorer
from nn.models.sequential import Sequential
from nn.spark.frames.frame_table import no_cells, quoted
from nn.spark.frames.outputs_function import outputs_function
from nn.spark.input import table_columns
from nn.spark.input.table_columns import ARRAY, NUMBER_TYPES, STRING, VECTOR
from nn.spark.runtime import jvm
from nn.spark.runtime.settings import is_true

_log = logging.getLogger("nn.ml")
OUTPUTS = "nn_ml_outputs"  # a column of all outputs, while they are computed
COLUMNAR = "spark.sql.execution.arrow.pythonUDF.columnarInput.enabled"


class Output(NamedTuple):
    """A column of predictions: its name, "" where it is not wanted, and which output of the model it is."""

    name: str
    output: str  # one of nn.models.outputs.OUTPUTS


def with_predictions(
    frame: Any,
    features: str | Sequence[str],
    found: Predictor,
    outputs: Sequence[Output],
    thresholds: Sequence[float] | None = None,
) -> Any:
    """Return the DataFrame with a column for each output that has a name. A row without a prediction has nulls.

    Raises DataError for columns of features that are missing or of another type, and for a name that is taken.
    """
    wanted = [output for output in outputs if output.name]
    names = [output.name for output in wanted]
    if not wanted:
        _log.warning("transform: all names of output columns are empty; nothing is predicted")
        return frame
    key = str if is_true(frame.sparkSession.conf.get("spark.sql.caseSensitive")) else str.lower
    existing = [key(name) for name in (*frame.columns, *names)]
    taken = next((name for name in names if existing.count(key(name)) > 1), None)
    if taken is not None:
        raise DataError(f"expected a new column for predictions, found {taken!r}, which exists")
    classes = found.model.classes
    check_thresholds(thresholds, classes)
    content = model_file.to_bytes(found.model, found.params)
    scorer = OutputScorer(content, [output.output for output in wanted], thresholds)
    session = session_of(frame.sparkSession)
    session.ship_package()
    if frame.isStreaming and not session.ships_to_streams:
        _log.warning(
            "transform: Spark Connect does not give streams what a session has sent: the package nn must be installed "
            "on the executors"
        )
    function = outputs_function(scorer, session.has_arrow())
    result = OUTPUTS
    while any(name.lower().startswith(result) for name in existing):
        result += "_"
    inputs = f"{result}_inputs"
    values, conditions = _features(frame, features, found)
    if _reads_vectors_in_columns(frame):
        frame = frame.withColumn(inputs, sql.when(sql.spark_partition_id() >= 0, values))
        values = sql.col(inputs)
    values = function(values)
    for condition in conditions:
        values = sql.when(condition, values)
    predicted = frame.withColumn(result, values)
    added = (_column(output, result, classes) for output in wanted)
    return predicted.select("*", *added).drop(result, inputs)


def check_thresholds(thresholds: Sequence[float] | None, classes: int) -> None:
    """Raise UsageError for thresholds that are not one for each class."""
    if thresholds is not None and len(thresholds) != classes:
        raise UsageError(
            f"thresholds: expected one for each of the {classes} classes, found {len(thresholds)}"
        )


def _reads_vectors_in_columns(frame: Any) -> bool:
    """Return whether Spark hands columns of vectors to Python's functions as they lie in files.

    Spark 4.3 fails at that ("Unsupported data type UDT"). It reads them by row below a projection that it cannot merge,
    such as one that is not deterministic.
    """
    if '"type":"udt"' not in frame.schema.json():
        return False
    try:  # a default as second argument would replace Spark's own
        return is_true(frame.sparkSession.conf.get(COLUMNAR))
    except Exception:  # versions that do not know the setting raise errors of different types
        return False


def _features(frame: Any, features: str | Sequence[str], found: Predictor) -> tuple[Any, list[Any]]:
    """Return the features as one column, an array, bytes, or a struct of the columns by name; and what must be true.

    A row without all of these conditions has no prediction.
    """
    names = [features] if isinstance(features, str) else list(features)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(f"featuresCol: expected the columns {', '.join(map(repr, missing))} too")
    if not isinstance(features, str):
        return _struct(frame, names, found.model)
    type_name = table_columns.type_of(frame.schema[features].dataType, has_types=True)
    column = sql.col(quoted(features))
    if type_name == VECTOR:
        values = jvm.vector_to_array(column, "float64" if _has_offsets(found) else "float32")
        return sql.when(column.isNotNull(), values), []
    if type_name == ARRAY:
        return column.cast("array<double>" if _has_offsets(found) else "array<float>"), []
    if type_name == "binary":
        return column, []
    raise DataError(
        f"featuresCol: column {features!r}: expected vectors, arrays of numbers or bytes, found {type_name}"
    )


def _struct(frame: Any, names: Sequence[str], model: Sequential) -> tuple[Any, list[Any]]:
    """Return the columns of a model as a struct, and for strings under a number that they are numbers within float32.

    Raises DataError for columns that are missing or of a type that the model cannot take.
    """
    schema = schema_for(model.encoder)
    missing = [column.name for column in schema if column.name not in names]
    if missing and have_names(model.encoder.names):
        raise DataError(f"featuresCol: expected the columns {', '.join(map(repr, missing))} too")
    if missing or not schema:
        raise DataError(
            f"featuresCol: expected one column of {model.columns:,} values, as the model takes, found a list of names"
        )
    cells, conditions = [], []
    for column in schema:
        type_name = table_columns.type_of(frame.schema[column.name].dataType, has_types=True)
        cell = sql.col(quoted(column.name))
        if type_name not in (*NUMBER_TYPES, STRING):
            raise no_cells(column.name, type_name)
        if type_name == "decimal":
            cell = cell.cast("double")
        elif type_name == STRING and column.values is None:
            value = table_columns.number(cell, type_name, ())
            conditions.append(sql.isnan(value) | (sql.abs(value) <= LARGEST))
            cell = sql.when(conditions[-1], value)
        cells.append(cell.alias(column.name))
    return sql.struct(*cells), conditions


def _has_offsets(found: Predictor) -> bool:
    encoder = found.model.encoder
    columns = encoder.columns if isinstance(encoder, TableEncoder) else ()
    return any(column.offset for column in columns if isinstance(column, Number))


def _column(output: Output, result: str, classes: int) -> Any:
    values = sql.col(f"{result}.{output.output}")
    metadata: dict[str, Any] = {}
    if output.output in VECTORS:
        values = sql.when(values.isNotNull(), jvm.array_to_vector(values))
        metadata = {"ml_attr": {"num_attrs": classes}}
    elif output.output == PREDICTION and classes > 1:
        metadata = {"ml_attr": {"type": "nominal", "num_vals": classes}}
    return values.alias(output.name, metadata=metadata) if metadata else values.alias(output.name)
